"""Lines that are never said, and moments that run out of lines. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from agent.domain import MOVES_AGAINST, Line, Missing, Move, Scenario, Stance
from agent.trust import DECIDABLE
from prompts.check import LEAST
from prompts.places import place_of
from prompts.reach import AS_WRITTEN, open_from, slots_for, when
from prompts.remarks import Remark, error, warning
from prompts.text import slots

ENOUGH: Final = 2  # lines that can be said in each stance, whatever the learner's words are
QUOTES: Final = "“‘\"'«„"


def never_said(scenario: Scenario) -> Iterator[Remark]:
    """Yield lines and facts that no conversation can bring."""
    stages = len(scenario.concern)
    for line in scenario.lines:
        place = place_of(line.id)
        if line.on.startswith(AS_WRITTEN):
            if line.stance or line.since or line.until is not None:
                yield warning(place, "stance, since and until are not looked at here")
        elif reason := _never(line, scenario):
            yield error(place, f"is never said: {reason}")
        elif line.stance == (Stance.OPEN,) and when(line, scenario).last < open_from(scenario):
            yield warning(
                place,
                f"is hardly ever said: with these gates they are open only once "
                f"{open_from(scenario)} stages are out",
            )
        for slot in sorted(slots(line.say) - slots_for(line.on)):
            yield error(place, f"is never said: {{{slot}}} is never filled at this moment")
    for fact in scenario.facts:
        if fact.since > stages:
            yield error(f"facts.{fact.id}", f"is never said: since {fact.since} of {stages} stages")


def _never(line: Line, scenario: Scenario) -> str | None:
    stages = len(scenario.concern)
    at = when(line, scenario)
    if line.since > stages:
        return f"since {line.since} of {stages} stages"
    if line.until is not None and line.until < line.since:
        return f"until {line.until} is before since {line.since}"
    if at.first > at.last:
        return f"{line.on} is never asked for with so many stages out"
    if not at.stances:
        return f"{line.on} is never asked for when they are {' or '.join(line.stance)}"
    return None


def loose_quotes(scenario: Scenario) -> Iterator[Remark]:
    """Yield lines that say the learner's exact words back without quotation marks."""
    for line in scenario.lines:
        for slot in ("{words}", "{promise}"):
            before = line.say.partition(slot)[0]
            if slot in line.say and not before.endswith(tuple(QUOTES)):
                yield warning(place_of(line.id), f"{slot} is a quote: put quotation marks round it")


def asks_twice(scenario: Scenario) -> Iterator[Remark]:
    """Yield reactions that ask two things at once."""
    for line in scenario.lines:
        if line.on.startswith("react.") and line.say.count("?") > 1:
            yield warning(place_of(line.id), "asks two things; the learner answers one")


def thin(scenario: Scenario) -> Iterator[Remark]:
    """Yield the moments that come often and run out, by stance and stages out."""
    for move in Move:
        enough = ENOUGH if move in scenario.listens_for else 1
        yield from _thin(f"react.{move}", enough, scenario)
    yield from _thin("general", ENOUGH, scenario)


def _thin(cue: str, enough: int, scenario: Scenario) -> Iterator[Remark]:
    if len(scenario.lines_on(cue)) < LEAST[cue]:
        return  # said by `prompts/check.py`
    lines = [ln for ln in scenario.lines_on(cue) if not slots(ln.say)]
    for stance in Stance:
        if cue == f"react.{Move.PRESSURE}" and stance != Stance.CLOSED:
            continue
        first = open_from(scenario) if stance == Stance.OPEN else 0
        counts = {out: _open_lines(lines, stance, out) for out in _stages(scenario, first)}
        few = [out for out, count in counts.items() if count < enough]
        if few:
            least = min(counts.values())
            yield warning(
                place_of(cue),
                f"{least or 'no'} line{'s' * (least != 1)} without a slot when they are {stance} "
                f"with {_listed(few)} stages out; {enough} wanted",
            )


def _stages(scenario: Scenario, first: int) -> range:
    return range(first, len(scenario.concern) + 1)


def _open_lines(lines: Iterable[Line], stance: Stance, out: int) -> int:
    return sum(
        1
        for ln in lines
        if (not ln.stance or stance in ln.stance)
        and ln.since <= out
        and (ln.until is None or out <= ln.until)
    )


def _listed(numbers: list[int]) -> str:
    """Return "0", "0 or 1", "0 to 3": the numbers are in order, mostly without gaps."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(map(str, numbers))


def moves_that_do_nothing(scenario: Scenario) -> Iterator[Remark]:
    """Yield moves under a key where the engine makes nothing of them, and missing models."""
    for move in scenario.listens_for:
        if move in MOVES_AGAINST:
            yield error("listens_for", f"{move} works against the speaker; nobody listens for it")
        elif move not in scenario.models:
            yield error(f"models.{move}", "missing: two replies, for a move that is listened for")
    for move in scenario.closes_on:
        if move not in MOVES_AGAINST:
            yield error("closes_on", f"{move} closes nobody: only moves against the speaker do")
    for move in scenario.decides_on:
        if move not in DECIDABLE:
            able = ", ".join(sorted(DECIDABLE))
            yield error("decides_on", f"{move} puts nothing on the table ({able} do)")


def no_terms(scenario: Scenario) -> Iterator[Remark]:
    """Yield a `needs_terms` that the moves cannot meet."""
    if scenario.needs_terms and Move.TERMS not in (*scenario.listens_for, *scenario.models):
        yield warning(
            f"models.{Move.TERMS}",
            f"a yes takes {Missing.TERMS}, and no model reply shows how they are said",
        )
