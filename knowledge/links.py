"""From a move or a capability to the article's words on it, and from words to what practises them.

Both ways are data (links.yaml): nothing is guessed, and where the article is silent, so are we.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator

from agent.domain import Answer, Capability, Citation, Move, Scenario, Value
from knowledge.quotes import MaybeWords, Words, checked

FILE: Final = Path(__file__).with_name("links.yaml")
MOST: Final = 3  # conversations offered at once

CAPABILITIES: Final = frozenset(map(str, Capability))


def _known(name: str) -> str:
    if name not in CAPABILITIES | frozenset(map(str, Move)):
        raise ValueError(f"{name!r} is no move and no capability")
    return name


Id = Annotated[str, AfterValidator(_known)]  # `care` and `not_knowing` are both


class Place(Value):
    """Words of the article, what they are of, and the conversations written for just that."""

    words: Words
    of: tuple[Id, ...]
    held_in: tuple[str, ...] = ()


class Links(Value):
    """Where the article speaks of each move and capability, and what else of it is practised."""

    speaks_of: dict[Id, MaybeWords]
    places: tuple[Place, ...]


@cache
def links() -> Links:
    """Return the links. Raises ScenarioError where words of the file are not the article's."""
    return checked(Links, FILE)


def link(name: str) -> Citation | None:
    """Return where the article speaks of a move or capability, None where it is silent."""
    return links().speaks_of.get(name)


def spoken_of() -> dict[str, Citation]:
    """Return the article's words by the move or capability they speak of."""
    return {name: words for name, words in links().speaks_of.items() if words}


def conversations(
    quotes: Iterable[Citation], scenarios: Mapping[str, Scenario], most: int = MOST
) -> tuple[str, ...]:
    """Return the ids of the conversations that practise what is quoted, the nearest first.

    Those written for these words come first, in the order of the quotes; then those that practise
    most of their capabilities and listen most for their moves; then the easier ones.
    """
    places = [place for quote in quotes for place in _at(quote)]
    written = [name for place in places for name in place.held_in if name in scenarios]
    names = {name for place in places for name in place.of}
    shared = {s.id: _shared(names, s) for s in scenarios.values()}
    near = [s for s in scenarios.values() if any(shared[s.id])]
    near.sort(key=lambda s: (*(-share for share in shared[s.id]), s.difficulty))
    return tuple(dict.fromkeys([*written, *(s.id for s in near)]))[:most]


def practise(answer: Answer, scenarios: Mapping[str, Scenario]) -> tuple[str, ...]:
    """Return the conversations that practise an answer, the nearest first.

    A refused answer has some only where the nearest words are of a capability.
    """
    if not answer.refused:
        return conversations(answer.quotes, scenarios)
    near = [q for q in answer.nearest if any(CAPABILITIES & set(p.of) for p in _at(q))]
    return conversations(near, scenarios)


def _at(quote: Citation) -> list[Place]:
    """Return the places that a quote shares words with; none in another source."""
    return [
        place
        for place in _places()
        if place.words.source == quote.source
        and place.words.start < quote.end
        and quote.start < place.words.end
    ]


@cache
def _places() -> tuple[Place, ...]:
    own = (Place.model_construct(words=w, of=(name,)) for name, w in spoken_of().items())
    return (*links().places, *own)


def _shared(names: set[str], scenario: Scenario) -> tuple[int, float]:
    """Return how many of the capabilities a scenario practises, and of its moves which share."""
    moves = len(names & set(map(str, scenario.listens_for)))
    capabilities = len(names & set(map(str, scenario.practises)))
    return capabilities, moves / len(scenario.listens_for)
