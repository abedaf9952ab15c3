"""Trains the local critic: `python -m evals.train.moves STEP…`, each step resumable.

Steps: fold0, fold1, fold2 (out-of-fold logits), final (the network fitted on all replies), and for
comparison on fold 0 third, two_thirds, no_pairs (fitted on less). What a step makes is kept in
build/train/ and not made again; remove the folder to start over.
"""

import pickle
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from evals.train import augment, data, network
from evals.train.base import BUILD

SEED = 20261124
PARTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "third": lambda case: data.share_of(case) < 1 / 3,
    "two_thirds": lambda case: data.share_of(case) < 2 / 3,
    "no_pairs": lambda case: not data.is_paired(case),
}


def say(text: str) -> None:
    """Print a line at once, also into a file."""
    print(text, flush=True)


class Replies:
    """The labelled replies as examples, and as windows: plain, or changed anew for an epoch."""

    def __init__(self) -> None:
        self.cases = data.load_cases()
        self.overall = np.array([case["labels"][0]["overall"] for case in self.cases])
        self._examples = [augment.example_of(case) for case in self.cases]
        self._tokenizer = data.load_tokenizer()

    def plain(self, which: Sequence[int]) -> list[data.Window]:
        """Return the windows of some cases as they stand."""
        return self._windows(which, lambda example: example)

    def changed(self, which: Sequence[int], rng: random.Random) -> list[data.Window]:
        """Return the windows of some cases, some of them with filler, a quote or typos."""
        return self._windows(which, lambda example: augment.augmented(example, rng))

    def _windows(
        self, which: Sequence[int], change: Callable[[augment.Example], augment.Example]
    ) -> list[data.Window]:
        made = (data.windows_of(self._tokenizer, change(self._examples[i]), i) for i in which)
        return [window for windows in made for window in windows]


def fitted(replies: Replies, which: Sequence[int], seed: int, name: str) -> network.CriticNet:
    """Return a network fitted on some of the replies."""
    return network.fit(
        lambda rng: replies.changed(which, rng),
        replies.overall,
        steps=-(-len(which) // network.BATCH),
        seed=seed,
        log=lambda text: say(f"{name} {text}"),
    )


def run_read(name: str) -> None:
    """Fit on the other folds, or on a part of them, and keep the raw logits of the fold left out.

    `name` is fold0, fold1 or fold2, or a key of PARTS: these read fold 0.
    """
    target = BUILD / f"{name}.pkl"
    if target.exists():
        return say(f"{name}: kept from an earlier run")
    use = PARTS.get(name, lambda case: True)
    fold = 0 if name in PARTS else int(name.removeprefix("fold"))
    replies = Replies()
    folds = data.folds_of(replies.cases)
    inside = [int(i) for i in np.flatnonzero(folds != fold) if use(replies.cases[i])]
    net = fitted(replies, inside, SEED + fold, name)
    raw = network.predict(net, replies.plain(np.flatnonzero(folds == fold).tolist()))
    target.write_bytes(pickle.dumps(raw))
    return None


def run_final() -> None:
    """Fit on all replies and keep the network's weights."""
    target = BUILD / "final.pt"
    if target.exists():
        return say("final: kept from an earlier run")
    replies = Replies()
    net = fitted(replies, range(len(replies.cases)), SEED + 9, target.stem)
    torch.save(net.state_dict(), target)
    return None


def main(steps: list[str]) -> int:
    """Run the named steps in order, on one thread."""
    torch.set_num_threads(1)
    BUILD.mkdir(parents=True, exist_ok=True)
    for step in steps:
        run_final() if step == "final" else run_read(step)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
