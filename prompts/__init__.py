"""Load and check the files people write: the rubric and the scenarios. Strict variables."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.domain import Capability, Missing, Move, Scenario
from agent.errors import ScenarioError

FOLDER: Final = Path(__file__).parent
VARIABLES: Final = frozenset({"time", "number", "vague", "words", "promise"})
_SLOT: Final = re.compile(r"\{([^{}]*)\}")

LEAST_FACTS: Final = 15
LEAST_LINES: Final = 90
LEAST: Final[Mapping[str, int]] = {
    "opening": 3,
    **{f"react.{move}": 2 for move in Move},
    "react.vagueness": 3,
    "react.pressure": 3,
    "empty": 6,
    "silence": 3,
    "lost": 2,
    "repeated": 3,
    "asked_before": 2,
    "asked_again": 2,
    "repair": 2,
    "recall": 2,
    **{f"press.{missing}": 3 for missing in Missing},
    "general": 6,
    "accept": 2,
    **{f"counter.{missing}": 1 for missing in Missing if missing != Missing.COMMITMENT},
    **{f"decline.{missing}": 1 for missing in Missing},
    "walk_out.pressure": 2,
    "walk_out.empty": 2,
}


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
    """The words about one capability and the moves that show it or work against it."""

    name: str
    text: str
    shown_by: tuple[Move, ...]
    against: tuple[Move, ...]


class Rubric(_Text):
    """The twenty moves and ten capabilities, in the order of the file."""

    version: int
    moves: dict[Move, MoveText]
    capabilities: dict[Capability, CapabilityText]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in the {slots} of a text, in one pass: a value that contains {x} stays as it is.

    Raises:
        KeyError: a slot has no value.
    """
    return _SLOT.sub(lambda slot: values[slot[1]], text)


def slots(text: str) -> frozenset[str]:
    """Return the names of the {slots} in a text."""
    return frozenset(_SLOT.findall(text))


def load_rubric(path: Path = FOLDER / "rubric.yaml") -> Rubric:
    """Load the rubric; every move and capability must be there, and agree on what is good."""
    rubric = _validated(Rubric, _read(path), path)
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
        ScenarioError: with file, place and reason.
    """
    data = _read(path)
    try:
        flat = _flatten(data)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ScenarioError(f"{path}: {problem}") from problem
    scenario = _validated(Scenario, flat, path)
    problems = check(scenario)
    if problems:
        raise ScenarioError("\n".join(f"{path}: {problem}" for problem in problems))
    return scenario


def check(scenario: Scenario) -> list[str]:
    """Return what is wrong with a scenario that has the right keys."""
    counts: dict[str, int] = {}
    for line in scenario.lines:
        counts[line.on] = counts.get(line.on, 0) + 1
    least = dict(LEAST) | {
        f"{kind}.{n + 1}": 1 for n in range(len(scenario.concern)) for kind in ("dodge", "reveal")
    }
    problems = [f"lines.{cue}: unknown moment" for cue in counts if cue not in least]
    problems += [
        f"lines.{cue}: {counts.get(cue, 0)} lines, at least {n} are needed"
        for cue, n in least.items()
        if counts.get(cue, 0) < n
    ]
    if len(scenario.lines) < LEAST_LINES:
        problems.append(f"lines: {len(scenario.lines)}, at least {LEAST_LINES} are needed")
    if len(scenario.facts) < LEAST_FACTS:
        problems.append(f"facts: {len(scenario.facts)}, at least {LEAST_FACTS} are needed")
    return problems + _check_texts(scenario)


def _check_texts(scenario: Scenario) -> list[str]:
    problems = [
        f"lines.{line.id}: {{{slot}}} is not one of {', '.join(sorted(VARIABLES))}"
        for line in scenario.lines
        for slot in sorted(slots(line.say) - VARIABLES)
    ]
    texts = [line.say for line in scenario.lines] + [fact.say for fact in scenario.facts]
    problems += [f"{text!r}: stands twice" for text in sorted(set(texts)) if texts.count(text) > 1]
    gates = [stage.gate for stage in scenario.concern]
    if gates != sorted(gates) or gates[-1] > scenario.accept_at:
        problems.append("concern: gates must rise, and stay at or under accept_at")
    problems += [
        f"models.{m}: two are needed" for m, two in scenario.models.items() if len(two) < 2
    ]
    problems += [
        f"ends.{o}: missing"
        for o in ("accept", "counter", "decline", "walk_out")
        if o not in scenario.ends
    ]
    return problems


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise ScenarioError(f"{path}: {' '.join(str(problem).split())}") from problem
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: should be a mapping of keys")
    return data


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML that refuses a key given twice (the second would silently win)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                where = key.start_mark
                raise yaml.YAMLError(f"line {where.line + 1}: {key.value!r} stands twice")
            seen.add(key.value)
        result: dict[Any, Any] = super().construct_mapping(node, deep)
        return result


def _validated(kind: type[_Model], data: Mapping[str, Any], path: Path) -> _Model:
    try:
        return kind.model_validate(data)
    except ValidationError as problem:
        first = problem.errors()
        reasons = [f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in first]
        raise ScenarioError("\n".join(reasons)) from problem


def _flatten(data: dict[str, Any]) -> dict[str, Any]:
    """Bring the nested lines of a file into the one list of a `Scenario`."""
    flat = dict(data)
    groups: dict[str, list[Any]] = {"opening": flat.pop("openings", [])}
    stages = []
    for number, stage in enumerate(flat.get("concern", []), start=1):
        stage = dict(stage)
        for kind in ("dodge", "reveal"):
            groups[f"{kind}.{number}"] = stage.pop(kind, [])
        stages.append(stage)
    flat["concern"] = stages
    for cue, lines in flat.get("lines", {}).items():
        if isinstance(lines, dict):
            groups |= {f"{cue}.{under}": some for under, some in lines.items()}
        else:
            groups[cue] = lines
    flat["lines"] = [
        _line(cue, number, line)
        for cue, lines in groups.items()
        for number, line in enumerate(lines or [], start=1)
    ]
    return flat


def _line(cue: str, number: int, line: Any) -> dict[str, Any]:
    fields = {"say": line} if isinstance(line, str) else dict(line)
    if isinstance(fields.get("stance"), str):
        fields["stance"] = [fields["stance"]]
    if isinstance(fields.get("about"), list):
        fields["about"] = ", ".join(map(str, fields["about"]))
    return {"id": f"{cue}.{number}", "on": cue, **fields}
