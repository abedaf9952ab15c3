"""The handbook as data: the article's own words in an order of ours, read and checked."""

from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from agent.domain import Capability, Citation, Move, Value
from agent.errors import ScenarioError
from knowledge.links import link
from knowledge.quotes import MaybeWords, Words, checked

FILE: Final = Path(__file__).with_name("handbook.yaml")


class Pair(Value):
    """What the article says of a manager and of an executive; `about` is ours."""

    about: str
    manager: Words
    executive: Words


class Point(Value):
    """One of several: the article's words, and more of them from elsewhere after words of ours."""

    name: str = ""
    quote: Words
    gap: str = ""
    more: MaybeWords = None


class Part(Value):
    """One thing in a section; just one of the fields is there."""

    say: str = ""
    quote: MaybeWords = None
    moves: tuple[Move, ...] = ()
    compare: tuple[Pair, ...] = ()
    points: tuple[Point, ...] = ()
    list_: Literal["capabilities", "conversations"] | None = Field(default=None, alias="list")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("should have one key of say, quote, moves, compare, points, list")
        return self

    def citations(self) -> tuple[Citation, ...]:
        """Return the article's words in it, in their order."""
        pairs = [words for pair in self.compare for words in (pair.manager, pair.executive)]
        points = [words for point in self.points for words in (point.quote, point.more)]
        return tuple(words for words in (self.quote, *pairs, *points) if words)


class Section(Value):
    """A heading of ours and what stands under it."""

    title: str = Field(min_length=1)
    parts: tuple[Part, ...] = Field(min_length=1)


class Handbook(Value):
    """The transition by the article's own words."""

    title: str = Field(min_length=1)
    intro: str
    sections: tuple[Section, ...] = Field(min_length=1)

    def citations(self) -> tuple[Citation, ...]:
        """Return all words of the article in it, in the order of the page."""
        parts = [part for section in self.sections for part in section.parts]
        listed = {"capabilities": tuple(capabilities().values()), "conversations": (), None: ()}
        return tuple(c for part in parts for c in (*part.citations(), *listed[part.list_]))


@cache
def handbook(path: Path = FILE) -> Handbook:
    """Return the handbook.

    Raises:
        ScenarioError: with file, place and reason, where a quote is not exactly in the article.
    """
    return checked(Handbook, path)


@cache
def capabilities() -> dict[Capability, Citation]:
    """Return the article's words for each of the ten capabilities. Raises ScenarioError."""
    found = {capability: link(capability) for capability in Capability}
    missing = [str(name) for name, words in found.items() if words is None]
    if missing:
        raise ScenarioError(f"links.yaml: speaks_of: {', '.join(missing)}: no words of the article")
    return {name: words for name, words in found.items() if words}
