"""The written results of cross-validation: JSON and Markdown."""

import json
from pathlib import Path
from typing import Any


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


def short(scores: dict[str, Any]) -> dict[str, Any]:
    """Return the few figures by which two models are compared."""
    return {
        "n": scores["n"],
        "micro_f1": scores["micro"]["f1"],
        "macro_f1": scores["macro_f1"],
        "qwk": scores["overall"]["qwk"],
        "false_praise": scores["false_praise"]["rate"],
    }


def curve(rows: list[dict[str, Any]]) -> str:
    """Return the figures of networks fitted on less as a Markdown table."""
    names = ("micro_f1", "macro_f1", "qwk", "false_praise")
    lines = [
        f"| {row['name'].replace('_', ' ')} | {row['fitted_on']} | "
        + " | ".join(f"{row[name]:.3f}" for name in names)
        + " |"
        for row in rows
    ]
    head = "| fitted on | replies | micro-F1 | macro-F1 | overall kappa | false praise |"
    return "\n".join([head, "|---" * 6 + "|", *lines])


def compared(baselines: dict[str, Any]) -> str:
    """Return the figures of the plainer models as a Markdown table."""
    lines = [
        f"| {name.replace('_', ' ')} | {row['micro']['f1']:.3f} | {row['macro_f1']:.3f} |"
        for name, row in baselines.items()
    ]
    return "\n".join(["| plainer model | micro-F1 | macro-F1 |", "|---|---|---|", *lines])


def weakest(scores: dict[str, Any]) -> str:
    """Return the five moves with the lowest F1, as text."""
    worst = sorted(scores["moves"], key=lambda move: scores["moves"][move]["f1"])[:5]
    return ", ".join(f"`{move}` ({scores['moves'][move]['f1']:.2f})" for move in worst)


def write(scores: dict[str, Any], reports: Path) -> None:
    """Write critic_cv.json and critic_cv.md."""
    reports.mkdir(parents=True, exist_ok=True)
    text = json.dumps(scores, indent=2, ensure_ascii=False) + "\n"
    (reports / "critic_cv.json").write_text(text, "utf-8")
    body = f"""# The local critic in cross-validation

Written by `make train`. {len(scores["folds"])} of three folds grouped by conversation, each read by
a network fitted on the other two; calibration and thresholds chosen on the other folds (where one
fold was read: on the other half of it, grouped too).

{summary(scores)}

{table(scores)}

The shipped network, fitted on all {scores["fitted_on"]} replies, on those of `evals/cases/held/`,
by another hand, in conversations it never saw, on which nothing was chosen:

{summary(scores["held_out"])}

On the same folds as above:

{compared(scores["baselines"])}

Fitted on less, all read on fold 0 (`fold0`: on all of the other two folds, `no pairs`: without the
contrast pairs, which stay in what is read):

{curve(scores["less_data"])}
"""
    (reports / "critic_cv.md").write_text(body, "utf-8")
