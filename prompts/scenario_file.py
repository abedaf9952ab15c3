"""A scenario file's data as a `Scenario`, or all that is wrong with it. Pure.

Places are those of the file: `lines.react.promise.2`, `concern.1.reveal`, `openings.3`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from agent.domain import Scenario
from prompts.check import counted, problems
from prompts.document import Problem
from prompts.places import STAGE_LINES, place_of

LINE_KEYS: Final = ("say", "stance", "since", "until", "about")
MAY_BE_EMPTY: Final = ("facts", "models", "ends", "lines", "openings", "concern")


class Checked(NamedTuple):
    """A scenario, unless its keys are wrong; and all that is wrong with it."""

    scenario: Scenario | None
    problems: tuple[Problem, ...]


def checked(data: Mapping[str, Any]) -> Checked:
    """Check the data of a scenario file. With problems, it is not to be played."""
    flat, found = _flatten(data)
    try:
        scenario = Scenario.model_validate(flat)
    except ValidationError as error:
        counts = Counter(str(line["on"]) for line in flat["lines"])
        sizes = (len(flat["concern"]), len(flat["facts"]))
        wrong = [_problem(flat, dict(e)) for e in error.errors()]
        return Checked(None, (*found, *wrong, *counted(counts, *sizes)))
    return Checked(scenario, (*found, *problems(scenario)))


# --- from the shape of the file to the shape of a Scenario -------------------------------------


def _flatten(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Bring the nested lines of a file into the one list of a `Scenario`."""
    flat = {**data, **{key: data[key] or [] for key in MAY_BE_EMPTY if not data.get(key, True)}}
    flat = {key: {} if key in ("models", "ends") and not v else v for key, v in flat.items()}
    groups: dict[str, Any] = {"opening": flat.pop("openings", [])}
    flat["facts"] = _a_list(flat.get("facts", []))
    flat["concern"] = [dict(s) if isinstance(s, dict) else s for s in _a_list(flat.get("concern"))]
    for number, stage in enumerate(flat["concern"], start=1):
        for kind in STAGE_LINES:
            groups[f"{kind}.{number}"] = stage.pop(kind, []) if isinstance(stage, dict) else []
    found: list[Problem] = []
    groups |= _groups(flat.get("lines", {}), found)
    flat["lines"] = [line for cue, some in groups.items() for line in _lines(cue, some, found)]
    return flat, found


def _a_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _groups(lines: Any, found: list[Problem]) -> dict[str, Any]:
    """Return the lines of each moment; `react` and the like hold moments of their own."""
    if not isinstance(lines, dict):
        if lines:
            found.append(Problem("lines", "should be a mapping of moments"))
        return {}
    groups: dict[str, Any] = {}
    for cue, some in lines.items():
        if isinstance(some, dict):
            groups |= {f"{cue}.{under}": these for under, these in some.items()}
        else:
            groups[str(cue)] = some
    return groups


def _lines(cue: str, some: Any, found: list[Problem]) -> list[dict[str, Any]]:
    if some is not None and not isinstance(some, list):
        found.append(Problem(place_of(cue), "should be a list, each line after a dash"))
        return []
    lines = []
    for number, line in enumerate(some or [], start=1):
        try:
            lines.append(_line(cue, number, line))
        except ValueError as problem:
            found.append(Problem(place_of(f"{cue}.{number}"), str(problem)))
    return lines


def _line(cue: str, number: int, line: Any) -> dict[str, Any]:
    """Return the fields of one line. Raises ValueError with what is wrong with it."""
    if not isinstance(line, str | dict):
        raise ValueError(f"{line!r} is not text: put the line in quotation marks")
    fields = {"say": line} if isinstance(line, str) else dict(line)
    strange = [str(key) for key in fields if key not in LINE_KEYS]
    if strange and "say" not in fields:
        raise ValueError("not text: put the line in quotation marks (a colon makes it a key)")
    if strange:
        raise ValueError(f"{', '.join(strange)}: not a key of a line ({', '.join(LINE_KEYS)})")
    if isinstance(fields.get("stance"), str):
        fields["stance"] = [fields["stance"]]
    if isinstance(fields.get("about"), list):
        fields["about"] = ", ".join(map(str, fields["about"]))
    return {"id": f"{cue}.{number}", "on": cue, **fields}


# --- what pydantic refuses, in the words and places of the file --------------------------------


def _problem(flat: Mapping[str, Any], error: Mapping[str, Any]) -> Problem:
    where = list(error["loc"])
    reason = str(error["msg"])
    if error["type"] == "missing":
        reason = "is missing"
    elif error["type"] == "extra_forbidden":
        reason = "is not a key that is known here"
    elif "[key]" in where:
        where.remove("[key]")
        reason = f"is not one that is known here ({reason})"
    elif isinstance(error["input"], str | int | float):
        reason = f"{reason}, not {error['input']!r}"
    return Problem(_place(flat, where), reason)


def _place(flat: Mapping[str, Any], where: list[str | int]) -> str:
    if where[:1] == ["lines"] and len(where) > 1:
        line = flat["lines"][int(where[1])]
        return ".".join([place_of(line["id"]), *map(str, where[2:])])
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in where)
