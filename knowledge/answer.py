"""A question → `Answer`: the sentences of the material that answer it, each quoted exactly.

Nothing is generated. What is quoted is checked against the stored source character by character;
the lead says only where the words stand. A question that the material does not answer is refused,
with the nearest words shown as what they are.
"""

import re
from collections.abc import Iterable, Sequence

from agent.domain import Answer, Citation
from agent.errors import InputError, LibraryError, NotText
from knowledge.index import Index
from knowledge.library import Library
from knowledge.passages import Passage, Span
from knowledge.ranking import Ranker, Ranking, Scored, of_any, settings
from knowledge.refusal import attack_in, is_answered

MAX_QUESTION = 2_000  # characters
NOT_SAID = "The material does not say."

_ASKS_ALL = re.compile(r"(?i)\b(?:list|all|every|everything|what are|which|name)\b")
_POINTS_BACK = re.compile(
    r"(?:(?:But |And |Yet )?(?:[Aa]gain|[Tt]his|[Tt]hat|[Tt]hese|[Tt]hey|[Ii]t)\b|From these\b)"
)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

Place = tuple[Passage, Span]


class Answerer:
    """Answers questions from a library, with no model but the sentence encoder.

    Beside it there may be one of a person's own material, with an index or without: each is ranked
    and judged by itself, so that what one holds never changes what the other is found to say.
    """

    def __init__(self, library: Library, own: Library | None = None) -> None:
        """Take the libraries; nothing is read yet."""
        self._library, self._own = library, own
        self._rankers = {lib: Ranker(lib) for lib in (library, own) if lib is not None}

    def answer(self, question: str, after: str | None = None) -> Answer:
        """Answer a question; `after` is the question before it, for a follow-up.

        Raises InputError for a blank or overlong question, LibraryError without an index.
        """
        rankings = self.rankings(question, after)
        if attack_in(question, rankings[0]):
            return Answer(question=question, refused=True, lead=NOT_SAID)
        answering = foremost([ranking for ranking in rankings if is_answered(ranking)])
        if not answering:
            return self.refuse(question, rankings)
        quotes = self.cite(p for ranking in answering for p in choose(ranking, question))
        return Answer(question=question, refused=False, lead=self._lead(quotes), quotes=quotes)

    def rankings(self, question: str, after: str | None = None) -> list[Ranking]:
        """Return how each library ranks for a question, the first one first. Raises as `answer`."""
        check(question)
        if after:
            check(after)
        return [self._rankers[lib].rank(question, after) for lib in self._libraries()]

    def rank(self, question: str, after: str | None = None) -> Ranking:
        """Return how the sentences and passages rank for a question, whether answered or not."""
        return self._rankers[self._library].rank(question, after)

    def _libraries(self) -> list[Library]:
        """Return the library, and the own one where it has an index."""
        return [lib for lib in self._rankers if lib is self._library or lib.current()]

    def refuse(self, question: str, rankings: Sequence[Ranking]) -> Answer:
        """Return the answer that the material does not say it, with its nearest words."""
        floor = settings()["nearest"]["at_least"]
        near = []
        for ranking in rankings:
            near += [s for s in ranking.sentences[:2] if s.parts["sentence"] >= floor][:1]
        near.sort(key=lambda s: -s.parts["sentence"])
        nearest = self.cite([(s.passage, s.span) for s in near[:1]])
        lead = f"{NOT_SAID} The nearest it comes is this:" if nearest else NOT_SAID
        return Answer(question=question, refused=True, lead=lead, nearest=nearest)

    def cite(self, places: Iterable[Place]) -> tuple[Citation, ...]:
        """Return the places as citations in reading order, neighbours joined, each one checked."""
        held = self._indexes()
        order = {source: n for n, source in enumerate(held)}
        ordered = sorted(places, key=lambda place: (order[place[0].source], place[1].start))
        citations = []
        for passage, span in joined(ordered):
            words = passage.sentence(span)
            if held[passage.source][1].words_at(passage.source, span) != words:
                raise LibraryError(
                    f"Passage {passage.id} is not what the stored source says. Nothing was "
                    "answered. Run `rehearsal index` to build the index again."
                )
            citations.append(
                Citation(
                    passage=passage.id,
                    source=passage.source,
                    heading=passage.heading,
                    text=words,
                    start=span.start,
                    end=span.end,
                )
            )
        return tuple(citations)

    def title(self, source: str) -> str:
        """Return the title of a source by its id. Raises KeyError."""
        return self._indexes()[source][0]

    def _indexes(self) -> dict[str, tuple[str, Index]]:
        """Return for each source its title and the index that holds it, in the order given."""
        indexes = [lib.index() for lib in self._libraries()]
        return {s.id: (s.title, index) for index in indexes for s in index.titles()}

    def _lead(self, quotes: Sequence[Citation]) -> str:
        """Say how many places are quoted and from where; nothing else is claimed."""
        held = self._indexes()
        named = " and ".join(f"“{held[s][0]}”" for s in dict.fromkeys(q.source for q in quotes))
        headings = {q.heading for q in quotes}
        if len(quotes) > 1 and len({q.passage for q in quotes}) == 1 and all(headings):
            return f"{counted(len(quotes), 'point')} from {named}. {headings.pop()}"
        return f"{counted(len(quotes), 'place')} in {named}:"


def check(question: str) -> None:
    """Refuse a question that cannot be taken. Raises InputError."""
    if not question.strip():
        raise InputError("The question has no words. Type a question and ask again.")
    if len(question) > MAX_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; {MAX_QUESTION:,} can be taken. "
            "Nothing was searched. Shorten it and ask again."
        )
    if any("\ud800" <= c <= "\udfff" or c == "\0" for c in question):
        raise NotText("The question holds characters that are not text. Type it again.")


def foremost(rankings: Sequence[Ranking]) -> list[Ranking]:
    """Return those rankings whose best sentence comes near the best of all.

    Compared is what any material has, and what written questions add is left out; material with a
    written question much like this one stays all the same.
    """
    limits = settings()["quotes"]
    best = [max((of_any(s) for s in ranking.sentences), default=0.0) for ranking in rankings]
    floor = max(best, default=0.0) * limits["beside_another"]
    asked = [any(r.nearest_said >= limits["asked_of_it"] for r in k.routes[:1]) for k in rankings]
    return [
        ranking
        for ranking, score, own in zip(rankings, best, asked, strict=True)
        if own or score >= floor
    ]


def choose(ranking: Ranking, question: str) -> list[Place]:
    """Return the sentences that answer: a written answer, a whole list, or the best few."""
    limits = settings()["quotes"]
    best, at_most = ranking.sentences[0], limits["at_most"] + min(ranking.asks, 3) - 1
    written = _written(ranking, limits["written_answer"])
    if len(written) >= at_most:
        return written
    if best.passage.kind == "list" and _ASKS_ALL.search(question) and _holds_the_list(ranking):
        return [(best.passage, span) for span in best.passage.sentences]
    floor = best.score * limits["share_of_best"]
    chosen = [s for s in ranking.sentences if s.score >= floor]
    if not ranking.routes:  # a heading of a document of one's own says little without its text
        chosen = [s for s in chosen if s.passage.kind != "heading"] or chosen
    places = [*written, *((s.passage, s.span) for s in chosen)]
    return _with_context(list(dict.fromkeys(places))[:at_most])


def _written(ranking: Ranking, floor: float) -> list[Place]:
    """Return the sentences that answer the nearest written question, if it is near enough."""
    if not ranking.routes or ranking.routes[0].nearest_said < floor:
        return []
    keys = set(ranking.routes[0].answer)
    found = [s for s in ranking.sentences if (s.passage.source, s.span.start) in keys]
    return [(s.passage, s.span) for s in found]


def _holds_the_list(ranking: Ranking) -> bool:
    """Tell whether most of the best sentences are of the best sentence's list."""
    items: tuple[Scored, ...] = ranking.sentences[: len(ranking.sentences[0].passage.sentences)]
    same = sum(s.passage.id == items[0].passage.id for s in items)
    return same > len(items) / 2


def _with_context(places: Sequence[Place]) -> list[Place]:
    """Add the sentence before one that begins by pointing back at it ("This is almost …")."""
    found = list(places)
    for passage, span in places:
        number = passage.sentences.index(span)
        if passage.kind == "paragraph" and number and _POINTS_BACK.match(passage.sentence(span)):
            found.append((passage, passage.sentences[number - 1]))
    return list(dict.fromkeys(found))


def joined(places: Sequence[Place]) -> list[Place]:
    """Return places in reading order with neighbours in a paragraph as one; items stay apart."""
    found: list[Place] = []
    for passage, span in places:
        if found and passage.kind == "paragraph" and _follows(passage, found[-1], span):
            found[-1] = (passage, Span(found[-1][1].start, span.end))
        else:
            found.append((passage, span))
    return found


def _follows(passage: Passage, before: Place, span: Span) -> bool:
    number = passage.sentences.index(span)
    return before[0].id == passage.id and passage.sentences[number - 1].end == before[1].end


def counted(count: int, noun: str) -> str:
    """Return a number and its noun in words, as a sentence begins: "Two places"."""
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number.capitalize()} {noun}{'' if count == 1 else 's'}"
