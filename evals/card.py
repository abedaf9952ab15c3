"""Writes the counts of the data card: `python -m evals.card` (evals/cases/README.md)."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent / "cases"
CARD: Final = HERE / "README.md"
BEGIN, END = "<!-- counts -->\n", "<!-- end of counts -->\n"


def load() -> dict[str, list[dict[str, Any]]]:
    """Return the replies of each file."""
    files = sorted((HERE / "replies").glob("*.jsonl"))
    return {f.name: [json.loads(x) for x in f.read_text("utf-8").splitlines()] for f in files}


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


def updated(card: str, table: str) -> str:
    """Return the card with its counts replaced. Raises ValueError without the two marks."""
    head, rest = card.split(BEGIN)
    return head + BEGIN + table + END + rest.split(END)[1]


def main() -> int:
    """Write the counts into the card."""
    CARD.write_text(updated(CARD.read_text("utf-8"), counts(load())), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
