"""What a scenario must have before it can be played. Pure; `prompts/lint.py` looks further."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from agent.domain import Missing, Move, Outcome, Scenario
from prompts.document import Problem
from prompts.places import place_of
from prompts.text import VARIABLES, slots

TO_WRITE: Final = "WRITE:"  # what a starter file has where the author's words belong
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
    "unknown": 0,
    "aside": 0,
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


def check(scenario: Scenario) -> list[str]:
    """Return what is wrong with a scenario that has the right keys, as `place: reason`."""
    return [str(problem) for problem in problems(scenario)]


def problems(scenario: Scenario) -> list[Problem]:
    """Return what is wrong with a scenario that has the right keys."""
    counts = Counter(line.on for line in scenario.lines)
    return [
        *counted(counts, len(scenario.concern), len(scenario.facts)),
        *_slots(scenario),
        *_twice(scenario),
        *_to_be_written(scenario),
        *_rest(scenario),
    ]


def counted(counts: Mapping[str, int], stages: int, facts: int) -> Iterator[Problem]:
    """Yield what is wrong with the number of lines of each moment, and of facts."""
    least = dict(LEAST) | {
        f"{kind}.{n + 1}": 1 for n in range(stages) for kind in ("dodge", "reveal")
    }
    for cue in counts:
        if cue not in least:
            yield Problem(place_of(cue), "unknown moment")
    for cue, n in least.items():
        if counts.get(cue, 0) < n:
            yield Problem(place_of(cue), f"{counts.get(cue, 0)} lines, at least {n} are needed")
    if sum(counts.values()) < LEAST_LINES:
        yield Problem("lines", f"{sum(counts.values())}, at least {LEAST_LINES} are needed")
    if facts < LEAST_FACTS:
        yield Problem("facts", f"{facts}, at least {LEAST_FACTS} are needed")


def _slots(scenario: Scenario) -> Iterator[Problem]:
    """Yield slots nobody fills; an opening and a fact are said as they stand."""
    known = ", ".join(sorted(VARIABLES))
    for line in scenario.lines:
        for slot in sorted(slots(line.say) - VARIABLES):
            yield Problem(place_of(line.id), f"{{{slot}}} is not one of {known}")
        for slot in sorted(slots(line.say) & VARIABLES) if line.on == "opening" else ():
            yield Problem(place_of(line.id), f"{{{slot}}}: nothing has been said yet to put there")
    for fact in scenario.facts:
        for slot in sorted(slots(fact.say)):
            yield Problem(f"facts.{fact.id}", f"{{{slot}}}: a fact is said as it stands")


def _twice(scenario: Scenario) -> Iterator[Problem]:
    said = [(place_of(line.id), line.say) for line in scenario.lines]
    said += [(f"facts.{fact.id}", fact.say) for fact in scenario.facts]
    first: dict[str, str] = {}
    for place, text in said:
        if first.setdefault(text, place) != place:
            yield Problem(place, f"{text!r} stands twice (first at {first[text]})")
    ids = Counter(fact.id for fact in scenario.facts)
    for id_ in (id_ for id_, times in ids.items() if times > 1):
        yield Problem(f"facts.{id_}", "the id stands twice")


def _to_be_written(scenario: Scenario) -> Iterator[Problem]:
    """Yield texts that are blank, or still those of the starter file."""
    for place, text in _texts(scenario):
        if not text.strip():
            yield Problem(place, "is empty")
        elif TO_WRITE in text:
            yield Problem(place, "still to be written")


def _texts(scenario: Scenario) -> Iterator[tuple[str, str]]:
    persona = scenario.persona
    for name in ("title", "purpose", "situation"):
        yield name, getattr(scenario, name)
    for name in ("name", "role", "history", "voice"):
        yield f"persona.{name}", getattr(persona, name)
    yield from _numbered("persona.never", persona.never)
    for number, stage in enumerate(scenario.concern, start=1):
        for name in ("name", "knows", "wants"):
            yield f"concern.{number}.{name}", getattr(stage, name)
        yield from _numbered(f"concern.{number}.asks", stage.asks)
    for fact in scenario.facts:
        yield f"facts.{fact.id}.say", fact.say
        yield from _numbered(f"facts.{fact.id}.asks", fact.asks)
    yield from ((place_of(line.id), line.say) for line in scenario.lines)
    for move, two in scenario.models.items():
        yield from _numbered(f"models.{move}", two)
    yield from ((f"ends.{outcome}", text) for outcome, text in scenario.ends.items())


def _numbered(place: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((f"{place}.{number}", text) for number, text in enumerate(texts, start=1))


def _rest(scenario: Scenario) -> Iterator[Problem]:
    gates = [stage.gate for stage in scenario.concern]
    if gates != sorted(gates) or gates[-1] > scenario.accept_at:
        yield Problem("concern", "gates must rise, and stay at or under accept_at")
    for move, two in scenario.models.items():
        if len(two) < 2:
            yield Problem(f"models.{move}", "two are needed")
    for outcome in Outcome:
        if outcome not in scenario.ends:
            yield Problem(f"ends.{outcome}", "missing")
