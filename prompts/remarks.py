"""What the lint says of a scenario: a level, a place and a reason."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy.typing as npt

from agent.domain import Scenario, Value
from prompts.places import place_of

Level = Literal["error", "warning"]
Encode = Callable[[Sequence[str]], npt.NDArray[Any]]  # n texts to (n, dimension), rows of length 1


class Remark(Value):
    """Something to mend (`error`) or to look at (`warning`); `line` is counted from 1."""

    level: Level
    place: str
    reason: str
    line: int | None = None


def error(place: str, reason: str) -> Remark:
    """Return a remark that fails the lint."""
    return Remark(level="error", place=place, reason=reason)


def warning(place: str, reason: str) -> Remark:
    """Return a remark that does not fail the lint."""
    return Remark(level="warning", place=place, reason=reason)


class Said(Value):
    """Words of the other person's: where they stand, their cue, and the stages that must be out."""

    place: str
    cue: str
    say: str
    since: int = 0


def all_said(scenario: Scenario) -> list[Said]:
    """Return all that the person may say; a fact's cue is `fact`."""
    said = [
        Said(place=place_of(line.id), cue=line.on, say=line.say, since=line.since)
        for line in scenario.lines
    ]
    facts = [
        Said(place=f"facts.{fact.id}", cue="fact", say=fact.say, since=fact.since)
        for fact in scenario.facts
    ]
    return said + facts
