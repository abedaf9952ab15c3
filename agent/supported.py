"""Whether a sentence stands on the words it quotes: what a model adds to them is found here. Pure.

A quote is an exact run of its passage. What is shown of it is always the whole sentence of the
material, so that nothing is quoted out of the sentence it is in.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agent.llm_critic import pattern_of
from knowledge.passages import Passage, Span
from knowledge.words import content_words, stems, words

LEAST: Final = 3  # words of a quote, unless the sentence it is from has fewer
LONGEST: Final = 1_000  # characters of a sentence
SHARE: Final = 0.5  # more than this of a sentence's content words are in the sentences it quotes

_SPEAKS: Final = frozenset(
    """according article author describes document material names passage says states
    text""".split()  # noqa: SIM905
)
_VERDICT: Final = re.compile(
    r"(?i)(?:\W*\b(?:yes\b|(?:no|correct|right|true|exactly|indeed|absolutely|of course)"
    r"(?=\s*(?:[,.:;!–—]|-\s|$)))[\s,.:;!–—-]*)+"
)
_NEGATION: Final = re.compile(
    r"(?i)\b(?:no|nor|never|none|nobody|nothing|neither|cannot|without"
    r"|not(?! (?:only|just|merely|simply)\b))\b|n[’']t\b"
)
_AGAINST: Final = re.compile(
    r"(?i)\b(?:not|instead|rather|than|unlike|lack\w*|fail\w*|impossib\w*|insufficien\w*|unable"
    r"|hardly|barely|stop\w*|beyond)\b"
)
_CLAUSE: Final = re.compile(r"[.;:!?,–—\n]")
_QUOTED: Final = re.compile(
    r"[“„]([^”“„]*)(?:[”“]|$)|\"([^\"]*)(?:\"|$)|«([^»]*)(?:»|$)|(?<!\w)['‘](.+?)['’](?!\w)"
)
_STRANGE: Final = re.compile(r"(?i)[a-z]+://|\bwww\.|\w@\w|[<>{}\[\]|\\]")
_FIGURE: Final = re.compile(r"\d+(?:[.,:/]\d+)*")
_ONES: Final = "two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety hundred".split()  # noqa: SIM905
_NUMBERS: Final = (
    {word: str(n) for n, word in enumerate(_ONES, 2)}
    | {word: str(n) for n, word in zip(range(20, 101, 10), _TENS, strict=True)}
    | {"half": "50"}
    | {word: word for word in ("twice", "dozen", "thousand", "million", "billion")}
)


@dataclass(frozen=True, slots=True)
class Run:
    """Words of a passage: `passage.text[start:end]`."""

    passage: Passage
    start: int
    end: int

    @property
    def words(self) -> str:
        """The passage's own characters."""
        return self.passage.text[self.start : self.end]

    @property
    def spans(self) -> list[Span]:
        """The sentences of the passage that the words lie in, as offsets into the source."""
        start, end = self.start + self.passage.start, self.end + self.passage.start
        return [s for s in self.passage.sentences if s.start < end and start < s.end]

    @property
    def sentences(self) -> list[str]:
        """The words of those sentences."""
        return [self.passage.sentence(span) for span in self.spans]

    @property
    def clauses(self) -> list[str]:
        """The words between commas and the like, the first with what stands before it there."""
        marks = [mark.end() for mark in _CLAUSE.finditer(self.passage.text, 0, self.start)]
        whole = self.passage.text[marks[-1] if marks else 0 : self.end]
        return [clause for clause in _CLAUSE.split(whole) if clause.strip()]


def run_of(said: str, passage: Passage) -> Run | None:
    """Return where quoted words stand in a passage, or None; signs and spaces may differ."""
    wanted = said.strip().strip("\"'“”‘’«»").rstrip(" .,;:…")
    if not wanted or len(wanted) > len(passage.text):
        return None
    found = re.search(rf"(?<!\w){pattern_of(wanted)}(?!\w)", passage.text)
    if found is None:
        return None
    run = Run(passage, found.start(), found.end())
    whole = sum(len(passage.sentence(span).split()) for span in run.spans)
    return run if run.spans and len(wanted.split()) >= min(LEAST, whole) else None


def without_verdict(text: str) -> str:
    """Return a text without the yes or no it begins with: the question may say anything."""
    found = _VERDICT.match(text)
    rest = text[found.end() :] if found else text
    return rest[:1].upper() + rest[1:] if found else rest


def unsupported(sentence: str, runs: Sequence[Run], titles: Iterable[str] = ()) -> str | None:
    """Return what a sentence says beyond the words it quotes, or None where it says no more.

    `titles` are those of the passages' documents, which may be named.
    """
    if not runs:
        return "no words of the material"
    passages = {run.passage.id: run.passage for run in runs}.values()
    held = "\n".join([f"{p.heading}\n{p.text}" for p in passages] + [*titles])
    return next(_beyond(sentence, runs, held), None)


def _beyond(sentence: str, runs: Sequence[Run], held: str) -> Iterator[str]:
    """Yield what is wrong with a sentence; `held` is all it may draw on."""
    if len(sentence) > LONGEST:
        yield "too long"
    if any(mark not in held for mark in _STRANGE.findall(sentence)):
        yield "a link or markup"
    if any(unicodedata.category(c) in {"Cc", "Cf", "Co"} and c not in held for c in sentence):
        yield "a sign that is not shown"
    if figures(sentence) - figures(held):
        yield "a figure"
    for quoted in _QUOTED.finditer(sentence):
        said = next(filter(None, quoted.groups()), "").strip().rstrip(".,;:!?")
        if said and not re.search(pattern_of(said), held):
            yield "a quotation"
    stemmed = set(stems(held))
    if not all(set(stems(name)) <= stemmed for name in _names(sentence)):
        yield "a name"
    if not _same_side(sentence, runs):
        yield "a no that is not there, or none where there is one"
    if _share(sentence, runs) <= SHARE:
        yield "other words"


def figures(text: str) -> set[str]:
    """Return the numbers in a text, in digits where they are written in words."""
    digits = {found.replace(",", "") for found in _FIGURE.findall(text)}
    return digits | {_NUMBERS[word] for word in words(text) if word in _NUMBERS}


def _names(sentence: str) -> list[str]:
    """Return the words that are spelled as names; the first word only where it can be no other."""
    found = re.findall(r"[^\W_]+", sentence)
    inside = [word for word in found[1:] if word[0].isupper() and word != "I"]
    return inside + [word for word in found[:1] if any(c.isupper() for c in word[1:])]


def _same_side(sentence: str, runs: Sequence[Run]) -> bool:
    """Tell whether a sentence denies only what is denied, and does where all its quotes do."""
    whole = [text for run in runs for text in run.sentences]
    if _NEGATION.search(sentence):
        return any(_NEGATION.search(text) or _AGAINST.search(text) for text in whole)
    clauses = [clause for run in runs for clause in run.clauses]
    of_it = [clause for clause in clauses if set(stems(clause)) & _carried(sentence)]
    denied = all(_NEGATION.search(clause) for clause in of_it or clauses)
    return not denied or bool(_AGAINST.search(sentence))


def _carried(sentence: str) -> set[str]:
    """Return the stems of a sentence's content words."""
    return {stem for word in content_words(sentence) for stem in stems(word)}


def _share(sentence: str, runs: Sequence[Run]) -> float:
    """Return the share of a sentence's content words that it quotes; 0 where it has none."""
    quoted = [f"{run.passage.heading}\n{text}" for run in runs for text in run.sentences]
    held = set(stems("\n".join(quoted)))
    carrying = [word for word in content_words(sentence) if word not in _SPEAKS]
    found = sum(set(stems(word)) <= held for word in carrying)
    return found / len(carrying) if carrying else 0.0
