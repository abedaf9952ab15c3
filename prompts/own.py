"""A person's own scenario files: read when the folder has changed; a wrong one is left out."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from agent.domain import Scenario
from agent.errors import ScenarioError
from prompts import load_scenario


class LeftOut(NamedTuple):
    """A file that cannot be played, and why in one line."""

    file: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


class Own(NamedTuple):
    """What a folder holds: the scenarios by id, and what is left out."""

    scenarios: dict[str, Scenario]
    left_out: tuple[LeftOut, ...]


class OwnScenarios:
    """The scenarios of a folder; `taken` are ids that are not free. No folder is no scenarios."""

    def __init__(self, folder: Path, taken: Collection[str]) -> None:
        self._folder, self._taken = folder, taken
        self._held: tuple[object, Own] | None = None

    def read(self) -> Own:
        """Return what the folder holds now. Raises nothing."""
        files = scenario_files(self._folder)
        seen = [(path, *_stamp(path)) for path in files]
        held = self._held
        if held is None or held[0] != seen:
            held = self._held = (seen, _load(files, self._taken))
        return held[1]


def scenario_files(folder: Path) -> list[Path]:
    """Return the scenario files of a folder, in order; none where it cannot be read."""
    try:
        return sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml"))
    except OSError:
        return []


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _load(files: Collection[Path], taken: Collection[str]) -> Own:
    found: dict[str, Scenario] = {}
    left_out: list[LeftOut] = []
    for path in files:
        try:
            scenario = load_scenario(path)
        except ScenarioError as problem:
            left_out.append(LeftOut(path, _in_one_line(path, str(problem))))
            continue
        if scenario.id in taken or scenario.id in found:
            whose = "one of ours" if scenario.id in taken else "another file of this folder"
            left_out.append(LeftOut(path, f"id: {scenario.id!r} is taken by {whose}"))
        else:
            found[scenario.id] = scenario
    return Own(found, tuple(left_out))


def _in_one_line(path: Path, problem: str) -> str:
    first, *more = (line.removeprefix(f"{path}: ") for line in problem.splitlines())
    return f"{first} (and {len(more)} more)" if more else first
