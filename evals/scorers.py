"""Scorers of the critic: pure, numpy only. One set of rules for cross-validation and command.

A move is gold when more than half of the passes have it (their quotes pooled); overall is the
median of the passes, a half rounded down.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

WORD: Final = re.compile(r"\w+(?:['\u2019]\w+)*")
LEVELS: Final = 5
BINS: Final = 10

Span = tuple[int, int]


@dataclass(frozen=True)
class Reader:
    """What a critic or the labellers read in one reply: overall, and the quotes of each move."""

    overall: int
    moves: Mapping[str, tuple[Span, ...]]


@dataclass(frozen=True)
class Scored:
    """One reply with what is gold and what was found.

    `possible`: moves under the finding threshold. `confidence`: (confidence, move) of every claim,
    found or possible.
    """

    reply: str
    gold: Reader
    found: Reader
    possible: tuple[str, ...] = ()
    confidence: tuple[tuple[float, str], ...] = ()


def gold_of(case: Mapping[str, Any]) -> Reader:
    """Return the gold reading of a labelled case (the replies' JSONL form)."""
    labels = case["labels"]
    votes = Counter(m for label in labels for m in {x["move"] for x in label["moves"]})
    moves: dict[str, tuple[Span, ...]] = {}
    for move in sorted(m for m, count in votes.items() if count * 2 > len(labels)):
        quotes = {x["quote"] for label in labels for x in label["moves"] if x["move"] == move}
        moves[move] = tuple(sorted(span_of(case["reply"], quote) for quote in quotes))
    return Reader(median_down([label["overall"] for label in labels]), moves)


def span_of(reply: str, quote: str) -> Span:
    """Return where a quote stands. Raises ValueError when it is not in the reply."""
    start = reply.index(quote)
    return start, start + len(quote)


def median_down(values: Sequence[int]) -> int:
    """Return the median, a half rounded down."""
    return int(np.floor(np.median(values)))


def ratio(part: float, whole: float) -> float:
    """Return part / whole, 0 where there is nothing."""
    return float(part / whole) if whole else 0.0


def prf(true: int, found: int, gold: int) -> dict[str, float]:
    """Return precision, recall and F1 from counts."""
    p, r = ratio(true, found), ratio(true, gold)
    return {"p": p, "r": r, "f1": ratio(2 * p * r, p + r)}


def move_scores(items: Sequence[Scored], moves: Iterable[str]) -> dict[str, Any]:
    """Return `moves` (p, r, f1, n of gold), `micro`, and `macro_f1` over moves that have gold."""
    table: dict[str, dict[str, float]] = {}
    totals = np.zeros(3, dtype=int)
    for move in moves:
        true = sum(move in i.gold.moves and move in i.found.moves for i in items)
        found = sum(move in i.found.moves for i in items)
        gold = sum(move in i.gold.moves for i in items)
        totals += (true, found, gold)
        table[move] = prf(true, found, gold) | {"n": gold}
    seen = [row["f1"] for row in table.values() if row["n"]]
    micro = prf(*(int(x) for x in totals))
    return {"micro": micro, "macro_f1": ratio(sum(seen), len(seen)), "moves": table}


def words_in(reply: str, spans: Iterable[Span]) -> set[int]:
    """Return the indices of the words of a reply that lie, in part at least, in the spans."""
    kept = list(spans)
    return {
        index
        for index, word in enumerate(WORD.finditer(reply))
        if any(word.start() < end and word.end() > start for start, end in kept)
    }


def quote_f1(items: Sequence[Scored]) -> float:
    """Return the mean word F1 of the quotes of moves that both gold and critic have."""
    scores = []
    for item in items:
        for move in item.gold.moves.keys() & item.found.moves.keys():
            gold = words_in(item.reply, item.gold.moves[move])
            found = words_in(item.reply, item.found.moves[move])
            scores.append(ratio(2 * len(gold & found), len(gold) + len(found)))
    return ratio(sum(scores), len(scores))


def qwk(gold: Sequence[int], found: Sequence[int]) -> float | None:
    """Return the quadratic weighted kappa of scores 0-4 (Cohen 1968).

    None where it is not defined: no items, or both constant and equal.
    """
    if not gold:
        return None
    table = np.zeros((LEVELS, LEVELS))
    np.add.at(table, (np.array(gold), np.array(found)), 1)
    grid = np.arange(LEVELS)
    weight = (grid[:, None] - grid[None]) ** 2
    chance = np.outer(table.sum(1), table.sum(0)) / table.sum()
    expected = float((weight * chance).sum())
    return 1 - float((weight * table).sum()) / expected if expected else None


def overall_scores(items: Sequence[Scored]) -> dict[str, Any]:
    """Return qwk, the share that is exact, and bias: the mean of found minus gold."""
    gold, found = [i.gold.overall for i in items], [i.found.overall for i in items]
    difference = np.array(found, dtype=float) - np.array(gold, dtype=float)
    return {
        "qwk": qwk(gold, found),
        "exact": ratio(float((difference == 0).sum()), len(items)),
        "bias": ratio(float(difference.sum()), len(items)),
        "n": len(items),
    }


def false_praise(items: Sequence[Scored], good: frozenset[str]) -> dict[str, Any]:
    """Return the share of replies labelled 0 or 1 with a good move found that gold lacks."""
    weak = [i for i in items if i.gold.overall <= 1]
    praised = sum(bool((i.found.moves.keys() - i.gold.moves.keys()) & good) for i in weak)
    return {"rate": ratio(praised, len(weak)), "n": len(weak)}


def possible_scores(items: Sequence[Scored]) -> dict[str, Any]:
    """Return how many possible moves there are, and the share of them that are gold."""
    right = [move in i.gold.moves for i in items for move in i.possible]
    return {"n": len(right), "right": ratio(sum(right), len(right))}


def ece(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the expected calibration error of (confidence, right) over ten equal bins."""
    if not pairs:
        return 0.0
    confidence = np.array([c for c, _ in pairs])
    right = np.array([float(r) for _, r in pairs])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).sum()
        for b in np.unique(bins)
    ]
    return float(sum(gaps) / len(pairs))


def critic_scores(
    items: Sequence[Scored], moves: Sequence[str], good: frozenset[str]
) -> dict[str, Any]:
    """Return the critic's report, with the keys of the evaluation's format."""
    claims = [(c, move in i.gold.moves) for i in items for c, move in i.confidence]
    return {
        "n": len(items),
        **move_scores(items, moves),
        "quote_f1": quote_f1(items),
        "overall": overall_scores(items),
        "false_praise": false_praise(items, good),
        "possible": possible_scores(items),
        "ece": ece(claims),
        "ece_n": len(claims),
    }
