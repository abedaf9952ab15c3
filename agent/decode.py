"""From the local critic's logits to findings: the one place, for training, evaluation and product.

Pure, and numpy only. Every threshold is data (`config.json` of the model), named in `Decoding`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

SENTENCE_BOUND: Final = re.compile(r"\n\s*|[.!?…]+[\"'”\u2019)]*(?:\s+|$)")
CLAUSE_BOUND: Final = re.compile(r"[\n()\u2014\u2013]+\s*|[.!?…;:,]+[\"'”\u2019)]*(?:\s+|$)|\s-\s")
TRAILING: Final = ",;:-(\u2013\u2014"
LEADING: Final = ",;:-)\u2013\u2014.!?…"
SHORT: Final = 4  # words: fewer make no quote of their own, but for a time or a condition
# what a time or a condition can stand on alone ("tonight", "the 6th"; not "before")
TELLING: Final = re.compile(r"\d|\b(?!before|after|until|about|these|those)[^\W\d_]{5,}")
LOOSE: Final = re.compile(r"(?:\s+(?:a|an|and|at|by|for|if|in|of|on|or|the|to|with))+\s*\Z")
GAP: Final = 3  # tokens under the threshold that do not end a run


@dataclass(frozen=True)
class Raw:
    """What the network says of one reply: logits, before any threshold.

    `offsets` (t, 2) into the reply, `tags` (t, moves), `presence` (moves,), `overall` (4,): the
    logits of overall > 0, > 1, > 2, > 3.
    """

    offsets: Ints
    tags: Floats
    presence: Floats
    overall: Floats


@dataclass(frozen=True)
class Decoding:
    """The numbers that turn logits into findings.

    `weights` (moves, 4): of presence logit, highest tag logit, overall logit, and 1 (Platt
    scaling on out-of-fold predictions). A move is found at a confidence of `upper`, possible at
    `lower`; where the predicted overall is `low` or less, a good move needs `upper_low` instead.
    `cuts` (4,): overall is the number of cumulative probabilities above their cut. `tag`: the
    token probability at which a token belongs to a quote. `widen` says, for each move, to what
    a quote is widened: nothing, clause or sentence.
    """

    labels: tuple[str, ...]
    weights: Floats
    upper: Floats
    upper_low: Floats
    lower: Floats
    low: int
    cuts: Floats
    tag: Floats
    widen: tuple[str, ...]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Decoding":
        """Return the numbers of a model's config.json. Raises KeyError, ValueError when wrong."""
        moves: dict[str, dict[str, Any]] = config["moves"]
        return cls(
            labels=tuple(moves),
            weights=np.array([move["calibration"] for move in moves.values()], dtype=float),
            upper=np.array([move["upper"] for move in moves.values()], dtype=float),
            upper_low=np.array([move["upper_low"] for move in moves.values()], dtype=float),
            lower=np.array([move["lower"] for move in moves.values()], dtype=float),
            low=int(config["low_overall"]),
            cuts=np.array(config["overall_cuts"], dtype=float),
            tag=np.array([move["tag"] for move in moves.values()], dtype=float),
            widen=tuple(move["widen"] for move in moves.values()),
        )


@dataclass(frozen=True)
class Found:
    """One move with one quote, `reply[start:end]`; `sure` when it is over the upper threshold."""

    move: str
    start: int
    end: int
    confidence: float
    sure: bool


def decode(reply: str, raw: Raw, numbers: Decoding) -> tuple[tuple[Found, ...], int]:
    """Return the findings of a reply in order of the text, and its overall score, 0-4."""
    overall = overall_of(raw, numbers)
    found: list[Found] = []
    if len(raw.offsets):
        confidence = confidence_of(raw, numbers)
        needed = numbers.upper_low if overall <= numbers.low else numbers.upper
        for index in np.flatnonzero(confidence >= np.minimum(numbers.lower, needed)):
            sure = bool(confidence[index] >= needed[index])
            value = round(float(confidence[index]), 4)
            found += [
                Found(numbers.labels[index], start, end, value, sure)
                for start, end in quotes(reply, raw, int(index), numbers)
            ]
    return tuple(sorted(found, key=lambda f: (f.start, f.end, f.move))), overall


def overall_of(raw: Raw, numbers: Decoding) -> int:
    """Return the overall score, 0-4, from the cumulative logits."""
    return int((sigmoid(raw.overall) > numbers.cuts).sum())


def confidence_of(raw: Raw, numbers: Decoding) -> Floats:
    """Return the calibrated probability of each move, (moves,)."""
    return sigmoid((features(raw) * numbers.weights).sum(axis=1))


def features(raw: Raw) -> Floats:
    """Return what the calibration weighs, (moves, 4)."""
    moves = len(raw.presence)
    highest = raw.tags.max(axis=0)
    level = np.full(moves, float(np.mean(raw.overall)))
    return np.stack([raw.presence, highest, level, np.ones(moves)], axis=1)


def sigmoid(x: Floats) -> Floats:
    """Return the logistic function."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))


def quotes(reply: str, raw: Raw, move: int, numbers: Decoding) -> list[tuple[int, int]]:
    """Return the quotes of a move as character spans: trimmed, apart, in order, at least one."""
    probability = sigmoid(raw.tags[:, move])
    peak = float(probability.max())
    over = probability >= min(float(numbers.tag[move]), peak / 2)
    spans = []
    for first, last in runs(over):
        if probability[first : last + 1].max() >= peak / 2:
            span = (int(raw.offsets[first][0]), int(raw.offsets[last][1]))
            parts = whole_parts(reply, words_of(reply, span))
            spans += [widened(reply, part, numbers.widen[move]) for part in parts]
    return [trimmed(reply, span) for span in united(spans)]


def whole_parts(reply: str, span: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the span cut at sentence bounds, without the few words of a sentence it only grazes.

    A part is kept when it holds SHORT words or half of its sentence; the longest is always kept.
    """
    cut = [
        (max(left, span[0]), min(right, span[1]), right - left)
        for left, right in clauses(reply, SENTENCE_BOUND)
        if left < span[1] and right > span[0]
    ]
    longest = max(cut, key=lambda part: part[1] - part[0])
    return [
        (start, end)
        for start, end, size in cut
        if (start, end, size) == longest
        or size <= 2 * (end - start)
        or len(reply[start:end].split()) >= SHORT
    ]


def runs(over: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs of true tokens as (first, last), small gaps closed."""
    found: list[tuple[int, int]] = []
    for index in np.flatnonzero(over):
        if found and index - found[-1][1] <= GAP:
            found[-1] = (found[-1][0], int(index))
        else:
            found.append((int(index), int(index)))
    return found


def words_of(reply: str, span: tuple[int, int]) -> tuple[int, int]:
    """Return the span widened to whole words."""
    start, end = span
    while start > 0 and reply[start - 1].isalnum() and reply[start].isalnum():
        start -= 1
    while end < len(reply) and reply[end - 1].isalnum() and reply[end].isalnum():
        end += 1
    return start, end


def widened(reply: str, span: tuple[int, int], to: str) -> tuple[int, int]:
    """Return the span with its first and last clause (or sentence) completed.

    An end is completed only where the span already holds half of that clause, so that a few words
    never bring in a whole reply; a span of less than SHORT words always gets its clause, for a
    word or two say nothing alone (of a time they do: "tonight").
    """
    start, end = span
    short = len(reply[start:end].split()) < SHORT
    if to == "nothing":
        short = short and not TELLING.search(reply[start:end])
        if not short:
            return span
    parts = clauses(reply, SENTENCE_BOUND if to == "sentence" and not short else CLAUSE_BOUND)
    for left, right in parts:
        share = min(right, span[1]) - max(left, span[0])
        if share > 0 and (short or share * 2 >= right - left):
            start, end = min(start, left), max(end, right)
    return start, end


def clauses(reply: str, bound: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return the reply cut after every bound, as spans without gaps."""
    ends = [match.end() for match in bound.finditer(reply)]
    marks = sorted({0, *ends, len(reply)})
    return list(pairwise(marks))


def united(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, those that touch or overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def trimmed(reply: str, span: tuple[int, int]) -> tuple[int, int]:
    """Return the span without white space, a comma, a dash or a loose small word at its ends."""
    start, end = span
    loose = LOOSE.search(reply, start, end)
    if loose and loose.start() > start:
        end = loose.start()
    while start < end - 1 and (reply[start].isspace() or reply[start] in LEADING):
        start += 1
    while end - 1 > start and (reply[end - 1].isspace() or reply[end - 1] in TRAILING):
        end -= 1
    return start, end


def merged(offsets: Ints, parts: Sequence[tuple[tuple[int, int], Floats, Floats, Floats]]) -> Raw:
    """Return one `Raw` from the windows of a reply: (span, tags, presence, overall) each.

    A token read twice keeps the reading farther from a window's edge; a move is as present as in
    the window where it is most; `overall` is weighted by tokens.
    """
    if len(parts) == 1:
        return Raw(offsets, *parts[0][1:])
    tags = np.zeros((len(offsets), parts[0][1].shape[1]))
    room = np.full(len(offsets), -1)
    for (first, last), part, _, _ in parts:
        distance = np.minimum(np.arange(last - first), np.arange(last - first)[::-1])
        better = distance > room[first:last]
        tags[first:last][better] = part[better]
        room[first:last][better] = distance[better]
    sizes = np.array([last - first for (first, last), *_ in parts])
    presence = np.max([part[2] for part in parts], axis=0)
    overall = np.average([part[3] for part in parts], axis=0, weights=sizes)
    return Raw(offsets, tags, presence, overall)
