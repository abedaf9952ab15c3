"""Lines that give a later stage away, and lines too alike. Pure but for the vectors it is given.

Thresholds were set on the shipped files and on leaks planted in them (tests/test_lint.py).
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.process import cdist

from agent.domain import Scenario
from agent.words import content_words, word_list
from prompts.reach import moment
from prompts.remarks import Encode, Remark, Said, all_said, error, warning

LEAK: Final = 0.75  # cosine of the nearest sentences + `PER_WORD` for each rare word shared
SURE_LEAK: Final = 1.0
PER_WORD: Final = 0.15
PUBLIC: Final = 0.5  # worth of a word that the situation has too
ALIKE: Final = 0.82  # cosine of two lines
ALIKE_LETTERS: Final = 75  # percent of their letters, words in order or sorted
SAME_LETTERS: Final = 90
ALIKE_OPENINGS: Final = 0.55
ALIKE_OPENINGS_LETTERS: Final = 65
ENDINGS: Final = ("accept", "counter", "decline", "walk_out")
_SENTENCE: Final = re.compile(r"[^.!?]+[.!?]*")
_SLOT: Final = re.compile(r"\{[^{}]*\}")
SHORTEST: Final = 5  # words of a sentence that says enough to be compared on its own


class Vectors:
    """The vectors of texts and of their sentences, each text encoded once."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._known: dict[str, npt.NDArray[Any]] = {}

    def of(self, texts: Sequence[str]) -> npt.NDArray[Any]:
        """Return (n, dimension) vectors of length 1."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= dict(zip(new, self._encode(new), strict=True))
        return np.array([self._known[text] for text in texts])

    def sentences(self, text: str) -> npt.NDArray[Any]:
        """Return the vectors of a text and of its sentences."""
        parts = (part.strip() for part in _SENTENCE.findall(text))
        return self.of(list(dict.fromkeys([text, *(p for p in parts if _long_enough(p))])))


def _long_enough(sentence: str) -> bool:
    return len(word_list(sentence)) >= SHORTEST


# --- leaks -------------------------------------------------------------------------------------


class Secret(NamedTuple):
    """What a stage holds back: its number, its texts, and the words in them."""

    stage: int
    texts: tuple[str, ...]
    words: frozenset[str]


def leaks(scenario: Scenario, vectors: Vectors) -> Iterator[Remark]:
    """Yield what may be said before a stage is out and comes near what the stage holds."""
    said = all_said(scenario)
    first = {s.place: _first_stage(s, scenario) for s in said}
    public = _public(scenario)
    for secret in _secrets(scenario):
        before = [s for s in said if first[s.place] < secret.stage]
        if not before:
            continue
        held = np.vstack([vectors.sentences(text) for text in secret.texts])
        known = {s.place: content_words(s.say) for s in before}
        for one in before:
            near = float((vectors.sentences(_SLOT.sub("", one.say)) @ held.T).max())
            shared = known[one.place] & secret.words
            rare = {word: _rarity(word, one.place, known, public) for word in shared}
            score = near + PER_WORD * sum(rare.values())
            if score >= LEAK:
                yield _leak(one, secret, score, rare, scenario)


def _first_stage(said: Said, scenario: Scenario) -> int:
    """Return the least number of stages that are out when something is said."""
    if said.cue.startswith("reveal."):
        return int(said.cue.removeprefix("reveal."))
    return max(said.since, 0 if said.cue == "fact" else moment(said.cue, scenario).first)


def _secrets(scenario: Scenario) -> Iterator[Secret]:
    for number, stage in enumerate(scenario.concern, start=1):
        texts = (stage.knows, *(line.say for line in scenario.lines_on(f"reveal.{number}")))
        yield Secret(number, texts, frozenset[str]().union(*map(content_words, texts)))


def _public(scenario: Scenario) -> frozenset[str]:
    persona = scenario.persona
    texts = (scenario.title, scenario.purpose, scenario.situation, persona.name, persona.role)
    return frozenset[str]().union(*map(content_words, texts))


def _rarity(
    word: str, place: str, known: dict[str, frozenset[str]], public: frozenset[str]
) -> float:
    """Return 1 for a word that nothing else said so early has, less for each that has it."""
    others = sum(1 for other, words in known.items() if other != place and word in words)
    return (PUBLIC if word in public else 1.0) / (1 + others)


def _leak(
    said: Said, secret: Secret, score: float, rare: dict[str, float], scenario: Scenario
) -> Remark:
    name = scenario.concern[secret.stage - 1].name
    words = [word for word, worth in sorted(rare.items(), key=lambda r: -r[1]) if worth >= 0.2]
    shared = f" (shared: {', '.join(words[:5])})" if words else ""
    reason = f"may give away stage {secret.stage}, “{name}”, before it is out{shared}"
    return (error if score >= SURE_LEAK else warning)(said.place, f"{reason}; {score:.2f}")


# --- too alike ---------------------------------------------------------------------------------


def alike(scenario: Scenario, vectors: Vectors) -> Iterator[Remark]:
    """Yield pairs that say nearly the same and can both be said in one conversation."""
    said = [s for s in all_said(scenario) if s.cue != "opening"]
    if not said:
        return
    texts = [_SLOT.sub("", s.say).strip() for s in said]
    near = vectors.of(texts)
    cosines = near @ near.T
    letters = _letters(texts)
    for i, j in np.argwhere(np.triu((letters >= ALIKE_LETTERS) | (cosines >= ALIKE), 1)):
        one, other = said[i], said[j]
        if _together(one, other):
            reason = f"nearly the same as {one.place}: “{one.say}”"
            remark = error if letters[i, j] >= SAME_LETTERS else warning
            yield remark(other.place, f"{reason}; {cosines[i, j]:.2f}, {letters[i, j]:.0f} %")


def _together(one: Said, other: Said) -> bool:
    """Whether both can be said in one conversation: of a reveal or an ending, one only."""
    ending = one.cue.startswith(ENDINGS) and other.cue.startswith(ENDINGS)
    return not ending and not (one.cue == other.cue and one.cue.startswith("reveal."))


def _letters(texts: Sequence[str]) -> npt.NDArray[Any]:
    """Return (n, n) percent of letters shared, of the texts as they are or their words sorted."""
    low = [text.lower() for text in texts]
    in_order = [" ".join(sorted(text.split())) for text in low]
    as_they_are, by_words = (cdist(some, some, scorer=fuzz.ratio) for some in (low, in_order))
    shared: npt.NDArray[Any] = np.maximum(as_they_are, by_words)
    return shared


def openings_alike(scenario: Scenario, vectors: Vectors) -> Iterator[Remark]:
    """Yield openings that begin the conversation in the same way."""
    openings = [s for s in all_said(scenario) if s.cue == "opening"]
    for one, other in combinations(openings, 2):
        a, b = vectors.of([one.say, other.say])
        first = [w.lower() for w in word_list(one.say)[:3]]
        same = first == [w.lower() for w in word_list(other.say)[:3]]
        letters = _letters([one.say, other.say])[0, 1]
        if same or float(a @ b) >= ALIKE_OPENINGS or letters >= ALIKE_OPENINGS_LETTERS:
            yield warning(other.place, f"begins the conversation as {one.place} does")
