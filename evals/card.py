"""Writes the tables of the data card: `python -m evals.card` (evals/cases/README.md)."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from evals import scorers

HERE: Final = Path(__file__).parent / "cases"
CARD: Final = HERE / "README.md"
SECOND: Final = HERE / "second.jsonl"
AGREEMENT: Final = ("<!-- agreement -->\n", "<!-- end of agreement -->\n")
BEGIN, END = "<!-- counts -->\n", "<!-- end of counts -->\n"


def load() -> dict[str, list[dict[str, Any]]]:
    """Return the replies of each file: those for training, then those held out."""
    files = [*sorted((HERE / "replies").glob("*.jsonl")), *sorted((HERE / "held").glob("*.jsonl"))]
    return {
        f.relative_to(HERE).as_posix(): [json.loads(x) for x in f.read_text("utf-8").splitlines()]
        for f in files
    }


def counts(sets: dict[str, list[dict[str, Any]]]) -> str:
    """Return the counts as Markdown tables."""
    lines = [
        "| file | replies | in `free` conversations | overall 0 / 1 / 2 / 3 / 4 |",
        "|---|---|---|---|",
    ]
    every = [row for rows in sets.values() for row in rows]
    for name, rows in (sets | {"all": every}).items():
        score = Counter(row["labels"][0]["overall"] for row in rows)
        free = sum(row["scenario"] == "free" for row in rows)
        scores = " / ".join(str(score[k]) for k in range(5))
        lines.append(f"| {name} | {len(rows)} | {free} | {scores} |")
    moves = Counter(m for row in every for m in {x["move"] for x in row["labels"][0]["moves"]})
    lines += ["", "| move | replies with it |", "|---|---|"]
    lines += [f"| `{move}` | {count} |" for move, count in moves.most_common()]
    bare = sum(not row["labels"][0]["moves"] for row in every)
    return "\n".join([*lines, f"| none | {bare} |", ""])


def agreement(sets: dict[str, list[dict[str, Any]]], second: list[dict[str, Any]]) -> str:
    """Return how far two independent passes over the same replies agree, as Markdown."""
    first = {row["id"]: row for rows in sets.values() for row in rows}
    pairs = [(first[row["id"]]["labels"][0], row["labels"][0]) for row in second]
    names = [({x["move"] for x in a["moves"]}, {x["move"] for x in b["moves"]}) for a, b in pairs]
    scores = [[a["overall"], b["overall"]] for a, b in pairs]
    kappa = scorers.qwk([a for a, _ in scores], [b for _, b in scores]) or 0.0
    same = sum(a == b for a, b in scores) / len(scores)
    rows = [(move, *_agree(names, {move})) for move in sorted({m for a, _ in names for m in a})]
    micro, n = _agree(names, {move for move, *_ in rows})
    lines = [
        f"Two passes over {len(pairs)} replies agree on moves at micro-F1 {micro:.2f} (n {n}), on "
        f"overall at quadratic kappa {kappa:.2f} (the same in {same:.2f}).",
        "",
        "| move | F1 between passes | named by one or both |",
        "|---|---|---|",
        *(f"| `{move}` | {f1:.2f} | {n} |" for move, f1, n in sorted(rows, key=lambda r: -r[1])),
    ]
    return "\n".join([*lines, ""])


def _agree(names: list[tuple[set[str], set[str]]], moves: set[str]) -> tuple[float, int]:
    both = sum(len(a & b & moves) for a, b in names)
    either = sum(len((a | b) & moves) for a, b in names)
    return 2 * both / max(1, both + either), either


def updated(card: str, table: str, begin: str = BEGIN, end: str = END) -> str:
    """Return the card with what stands between two marks replaced. Raises ValueError: no marks."""
    head, rest = card.split(begin)
    return head + begin + table + end + rest.split(end)[1]


def current(card: str) -> str:
    """Return the card as it should stand for the files as they are."""
    sets = load()
    second = [json.loads(line) for line in SECOND.read_text("utf-8").splitlines()]
    return updated(updated(card, counts(sets)), agreement(sets, second), *AGREEMENT)


def main() -> int:
    """Write the counts and the agreement into the card."""
    CARD.write_text(current(CARD.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
