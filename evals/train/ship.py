"""Makes the shipped critic and its reports from the steps of `evals.train.moves`.

Writes agent/models/moves_v1/ (int8 model, tokenizer, numbers, golden outputs, README) and
evals/reports/critic_cv.{json,md}. Repeatable; takes about two minutes.
"""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent import decode, windows
from agent.local_critic import LocalCritic
from evals import scorers
from evals.train import baseline, choose, data, export, network, report
from evals.train.base import BUILD, ROOT, SHA256

TARGET = ROOT / "agent" / "models" / "moves_v1"
REPORTS = ROOT / "evals" / "reports"
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUTS = {"tags": {0: "batch", 1: "tokens"}, "presence": {0: "batch"}, "overall": {0: "batch"}}
GOLDEN_STEP = 117  # every so many of the cases: twelve or thirteen replies
PARITY_STEP = 7


def out_of_fold(cases: list[dict[str, Any]], build: Path = BUILD) -> list[decode.Raw]:
    """Return each case's logits from the network that did not see its fold."""
    raw: dict[int, list[dict[str, np.ndarray]]] = {}
    for path in sorted(build.glob("fold*.pkl")):
        raw |= pickle.loads(path.read_bytes())  # noqa: S301 (our own build folder)
    tokenizer = data.load_tokenizer()
    return [assembled(tokenizer, case, raw[i]) for i, case in enumerate(cases)]


def assembled(
    tokenizer: Any, case: dict[str, Any], parts: list[dict[str, np.ndarray]]
) -> decode.Raw:
    """Return one reply's logits from those of its windows."""
    tokens = windows.tokenize(tokenizer, data.turns(case), case["reply"])
    spans = [(int(p["span"][0]), int(p["span"][1])) for p in parts]
    rows = [
        (span, p["tags"], p["presence"], p["overall"]) for span, p in zip(spans, parts, strict=True)
    ]
    return decode.merged(tokens.offsets, rows)


def load_final() -> network.CriticNet:
    """Return the network fitted on all replies."""
    net = network.CriticNet()
    net.load_state_dict(torch.load(BUILD / "final.pt", weights_only=True))
    return net.eval()


def ship_model(net: network.CriticNet, numbers: dict[str, Any]) -> None:
    """Write model, tokenizer and config."""
    TARGET.mkdir(parents=True, exist_ok=True)
    export.to_int8(net, TARGET / "model.onnx", INPUTS, OUTPUTS, reduce_range=True)
    (TARGET / "tokenizer.json").write_text(data.load_tokenizer().to_str(), "utf-8")
    limits = {"max_tokens": windows.MAX_TOKENS, "max_history_tokens": windows.MAX_HISTORY}
    base = {"base": "sentence-transformers/all-MiniLM-L6-v2", "base_sha256": SHA256}
    export.write_config(TARGET, {"name": TARGET.name, **base, **limits, **numbers})


def golden(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return some cases with the exact reading of the shipped model, and write them beside it."""
    critic, rows = LocalCritic(TARGET), []
    for case in cases[::GOLDEN_STEP]:
        reading = critic.read(case["history"], case["reply"]).model_dump(mode="json")
        rows.append({k: case[k] for k in ("id", "history", "reply")} | {"reading": reading})
    text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    (TARGET / "golden.json").write_text(text, "utf-8")
    return rows


@torch.no_grad()
def parity(net: network.CriticNet, cases: list[dict[str, Any]]) -> dict[str, float]:
    """Return how far the int8 model is from the float32 one on every seventh case."""
    critic = LocalCritic(TARGET)
    config = json.loads((TARGET / "config.json").read_text("utf-8"))
    numbers = decode.Decoding.from_config(config)
    tokenizer, gaps, same, both, either = data.load_tokenizer(), [], [], 0, 0
    for index, case in enumerate(cases[::PARITY_STEP]):
        items = data.windows_of(tokenizer, case, index)
        full = assembled(tokenizer, case, network.predict(net, items)[index])
        small = critic.raw(case["history"], case["reply"])
        assert small is not None  # noqa: S101 (labelled replies have words)
        gaps.append(float(np.abs(full.presence - small.presence).mean()))
        (a, x), (b, y) = (decode.decode(case["reply"], raw, numbers) for raw in (full, small))
        left, right = ({f.move for f in found if f.sure} for found in (a, b))
        both, either = both + len(left & right), either + len(left | right)
        same.append(x == y)
    return {
        "n": len(same),
        "presence_gap": float(np.mean(gaps)),
        "findings_jaccard": both / max(1, either),
        "overall_same": float(np.mean(same)),
    }


def main() -> int:
    """Choose the numbers, export, compare, and write every report."""
    torch.set_num_threads(1)
    cases = data.load_cases()
    folds, raws = data.folds_of(cases), out_of_fold(cases)
    net = load_final()
    ship_model(net, choose.choose(cases, raws))
    golden(cases)
    crossed = choose.cross_fitted(cases, raws, folds)
    cv = scorers.critic_scores(crossed, data.MOVES, choose.GOOD)
    cv["baseline"] = report.plain(
        scorers.critic_scores(baseline.scored(cases, folds), data.MOVES, choose.GOOD)
    )
    cv["folds"] = [int((folds == fold).sum()) for fold in np.unique(folds)]
    cv["int8"] = parity(net, cases)
    report.write(cv, crossed, cases, TARGET, REPORTS)
    print(json.dumps(cv["micro"] | {"macro_f1": cv["macro_f1"]} | cv["int8"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
