"""Load counterpart.yaml: what a moment is in plain words, and what no sentence may hold."""

from collections.abc import Set
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from agent.domain import Missing, Move, Outcome, Persona, Stance, Value
from agent.errors import ScenarioError
from prompts import read
from prompts.lint_words import Rule, load_style, never_phrases

FILE: Final = Path(__file__).with_name("counterpart.yaml")
REACTIONS: Final = frozenset(f"react.{move}" for move in Move)
PRESSES: Final = frozenset(f"press.{lack}" for lack in Missing)
OTHERS: Final = frozenset(
    {"reveal", "general", "empty", "silence", "lost", "repeated", "asked_again", "repair", "recall"}
)
DECISIONS: Final = frozenset(
    {"accept", "walk_out.pressure", "walk_out.empty"}
    | {f"{Outcome.DECLINE}.{lack}" for lack in Missing}
    | {f"{Outcome.COUNTER}.{lack}" for lack in Missing if lack != Missing.COMMITMENT}
)


class Decided(Rule):
    """Words that only go with these outcomes."""

    only: tuple[Outcome, ...]


class Spoken(Value):
    """The words around the counterpart's prompt, and what its answer is checked for."""

    stances: dict[Stance, str]
    moments: dict[str, str]
    nothing_decided: str
    decisions: dict[str, str]
    most_sentences: int = Field(ge=1)
    most_characters: int = Field(ge=80)
    also: tuple[str, ...]
    rules: tuple[Rule, ...]
    decided: tuple[Decided, ...]


@cache
def load_spoken(path: Path = FILE) -> Spoken:
    """Load the file with the rules of style.yaml that hold too. Raises ScenarioError."""
    try:
        spoken = Spoken.model_validate(read(path).data)
    except ValidationError as problem:
        raise ScenarioError(f"{path}: {problem}") from problem
    style = {rule.name: rule for rule in load_style()}
    _refuse(path, "stances", set(Stance) ^ spoken.stances.keys())
    _refuse(path, "moments", (REACTIONS | PRESSES | OTHERS) ^ spoken.moments.keys())
    _refuse(path, "decisions", DECISIONS ^ spoken.decisions.keys())
    _refuse(path, "also", set(spoken.also) - style.keys())
    rules = (*spoken.rules, *(style[name] for name in spoken.also))
    return spoken.model_copy(update={"rules": rules})


def never_said(persona: Persona) -> Rule:
    """Return the words this person never says; without any, a rule that finds nothing."""
    words = tuple(words for words, always in never_phrases(persona) if always)
    return Rule(
        name="what they never say",
        level="error",
        why="persona.never has it",
        words=words,
        patterns=() if words else ("(?!)",),
    )


def _refuse(path: Path, place: str, names: Set[str]) -> None:
    if names:
        listed = ", ".join(sorted(map(str, names)))
        raise ScenarioError(f"{path}: {place}: missing or unknown: {listed}")
