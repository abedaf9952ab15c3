"""A question and how well each sentence of the material answers it.

The passages found by fused search, and those whose written questions resemble this one, are
taken apart into sentences. A sentence's score is a weighted sum of what speaks for it; the weights
are in refusal.json.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from knowledge.build import sentence_texts
from knowledge.index import Index
from knowledge.library import Library
from knowledge.passages import Passage, Span
from knowledge.router import Routed, Router
from knowledge.vectors import Vectors
from knowledge.words import content_words, nearest_spelling, stems, words

CANDIDATES = 12  # passages taken from the search, and as many sentences from the written questions
QUESTION_SHARE = 0.8  # of its score that a sentence keeps which itself asks
HEADING_SHARE = 0.6  # of its score that a heading keeps in material without written questions
FEW_WORDS = 2  # with a pronoun and no more content words than this, a question is a follow-up
ANY = ("sentence", "passage", "part", "words")  # parts of a score that any material gives
BARE = 3  # a question of no more words than this is one too

_PARTS = re.compile(
    r"[?!;.:]+\s+|,?\s+(?:and|or)\s+(?=(?:what|how|why|who|when|where|which|should|do|does|is)\b)"
    r"|,\s+(?=(?:and|what|how|why|who|when|where|which)\b)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"(?i)^(?:and|but|so|or|then|what about|how about|how so)\b")
_POINTS = re.compile(r"(?i)\b(?:it|that|this|those|these|they|them|one)\b")


@lru_cache(maxsize=1)
def settings() -> dict[str, Any]:
    """Return the weights and limits of the answers, from refusal.json."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("refusal.json").read_text("utf-8"))
    return loaded


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence and what speaks for it: each part about 0 to 1."""

    passage: Passage
    span: Span
    parts: dict[str, float]
    score: float

    @property
    def text(self) -> str:
        """The words of the sentence."""
        return self.passage.sentence(self.span)


@dataclass(frozen=True)
class Ranking:
    """A question read against the material: sentences best first, and the routes they came by.

    `asked` is the question with misspellings set right, and with the question before it where it
    leans on that; `routes` are for the whole question and then for each of its parts; `asks` counts
    the parts, and `unknown` are its content words that the material does not have.
    """

    asked: str
    sentences: tuple[Scored, ...]
    routes: tuple[Routed, ...]
    unknown: tuple[str, ...]
    asks: int = 1

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The passages, by their best sentence."""
        return tuple({s.passage.id: s.passage for s in self.sentences}.values())


class Ranker:
    """Ranks the sentences of a library. Keeps what belongs to one index until the index changes."""

    def __init__(self, library: Library, without: frozenset[str] = frozenset()) -> None:
        """Take the library; nothing is read yet. `without`: see Router."""
        self._library, self._without = library, without
        self._known: tuple[str, Router, frozenset[str]] | None = None

    def rank(self, question: str, after: str | None = None) -> Ranking:
        """Rank the sentences of the material for a question, `after` an earlier one.

        Raises LibraryError when there is no index.
        """
        index = self._library.index()
        router, vocabulary = self._of(index)
        asked = spelled(lean_on(question, after), vocabulary)
        texts = [asked, *parts_of(asked)]
        vectors = self._library.encoder.encode(texts)
        routes = tuple(r for r in (router.route(v) for v in vectors) if r is not None)
        found = self._candidates(index, texts, routes)
        scored = self._score(index, found, texts, vectors, routes)
        unknown = tuple(w for w in content_words(asked) if not occurs(w, index))
        return Ranking(asked, tuple(scored), routes, unknown, max(1, len(texts) - 1))

    def _of(self, index: Index) -> tuple[Router, frozenset[str]]:
        if self._known is None or self._known[0] != index.name:
            self._known = (index.name, Router(index, self._without), index.vocabulary())
        return self._known[1], self._known[2]

    def _candidates(
        self, index: Index, texts: Sequence[str], routes: Sequence[Routed]
    ) -> list[Passage]:
        found = {
            h.passage.id: h.passage for t in texts for h in self._library.search(t, CANDIDATES)
        }
        for route in routes:
            best = sorted(route.said, key=lambda key: -route.said[key])[:CANDIDATES]
            for source, start in (*best, *route.answer):
                for passage in index.passages_at(source, Span(start, start + 1)):
                    found.setdefault(passage.id, passage)
        return list(found.values())

    def _score(
        self,
        index: Index,
        found: Sequence[Passage],
        texts: Sequence[str],
        vectors: Vectors,
        routes: Sequence[Routed],
    ) -> list[Scored]:
        weights: dict[str, float] = settings()["weights"]
        terms = weighted_terms(index, texts[0])
        scored = []
        for passage in found:
            whole = self._vector(index, f"{passage.heading} {passage.text}".strip()) @ vectors.T
            for text, span in zip(sentence_texts(passage), passage.sentences, strict=True):
                near = self._vector(index, text) @ vectors.T
                parts = {
                    "sentence": float(near[0]),
                    "passage": float(whole[0]),
                    "part": float((near + whole)[1:].max(initial=0.0)) / 2,
                    "words": overlap(terms, text),
                    **_routed(routes, (passage.source, span.start)),
                }
                score = sum(weights[name] * value for name, value in parts.items())
                if text.endswith("?"):
                    score *= QUESTION_SHARE
                if passage.kind == "heading" and not routes:
                    score *= HEADING_SHARE
                scored.append(Scored(passage, span, parts, score))
        return sorted(scored, key=lambda s: (-s.score, s.passage.source, s.span.start))

    def _vector(self, index: Index, text: str) -> Vectors:
        known = index.vectors([text])
        return known[text] if known else self._library.encoder.encode([text])[0]


def of_any(scored: Scored) -> float:
    """Return the part of a score that needs no written questions, to compare across libraries."""
    weights = settings()["weights"]
    return float(sum(weights[name] * scored.parts[name] for name in ANY))


def _routed(routes: Sequence[Routed], key: tuple[str, int]) -> dict[str, float]:
    said = [route.said.get(key, 0.0) for route in routes]
    near = [max(route.nearest.get(key, 0.0), 0.0) for route in routes]
    return {
        "route": said[0] if said else 0.0,
        "nearest": near[0] if near else 0.0,
        "part_route": max(said[1:], default=0.0),
        "part_nearest": max(near[1:], default=0.0),
    }


def lean_on(question: str, after: str | None) -> str:
    """Return the question, with the one before it where it cannot stand alone."""
    pointing = _POINTS.search(question) and len(content_words(question)) <= FEW_WORDS
    bare = len(question.split()) <= BARE
    if after and (_GOES_ON.search(question) or pointing or bare):
        return f"{after.strip()} {question.strip()}"
    return question.strip()


def spelled(question: str, vocabulary: frozenset[str]) -> str:
    """Return the question with words that the material does not have in its nearest spelling."""

    def right(match: re.Match[str]) -> str:
        word = match.group()
        known = set(words(word)) <= vocabulary
        return word if known else nearest_spelling(word.lower(), vocabulary) or word

    return re.sub(r"[^\W\d_]{5,}", right, question)


def parts_of(question: str) -> list[str]:
    """Return the questions that a question is made of; none when it is a single one."""
    found = [part.strip() for part in _PARTS.split(question)]
    kept = [part for part in found if len(content_words(part)) >= 1 and len(part.split()) > 2]
    return kept if len(kept) > 1 else []


def weighted_terms(index: Index, text: str) -> dict[str, float]:
    """Return the stems of the content words with their inverse document frequency."""
    count = index.passage_count()
    terms = {stem for word in content_words(text) for stem in stems(word)}
    return {t: math.log(1 + (count + 0.5) / (index.document_count(t) + 0.5)) for t in terms}


def overlap(terms: dict[str, float], text: str) -> float:
    """Return the share of the terms' weight that a text has, 0 to 1."""
    held = set(stems(text))
    whole = sum(terms.values())
    return sum(w for t, w in terms.items() if t in held) / whole if whole else 0.0


def occurs(word: str, index: Index) -> bool:
    """Tell whether a word, or another form of it, occurs in the material."""
    return any(index.document_count(stem) for stem in stems(word))
