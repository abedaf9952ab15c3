"""Replies as they might have been typed: with filler around them, a quote before them, typos.

Labels stay what they were; spans move with the words. Filler is in filler.yaml.
"""

import random
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FILLED, QUOTED, TYPED = 0.30, 0.07, 0.10  # shares of the replies of an epoch
QUOTES: Final = ("You said: “{}”", "“{}”", "As you put it, {}", "{}", "Your words: “{}” Well.")
_BETWEEN: Final = re.compile(r"(?<=[.!?…])\s+")

Span = tuple[str, int, int]


@dataclass(frozen=True)
class Example:
    """One reply with its history and the (move, start, end) of each quote."""

    history: tuple[tuple[str, str], ...]
    reply: str
    spans: tuple[Span, ...]


def example_of(case: dict[str, Any]) -> Example:
    """Return a labelled case (its first pass) as an example. Raises ValueError: not exact."""
    reply = case["reply"]
    spans = [
        (label["move"], at := reply.index(label["quote"]), at + len(label["quote"]))
        for label in case["labels"][0]["moves"]
    ]
    return Example(tuple((t["who"], t["text"]) for t in case["history"]), reply, tuple(spans))


def augmented(example: Example, rng: random.Random) -> Example:
    """Return the example, or at random one with filler, a quote of the other, or typos."""
    chance = rng.random()
    if chance < FILLED:
        return filled(example, rng)
    if chance < FILLED + QUOTED:
        words = [text for who, text in example.history if who == "counterpart"]
        return inserted(example, 0, rng.choice(QUOTES).format(words[-1]) + " ")
    if chance < FILLED + QUOTED + TYPED:
        return typed(example, rng)
    return example


def filled(example: Example, rng: random.Random) -> Example:
    """Return the example with one to three sentences of filler of one kind put in."""
    kind = rng.choice(sorted(bank()))
    text = " ".join(rng.sample(bank()[kind], rng.choice((1, 1, 2, 3))))
    inner = [m.end() for m in _BETWEEN.finditer(example.reply)]
    free = [a for a in inner if not any(start < a < end for _, start, end in example.spans)]
    at = rng.choice((0, len(example.reply), *free[:2]))
    return inserted(example, at, f" {text}" if at == len(example.reply) else f"{text} ")


def inserted(example: Example, at: int, text: str) -> Example:
    """Return the example with `text` put in at a place that is inside no span."""
    reply = example.reply[:at] + text + example.reply[at:]
    moved = [
        (move, start + len(text) * (start >= at), end + len(text) * (end > at))
        for move, start, end in example.spans
    ]
    return replace(example, reply=reply, spans=tuple(moved))


def typed(example: Example, rng: random.Random) -> Example:
    """Return the example with neighbouring letters swapped here and there."""
    letters = list(example.reply)
    for at in range(1, len(letters) - 2):
        if rng.random() < 0.02 and letters[at].isalpha() and letters[at + 1].isalpha():
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return replace(example, reply="".join(letters))


@cache
def bank() -> dict[str, list[str]]:
    """Return the filler sentences by kind."""
    found: dict[str, list[str]] = yaml.safe_load(
        Path(__file__).with_name("filler.yaml").read_text("utf-8")
    )
    return found
