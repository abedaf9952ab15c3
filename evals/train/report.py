"""The written results of cross-validation: JSON, Markdown, and the model's README."""

import json
from pathlib import Path
from typing import Any

from evals import scorers

README = """# moves_v1: the local critic

Reads one reply in a conversation, with the last words before it, and says which of the twenty \
moves of prompts/rubric.yaml it makes, with the words that make them, and an overall score of 0 \
to 4. It claims; `agent.rubric.critique` admits.

| | |
|---|---|
| Base | all-MiniLM-L6-v2 (Apache-2.0), all layers fine-tuned |
| Heads | a logit per reply token and move; a logit per move (attention pooling, one query \
a move); four cumulative logits for overall |
| Data | evals/cases/replies, n = {n} replies (see its README), one labelling pass |
| Form | ONNX opset 17, int8 weights per channel; at most 320 tokens a window, longer replies in \
overlapping windows |
| Made by | `make train` (evals/train), seeds fixed |
| Numbers | config.json: calibration, thresholds, quoting rules; read by agent/decode.py |
| Licence | Apache-2.0 |

## Figures

Three-fold cross-validation grouped by conversation (a reply's conversation was never trained on), \
thresholds chosen on the other folds, n = {n}. The shipped model is fitted on all replies, so \
there is no held-out figure for it here.

{summary}

{table}

Bag of words on the same folds: micro-F1 {base_micro:.3f}, macro-F1 {base_macro:.3f}, qwk \
{base_qwk:.3f}.

int8 against float32, n = {int8[n]} replies: the findings agree at {int8[findings_jaccard]:.3f} \
(Jaccard), overall is the same in {int8[overall_same]:.3f}, presence logits differ by \
{int8[presence_gap]:.3f} on average.

## Known misses

- Weakest moves in cross-validation: {weak}.
- Contrast pairs (a small change that makes or unmakes a move): micro-F1 {pairs:.3f}, n = {pairs_n}.
- False praise is {praise:.3f} of the replies labelled 0 or 1 (n = {praise_n}).
- English only; other languages are read, and mostly find nothing. Overall is the weakest in the \
middle of the scale.
- With a long history only the last three turns and 72 tokens are seen.
"""


def plain(scores: dict[str, Any]) -> dict[str, Any]:
    """Return a report without what a critic with no quotes and no confidence cannot have."""
    return {k: v for k, v in scores.items() if k not in {"quote_f1", "possible", "ece", "ece_n"}}


def summary(cv: dict[str, Any]) -> str:
    """Return the figures for all moves as a Markdown table."""
    micro, overall, praise = cv["micro"], cv["overall"], cv["false_praise"]
    kappa = "not defined" if overall["qwk"] is None else f"{overall['qwk']:.3f}"
    rows = [
        (
            "micro precision / recall / F1",
            f"{micro['p']:.3f} / {micro['r']:.3f} / {micro['f1']:.3f}",
        ),
        ("macro-F1", f"{cv['macro_f1']:.3f}"),
        ("quote word F1", f"{cv['quote_f1']:.3f}"),
        ("overall: kappa (quadratic)", kappa),
        ("overall: exact / bias", f"{overall['exact']:.3f} / {overall['bias']:+.3f}"),
        ("false praise", f"{praise['rate']:.3f} (n = {praise['n']})"),
        ("possible: right", f"{cv['possible']['right']:.3f} (n = {cv['possible']['n']})"),
        ("calibration error (ECE)", f"{cv['ece']:.3f} (n = {cv['ece_n']})"),
    ]
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join([f"| n = {cv['n']} | |", "|---|---|", *lines])


def table(cv: dict[str, Any]) -> str:
    """Return the figures of each move as a Markdown table."""
    lines = [
        f"| `{move}` | {row['p']:.2f} | {row['r']:.2f} | {row['f1']:.2f} | {row['n']} |"
        for move, row in cv["moves"].items()
    ]
    return "\n".join(["| move | precision | recall | F1 | n |", "|---|---|---|---|---|", *lines])


def write(
    cv: dict[str, Any],
    crossed: list[scorers.Scored],
    cases: list[dict[str, Any]],
    model: Path,
    reports: Path,
) -> None:
    """Write critic_cv.json, critic_cv.md, and the README of the model."""
    reports.mkdir(parents=True, exist_ok=True)
    text = json.dumps(cv, indent=2, ensure_ascii=False) + "\n"
    (reports / "critic_cv.json").write_text(text, "utf-8")
    base = cv["baseline"]
    head = (
        "# The local critic in cross-validation\n\nWritten by `make train`. Three folds grouped by "
        "conversation; calibration and thresholds chosen on the other folds.\n"
    )
    tail = (
        f"\nBag of words on the same folds: micro-F1 {base['micro']['f1']:.3f}, macro-F1 "
        f"{base['macro_f1']:.3f}, kappa {base['overall']['qwk']:.3f}.\n"
    )
    body = f"{head}\n{summary(cv)}\n\n{table(cv)}\n{tail}"
    (reports / "critic_cv.md").write_text(body, "utf-8")
    pairs = [item for item, case in zip(crossed, cases, strict=True) if case["id"][0] in "EF"]
    weak = sorted(cv["moves"], key=lambda move: cv["moves"][move]["f1"])[:5]
    readme = README.format(
        n=cv["n"],
        summary=summary(cv),
        table=table(cv),
        base_micro=base["micro"]["f1"],
        base_macro=base["macro_f1"],
        base_qwk=base["overall"]["qwk"],
        int8=cv["int8"],
        weak=", ".join(f"`{move}` ({cv['moves'][move]['f1']:.2f})" for move in weak),
        pairs=scorers.move_scores(pairs, list(cv["moves"]))["micro"]["f1"],
        pairs_n=len(pairs),
        praise=cv["false_praise"]["rate"],
        praise_n=cv["false_praise"]["n"],
    )
    (model / "README.md").write_text(readme, "utf-8")
