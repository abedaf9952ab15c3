"""Trains the local critic: `python -m evals.train.moves STEP…`, each step resumable.

Steps: fold0, fold1, fold2 (out-of-fold logits), final (the network fitted on all replies). What a
step makes is kept in build/train/ and not made again; remove the folder to start over.
"""

import pickle
import sys

import torch

from evals.train import data, network
from evals.train.base import BUILD

SEED = 20261124


def say(text: str) -> None:
    """Print a line at once, also into a file."""
    print(text, flush=True)


def prepare() -> tuple[list[dict], list[data.Window], object]:
    """Return the cases, their windows, and the gold `overall` of each case."""
    cases = data.load_cases()
    tokenizer = data.load_tokenizer()
    items = [w for i, case in enumerate(cases) for w in data.windows_of(tokenizer, case, i)]
    return cases, items, [case["labels"][0]["overall"] for case in cases]


def run_fold(fold: int) -> None:
    """Fit on the other folds and keep the raw logits of this one."""
    target = BUILD / f"fold{fold}.pkl"
    if target.exists():
        return say(f"fold{fold}: kept from an earlier run")
    cases, items, overall = prepare()
    folds = data.folds_of(cases)
    inside = [w for w in items if folds[w.case] != fold]
    net = network.fit(inside, overall, SEED + fold, lambda s: say(f"fold{fold} {s}"))
    raw = network.predict(net, [w for w in items if folds[w.case] == fold])
    target.write_bytes(pickle.dumps(raw))
    return None


def run_final() -> None:
    """Fit on all replies and keep the network's weights."""
    target = BUILD / "final.pt"
    if target.exists():
        return say("final: kept from an earlier run")
    _, items, overall = prepare()
    net = network.fit(items, overall, SEED + 9, lambda s: say(f"final {s}"))
    torch.save(net.state_dict(), target)
    return None


def main(steps: list[str]) -> int:
    """Run the named steps in order, on one thread."""
    torch.set_num_threads(1)
    BUILD.mkdir(parents=True, exist_ok=True)
    for step in steps:
        run_final() if step == "final" else run_fold(int(step.removeprefix("fold")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
