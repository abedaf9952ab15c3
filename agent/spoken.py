"""What a model may say as the other person: each sentence is checked before it is shown. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from agent.domain import Brief
from agent.words import plain
from prompts.spoken import Spoken, never_said

_FIGURE: Final = re.compile(r"\d{2,}")
_OPEN, _CLOSE = '"“', '"”'
SHORT: Final = 4  # words of a sentence that may be said again ("I don't know.")


class Unfit(Exception):
    """A sentence that is not shown; the message says what is wrong with it."""


def sentences(pieces: Iterable[str], longest: int) -> Iterator[str]:
    """Yield each sentence once the next has begun, and what is left in the end.

    What goes on for more than `longest` characters is given as it is.
    """
    from sentencex import segment

    held = ""
    for piece in pieces:
        held += piece
        *whole, held = list(segment("en", held)) or [""]
        yield from (sentence for sentence in whole if sentence.strip())
        if len(held) > longest:
            break
    if held.strip():
        yield held


class Mouth:
    """The words of one attempt. `known` is all that was told: a figure must be from there."""

    def __init__(self, brief: Brief, spoken: Spoken, known: str) -> None:
        self._spoken = spoken
        self._names = {brief.persona.name, brief.persona.name.split()[0]}
        outcome = brief.cues[0].split(".")[0]
        barred = [rule for rule in spoken.decided if outcome not in rule.only]
        self._rules = (*spoken.rules, *barred, never_said(brief.persona))
        self._figures = set(_FIGURE.findall(known))
        own = " ".join(text for who, text in brief.history if who == "counterpart")
        self._earlier = {plain(sentence) for sentence in sentences([own], len(own))}
        self._said: list[str] = []
        self._quoted = False

    @property
    def words(self) -> str:
        """All that was said so far."""
        return " ".join(self._said)

    def say(self, sentence: str) -> str:
        """Take one sentence and return all words so far. Raises Unfit."""
        raw = self._bare(sentence)
        if wrong := next(self._wrong(raw), None):
            raise Unfit(wrong)
        self._said.append(" ".join(raw.split()))
        return self.words

    def _bare(self, sentence: str) -> str:
        """Return a sentence without the person's own name before it, or the quotes around all."""
        if not self._said:
            names = "|".join(map(re.escape, self._names))
            sentence = re.sub(rf"^\s*(?:{names})\s*:\s*", "", sentence)
            opened = sentence.lstrip()[:1]
            self._quoted = bool(opened) and opened in _OPEN and _open_ended(sentence)
            sentence = sentence.lstrip()[1:] if self._quoted else sentence
        ended = sentence.rstrip()
        return ended[:-1] if self._quoted and ended[-1:] in tuple(_CLOSE) else sentence

    def _wrong(self, sentence: str) -> Iterator[str]:
        """Yield what is wrong with a sentence."""
        most, longest = self._spoken.most_sentences, self._spoken.most_characters
        if len(self._said) == most:
            yield f"more than {most} sentences"
        if len(self.words) + len(sentence) > longest:
            yield f"more than {longest} characters"
        for rule in self._rules:
            if found := rule.found_in(sentence):
                yield f"{rule.name}: “{found[0]}”"
        if not any(c.isalnum() or c == "…" for c in sentence):
            yield "no words"
        if made_up := set(_FIGURE.findall(sentence)) - self._figures:
            yield f"a figure that nobody gave: {min(made_up)}"
        if len(sentence.split()) > SHORT and plain(sentence) in self._earlier:
            yield "said before"


def _open_ended(sentence: str) -> bool:
    """Whether the quote that a sentence begins with is closed at its very end, or not at all."""
    rest = sentence.strip()[1:]
    return not any(mark in rest[:-1] for mark in _CLOSE)
