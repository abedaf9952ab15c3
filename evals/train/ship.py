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
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from agent import decode, windows
from agent.encoder import MODELS
from agent.local_critic import LocalCritic
from evals import scorers
from evals.train import choose, data, export, moves, network
from evals.train.base import BUILD, ROOT

REPORT = ROOT / "evals" / "reports" / "critic_cv.json"
TARGET = MODELS / "moves_v1"
GOLDEN = 14
README_ROWS = "| {move} | {p:.2f} | {r:.2f} | {f1:.2f} | {n} |"


def main() -> int:
    """Write the report, the model folder and its golden outputs."""
    torch.set_num_threads(1)
    cases, _, _ = moves.prepare()
    by_case = data.folds_of(cases)
    folds = np.array([by_case[i] for i in range(len(cases))])
    raws = out_of_fold(cases)
    items = choose.cross_fitted(cases, raws, folds)
    report = scorers.critic_scores(items, data.MOVES, choose.GOOD)
    report |= {"critic": TARGET.name, "folds": 3, "bag_of_words": bag_of_words(cases, folds)}
    REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    write_model(choose.choose(cases, raws))
    write_golden(cases)
    write_readme(report)
    print(json.dumps({k: v for k, v in report.items() if k != "moves"}))
    return 0


def out_of_fold(cases: list[dict[str, Any]]) -> list[decode.Raw]:
    """Return the logits of each case from the network that had not seen its group."""
    parts: dict[int, list[dict[str, np.ndarray]]] = {}
    for fold in range(3):
        parts |= pickle.loads((BUILD / f"fold{fold}.pkl").read_bytes())
    tokenizer = data.load_tokenizer()
    raws = []
    for i, case in enumerate(cases):
        history = [(turn["who"], turn["text"]) for turn in case["history"]]
        tokens = windows.tokenize(tokenizer, history, case["reply"])
        pieces = [(tuple(p["span"]), p["tags"], p["presence"], p["overall"]) for p in parts[i]]
        raws.append(decode.merged(tokens.offsets, pieces))
    return raws


def write_model(numbers: dict[str, Any]) -> None:
    """Export the final network and write its numbers beside it."""
    net = network.CriticNet()
    net.load_state_dict(torch.load(BUILD / "final.pt"))
    TARGET.mkdir(parents=True, exist_ok=True)
    outputs = {
        "tags": {0: "batch", 1: "tokens"},
        "presence": {0: "batch"},
        "overall": {0: "batch"},
    }
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    export.to_int8(net, TARGET / "model.onnx", inputs, outputs)
    shutil.copy(MODELS / "minilm_v1" / "tokenizer.json", TARGET / "tokenizer.json")
    export.write_config(TARGET, numbers)


def write_golden(cases: list[dict[str, Any]]) -> None:
    """Keep what the shipped model says of replies spread over the data."""
    critic = LocalCritic(TARGET)
    rows = []
    for case in cases[:: len(cases) // GOLDEN][:GOLDEN]:
        reading = critic.read(case["history"], case["reply"]).model_dump(mode="json")
        rows.append({k: case[k] for k in ("id", "history", "reply")} | {"reading": reading})
    text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    (TARGET / "golden.json").write_text(text, "utf-8")


def bag_of_words(cases: list[dict[str, Any]], folds: np.ndarray) -> dict[str, Any]:
    """Return micro and macro F1 of a bag of words (1- and 2-grams) on the same folds."""
    texts = [case["reply"] for case in cases]
    gold = np.array([[m in scorers.gold_of(c).moves for m in data.MOVES] for c in cases])
    found = np.zeros_like(gold)
    for fold in np.unique(folds):
        inside = folds != fold
        vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        x = vectors.fit_transform([t for t, use in zip(texts, inside, strict=True) if use])
        y = vectors.transform([t for t, use in zip(texts, inside, strict=True) if not use])
        for m in range(len(data.MOVES)):
            model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000)
            found[~inside, m] = model.fit(x, gold[inside, m]).predict(y)
    rows = [
        scorers.prf(
            int((found[:, m] & gold[:, m]).sum()), int(found[:, m].sum()), int(gold[:, m].sum())
        )
        for m in range(len(data.MOVES))
    ]
    micro = scorers.prf(int((found & gold).sum()), int(found.sum()), int(gold.sum()))
    return {"micro": micro, "macro_f1": round(float(np.mean([r["f1"] for r in rows])), 4)}


def write_readme(report: dict[str, Any]) -> None:
    """Write the model's page: what it is, how it was made, how good it is."""
    rows = "\n".join(README_ROWS.format(move=m, **v) for m, v in report["moves"].items())
    micro, bag = report["micro"], report["bag_of_words"]
    text = f"""# moves_v1: the local critic

A token-level model on all-MiniLM-L6-v2 (Apache-2.0) that reads a reply with the turns before it:
20 moves for each token (the quotes), 20 for the reply (whether), and an ordinal head for `overall`.
Int8 ONNX, per channel; numpy turns logits into claims (`agent/decode.py`), every number is in
`config.json`. Made by `make train` from `evals/cases/replies/` ({report["n"]} replies, fixed seeds).

Cross-validation in three folds grouped by conversation, thresholds chosen on the other folds:
micro-F1 {micro["f1"]:.2f} (precision {micro["p"]:.2f}, recall {micro["r"]:.2f}), macro-F1
{report["macro_f1"]:.2f}, quote F1 {report["quote_f1"]:.2f}, overall quadratic kappa
{report["overall"]["qwk"]:.2f} with mean signed error {report["overall"]["bias"]:+.2f}, false praise
{report["false_praise"]["rate"]:.2f} (n {report["false_praise"]["n"]}). A bag of words on the same folds:
micro-F1 {bag["micro"]["f1"]:.2f}, macro-F1 {bag["macro_f1"]:.2f}. The network that is shipped was fitted on
all replies with the same settings.

| move | precision | recall | F1 | n |
|---|---|---|---|---|
{rows}

Known misses: a salad of dates and speech-act words with no content can read as a promise with
terms; orders to the scorer can read as a request (the counterpart ignores them).
"""
    (TARGET / "README.md").write_text(text, "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
