"""Load and check the files people write: the rubric and the scenarios. Strict variables."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.domain import Capability, Move, Scenario
from agent.errors import ScenarioError
from prompts.check import LEAST, LEAST_FACTS, LEAST_LINES, check
from prompts.document import Document, Unreadable, parse
from prompts.scenario_file import checked
from prompts.text import VARIABLES, fill, slots

__all__ = [
    "FOLDER",
    "LEAST",
    "LEAST_FACTS",
    "LEAST_LINES",
    "VARIABLES",
    "CapabilityText",
    "MoveText",
    "Near",
    "Rubric",
    "check",
    "fill",
    "load_rubric",
    "load_scenario",
    "load_scenarios",
    "read",
    "slots",
]

FOLDER: Final = Path(__file__).parent

_Model = TypeVar("_Model", bound=BaseModel)


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Near(_Text):
    """Words that come near a move and are not it: a pattern, what is said of it, what mends it."""

    said: str
    missed: str
    instead: str = ""

    @field_validator("said")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a pattern: {error}") from error
        return value


class MoveText(_Text):
    """The words about one move: how it is decided, and how a critique speaks of it."""

    name: str
    good: bool
    present: str
    not_when: str = ""
    example: str
    strength: str = ""
    missed: str
    try_: str = Field(alias="try")
    near: tuple[Near, ...] = ()


class CapabilityText(_Text):
    """The words about one capability and the moves that show it or work against it.

    `beside` are those of `shown_by` that touch on it only: alone they carry it to 2 at most.
    """

    name: str
    text: str
    shown_by: tuple[Move, ...]
    beside: tuple[Move, ...] = ()
    against: tuple[Move, ...]


class Rubric(_Text):
    """The twenty moves and ten capabilities, in the order of the file.

    `overall` says what a reply's score means, from 0 to 4.
    """

    version: int
    overall: tuple[str, str, str, str, str]
    moves: dict[Move, MoveText]
    capabilities: dict[Capability, CapabilityText]


def load_rubric(path: Path = FOLDER / "rubric.yaml") -> Rubric:
    """Load the rubric; every move and capability must be there, and agree on what is good."""
    rubric = _validated(Rubric, read(path).data, path)
    missing = [m for m in Move if m not in rubric.moves]
    missing += [c for c in Capability if c not in rubric.capabilities]  # type: ignore[misc]
    if missing:
        raise ScenarioError(f"{path}: {', '.join(missing)}: missing")
    for move, text in rubric.moves.items():
        if text.good != move.good:
            raise ScenarioError(f"{path}: moves.{move}.good: should be {move.good}")
    return rubric


def load_scenarios(*folders: Path) -> dict[str, Scenario]:
    """Load every scenario of the folders (ours unless told), by id, in order of the file names.

    Raises:
        ScenarioError: a file is wrong, or two files have the same id.
    """
    found: dict[str, Scenario] = {}
    for folder in folders or (FOLDER / "scenarios",):
        for path in sorted(folder.glob("*.yaml")):
            scenario = load_scenario(path)
            if scenario.id in found:
                raise ScenarioError(f"{path}: id: {scenario.id!r} is taken by another file")
            found[scenario.id] = scenario
    return found


def load_scenario(path: Path) -> Scenario:
    """Load and check one scenario file.

    Raises:
        ScenarioError: with file, place and reason of all that is wrong.
    """
    scenario, problems = checked(read(path).data)
    if scenario is None or problems:
        raise ScenarioError("\n".join(f"{path}: {problem}" for problem in problems))
    return scenario


def read(path: Path) -> Document:
    """Read a YAML file. Raises ScenarioError with file and reason."""
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, Unreadable) as problem:
        raise ScenarioError(f"{path}: {' '.join(str(problem).split())}") from problem


def _validated(kind: type[_Model], data: Mapping[str, Any], path: Path) -> _Model:
    try:
        return kind.model_validate(data)
    except ValidationError as problem:
        first = problem.errors()
        reasons = [f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in first]
        raise ScenarioError("\n".join(reasons)) from problem
