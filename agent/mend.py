"""What in a reply comes near a move without being it, and the sentence mended. Pure.

Mending reuses the learner's own sentence and invents nothing: where a fact is wanted it leaves a
gap that says what belongs there.
"""

import re
from collections.abc import Iterable
from typing import Final

from agent.domain import Value
from prompts import Near, fill

_SENTENCE: Final = re.compile(r"[^.!?…\n]*(?:[.!?…](?!\s|$)[^.!?…\n]*)*[.!?…]*")
LONGEST: Final = 240  # characters of a mended sentence; longer ones are not shown


class NearMiss(Value):
    """What was said instead of the move (`said`), what to say of it, and the sentence mended."""

    said: str
    missed: str
    mended: str | None = None


def near_miss(
    reply: str, near: Iterable[Near], within: tuple[int, int] | None = None
) -> NearMiss | None:
    """Return the first near miss of the list in the reply (or `within` a span of it), or None."""
    start, end = within or (0, len(reply))
    for kind in near:
        found = re.compile(kind.said, re.IGNORECASE).search(reply, start, end)
        if found:
            said = shown(found[0])
            mended = mend(reply, found, kind.instead) if kind.instead else None
            return NearMiss(said=said, missed=fill(kind.missed, {"said": said}), mended=mended)
    return None


def mend(reply: str, found: re.Match[str], instead: str) -> str | None:
    """Return the sentence around `found` with `instead` in its place; None when it is too long."""
    around = next(
        m
        for m in _SENTENCE.finditer(reply)
        if m.start() <= found.start() and found.end() <= m.end()
    )
    before = reply[around.start() : found.start()].lstrip()
    text = before + found.expand(instead) + reply[found.end() : around.end()]
    text = " ".join(text.split())
    return text[0].upper() + text[1:] if len(text) <= LONGEST else None


def shown(text: str) -> str:
    """Return the words of a quote without what frames them, on one line."""
    return " ".join(text.split()).strip(" .,;:")
