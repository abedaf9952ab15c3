"""From the fitted networks to the shipped critic: `python -m evals.train.ship`.

Reads the out-of-fold logits and the final network of `evals.train.moves`, writes the
cross-validation beside a bag of words on the same folds, chooses the numbers of `Decoding`, exports
to int8 ONNX, and keeps golden outputs.
"""

import json
import pickle
import shutil
from typing import Any

import numpy as np
import torch

from agent import decode, windows
from agent.encoder import MODELS
from agent.local_critic import LocalCritic
from evals import critic, scorers
from evals.train import augment, choose, compare, data, export, moves, network, report
from evals.train.base import BUILD, ROOT, SHA256

REPORTS = ROOT / "evals" / "reports"
TARGET = MODELS / "moves_v2"
GOLDEN = 14
PARITY_STEP = 7  # every so many of the replies are read in float32 too
README = """# moves_v2: the local critic

A token-level model on all-MiniLM-L6-v2 (Apache-2.0; all layers fine-tuned) that reads a reply with
the last three turns before it: 20 logits for each token (the quotes), 20 for the reply (whether;
attention pooling, one query a move), and four cumulative logits for `overall`. Int8 ONNX, opset 17,
per channel, weights in 7 bits so that a processor without VNNI does not saturate; at most 320
tokens a window, longer replies in overlapping windows. Numpy turns logits into claims
(`agent/decode.py`); every number is in `config.json`. Made by `make train` from
`evals/cases/replies/` ({fitted_on} replies, one
labelling pass, fixed seeds). Licence: Apache-2.0.

Cross-validation in folds grouped by conversation ({folds} of 3 read, n = {n}), calibration and
thresholds chosen on the other folds; where one fold was read, on the other half of it, grouped too.

{summary}

{table}

The shipped network on replies held out (`evals/cases/held/`: another hand, other conversations;
nothing was chosen on them).

{held}

int8 against float32, n = {int8[n]} replies of the training data: findings agree at
{int8[findings_jaccard]:.3f} (Jaccard), overall is the same in {int8[overall_same]:.3f}.

## Known misses

- The weakest moves: {weak}.
- Contrast pairs (a small change makes or unmakes a move): micro-F1 {pairs[micro][f1]:.2f},
  n = {pairs[n]}.
- A salad of dates and speech-act words with no content can read as a promise with terms.
- A threat in polite or matter-of-fact words can read as an offer or a request.
- Filler around a reply moves its overall score, mostly down: `python -m evals critic --attacks`.
- Overall is least certain in the middle of the scale. English only.
"""


def main() -> int:
    """Write the report, the model folder and its golden outputs."""
    torch.set_num_threads(1)
    every = data.load_cases()
    fold_of = data.folds_of(every)
    which, raws = out_of_fold(every)
    cases, folds = [every[i] for i in which], fold_of[which]
    parts = folds if len(np.unique(folds)) > 1 else data.folds_of(cases, 2)
    items = choose.cross_fitted(cases, raws, parts)
    scores = scorers.critic_scores(items, data.MOVES, choose.GOOD)
    net = load_final()
    write_model(net, choose.choose(cases, raws))
    scores |= {
        "critic": TARGET.name,
        "folds": np.bincount(folds).tolist(),
        "fitted_on": len(every),
        "baselines": compare.baselines(every, fold_of, which),
        "contrast_pairs": contrast_pairs(cases, items),
        "int8": parity(net, every),
        "held_out": critic.measured(LocalCritic(TARGET), critic.load(critic.held_files())),
        "less_data": less_data(every, fold_of, dict(zip(which, parts.tolist(), strict=True)), raws),
    }
    report.write(scores, REPORTS)
    write_golden(every)
    write_readme(scores)
    print(json.dumps({k: v for k, v in scores.items() if k != "moves"}))
    return 0


def out_of_fold(cases: list[dict[str, Any]]) -> tuple[list[int], list[decode.Raw]]:
    """Return which cases were read by a network that had not seen their group, and its logits."""
    parts: dict[int, list[dict[str, np.ndarray]]] = {}
    for file in sorted(BUILD.glob("fold*.pkl")):
        parts |= pickle.loads(file.read_bytes())  # noqa: S301 (ours)
    tokenizer = data.load_tokenizer()
    which = sorted(parts)
    return which, [assembled(tokenizer, cases[i], parts[i]) for i in which]


def less_data(
    every: list[dict[str, Any]],
    fold_of: np.ndarray,
    part_of: dict[int, int],
    raws: list[decode.Raw],
) -> list[dict[str, Any]]:
    """Return the figures on fold 0 of networks fitted on less, and on all of the other folds.

    Calibration and thresholds are the same for all: chosen on other parts, by the network that was
    fitted on most.
    """
    cases = [every[i] for i in part_of]
    off = choose.chosen_off(cases, raws, np.array(list(part_of.values())))
    tokenizer = data.load_tokenizer()
    rows = []
    for name in (*moves.PARTS, "fold0"):
        file = BUILD / f"{name}.pkl"
        if file.exists():
            read = pickle.loads(file.read_bytes())  # noqa: S301 (ours)
            use = moves.PARTS.get(name, lambda case: True)
            inside = [i for i in np.flatnonzero(fold_of != 0) if use(every[i])]
            items = [
                choose.scored(every[i], assembled(tokenizer, every[i], pieces), off[part_of[i]])
                for i, pieces in sorted(read.items())
            ]
            found = scorers.critic_scores(items, data.MOVES, choose.GOOD)
            rows.append(report.short(found) | {"name": name, "fitted_on": len(inside)})
    return rows


def assembled(
    tokenizer: Any, case: dict[str, Any], parts: list[dict[str, np.ndarray]]
) -> decode.Raw:
    """Return one reply's logits from those of its windows."""
    tokens = windows.tokenize(tokenizer, data.turns(case), case["reply"])
    pieces = [(tuple(p["span"]), p["tags"], p["presence"], p["overall"]) for p in parts]
    return decode.merged(tokens.offsets, pieces)


def load_final() -> network.CriticNet:
    """Return the network fitted on all replies."""
    net = network.CriticNet()
    net.load_state_dict(torch.load(BUILD / "final.pt", weights_only=True))
    return net.eval()


def write_model(net: network.CriticNet, numbers: dict[str, Any]) -> None:
    """Export the final network and write its numbers beside it."""
    TARGET.mkdir(parents=True, exist_ok=True)
    outputs = {
        "tags": {0: "batch", 1: "tokens"},
        "presence": {0: "batch"},
        "overall": {0: "batch"},
    }
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    export.to_int8(net, TARGET / "model.onnx", inputs, outputs, reduce_range=True)
    shutil.copy(MODELS / "minilm_v1" / "tokenizer.json", TARGET / "tokenizer.json")
    made = {
        "name": TARGET.name,
        "base": "sentence-transformers/all-MiniLM-L6-v2",
        "base_sha256": SHA256,
        "max_tokens": windows.MAX_TOKENS,
        "max_history_tokens": windows.MAX_HISTORY,
        "max_history_turns": windows.MAX_TURNS,
    }
    export.write_config(TARGET, made | numbers)


@torch.no_grad()
def parity(net: network.CriticNet, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how near the int8 model is to the float32 one, on every seventh reply."""
    shipped, tokenizer = LocalCritic(TARGET), data.load_tokenizer()
    numbers = decode.Decoding.from_config(json.loads((TARGET / "config.json").read_text("utf-8")))
    both, either, same = 0, 0, []
    for index, case in enumerate(cases[::PARITY_STEP]):
        items = data.windows_of(tokenizer, augment.example_of(case), index)
        full = assembled(tokenizer, case, network.predict(net, items)[index])
        small = shipped.raw(case["history"], case["reply"]) or full
        (a, x), (b, y) = (decode.decode(case["reply"], raw, numbers) for raw in (full, small))
        left, right = ({f.move for f in found if f.sure} for found in (a, b))
        both, either = both + len(left & right), either + len(left | right)
        same.append(x == y)
    agree, overall = scorers.ratio(both, either), scorers.ratio(sum(same), len(same))
    return {"n": len(same), "findings_jaccard": agree, "overall_same": overall}


def contrast_pairs(cases: list[dict[str, Any]], items: list[scorers.Scored]) -> dict[str, Any]:
    """Return the micro scores on the contrast pairs alone."""
    pairs = [item for item, case in zip(items, cases, strict=True) if data.is_paired(case)]
    return {"micro": scorers.move_scores(pairs, data.MOVES)["micro"], "n": len(pairs)}


def write_golden(cases: list[dict[str, Any]]) -> None:
    """Keep what the shipped model says of replies spread over the data."""
    shipped = LocalCritic(TARGET)
    rows = []
    for case in cases[:: len(cases) // GOLDEN][:GOLDEN]:
        reading = shipped.read(case["history"], case["reply"]).model_dump(mode="json")
        rows.append({k: case[k] for k in ("id", "history", "reply")} | {"reading": reading})
    text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    (TARGET / "golden.json").write_text(text, "utf-8")


def write_readme(scores: dict[str, Any]) -> None:
    """Write the model's page: what it is, how it was made, how good it is."""
    text = README.format(
        n=scores["n"],
        fitted_on=scores["fitted_on"],
        folds=len([f for f in scores["folds"] if f]),
        summary=report.summary(scores),
        held=report.summary(scores["held_out"]),
        table=report.table(scores),
        int8=scores["int8"],
        pairs=scores["contrast_pairs"],
        weak=report.weakest(scores),
    )
    (TARGET / "README.md").write_text(text, "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
