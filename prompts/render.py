"""Prompts are files: a `version:` line, then sections `=== name ===`, with {{variables}}.

Sections named by a role are the messages, in order; any other is a part of its own, for a second
round say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Final, Literal

from agent.errors import ScenarioError

Role = Literal["system", "user", "assistant"]

FOLDER: Final = Path(__file__).parent
ROLES: Final[Mapping[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant"}
_HEAD: Final = re.compile(r"version: *(\d+)\n")
_SECTION: Final = re.compile(r"^=== (\w+) ===\n", re.MULTILINE)
_VARIABLE: Final = re.compile(r"\{\{(\w+)\}\}")
HASHED: Final = 12  # hex digits


@dataclass(frozen=True)
class Prompt:
    """A prompt's file: its version, its sections in order, and its text."""

    name: str
    version: int
    sections: Mapping[str, str]
    text: str


def render(name: str, values: Mapping[str, str]) -> tuple[tuple[Role, str], ...]:
    """Return the messages of a prompt.

    Raises:
        ScenarioError: the file is wrong, or the values are not just the variables of its messages.
    """
    prompt = load(name)
    sections = {role: text for role, text in prompt.sections.items() if role in ROLES}
    _check(prompt, "".join(sections.values()), values)
    return tuple((ROLES[role], _filled(text, values)) for role, text in sections.items())


def part(name: str, section: str, values: Mapping[str, str]) -> str:
    """Return one section of a prompt by itself. Raises ScenarioError as `render` does."""
    prompt = load(name)
    if section not in prompt.sections:
        raise ScenarioError(f"{_file(name)}: there is no section {section!r}")
    _check(prompt, prompt.sections[section], values)
    return _filled(prompt.sections[section], values)


def prompt_hash(name: str, *more: str) -> str:
    """Return twelve hex digits for a prompt's file and what else shapes the answer (its schema)."""
    return sha256("\0".join((load(name).text, *more)).encode()).hexdigest()[:HASHED]


def data(text: str) -> str:
    """Return a text between two lines that do not occur in it: what is said, not what to do."""
    mark = next(mark for n in count(1) if (mark := f"DATA {n}") not in text)
    return f"<<<{mark}\n{text}\n{mark}>>>"


@cache
def load(name: str) -> Prompt:
    """Read a prompt's file. Raises ScenarioError with file and reason."""
    file = _file(name)
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file}: {error}") from error
    head = _HEAD.match(text)
    _, *parts = _SECTION.split(text)
    if head is None or not parts:
        raise ScenarioError(f"{file}: begins with `version: 1`, then sections `=== system ===`")
    sections = dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
    if len(sections) < len(parts) // 2:
        raise ScenarioError(f"{file}: a section is there twice")
    return Prompt(name, int(head[1]), sections, text)


def _file(name: str) -> Path:
    return FOLDER / f"{name}.md"


def _check(prompt: Prompt, text: str, values: Mapping[str, str]) -> None:
    wanted = set(_VARIABLE.findall(text))
    for names, problem in (
        (wanted - set(values), "has no value"),
        (set(values) - wanted, "unused"),
    ):
        if names:
            listed = ", ".join(sorted(names))
            raise ScenarioError(f"{_file(prompt.name)}: {listed}: {problem}")


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Put the values in, in one pass: a value that holds {{x}} stays as it is."""
    return _VARIABLE.sub(lambda variable: values[variable[1]], text)
