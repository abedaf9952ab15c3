"""When a line can be said at all: the stages and stances `agent/counterpart.py` asks for it. Pure.

Stages are counted by how many are out: 0 to the number of stages of the concern.
"""

from typing import Final, NamedTuple

from agent.domain import Line, Missing, Scenario, Stance
from agent.trust import TUNING
from prompts.text import VARIABLES

ANY: Final = frozenset(Stance)
NOT_CLOSED: Final = ANY - {Stance.CLOSED}
WARM: Final = frozenset({Stance.TESTING, Stance.OPEN})
AS_WRITTEN: Final = ("opening", "reveal")  # said whatever `stance`, `since` and `until` are
QUOTING: Final = ("react", "general", "press", "recall", "dodge", "asked_before")


class Moment(NamedTuple):
    """The stances and the numbers of stages out at which a cue can be asked for."""

    stances: frozenset[Stance]
    first: int
    last: int


def moment(cue: str, scenario: Scenario) -> Moment:
    """Return when a cue can be asked for, whatever the learner says."""
    kind, _, which = cue.partition(".")
    stages = len(scenario.concern)
    first, last = 0, stages
    if kind == "accept":
        first = stages
    elif kind == "dodge" and which.isdigit():
        last = int(which) - 1
    elif which == Missing.CONCERN and kind in ("press", "counter", "decline"):
        last = stages - 1
    elif cue == "walk_out.empty":
        last = 0
    return Moment(_stances(kind, which, scenario), first, last)


def _stances(kind: str, which: str, scenario: Scenario) -> frozenset[Stance]:
    if (kind, which) in (("react", "pressure"), ("walk_out", "pressure")):
        return frozenset({Stance.CLOSED})
    if kind == "accept" and scenario.accept_at >= TUNING.open_from:
        return frozenset({Stance.OPEN})
    if kind in ("press", "counter", "recall", "repair", "accept", "walk_out"):
        stances = WARM if kind in ("counter", "accept") else NOT_CLOSED
        never_open = which == Missing.TRUST and scenario.accept_at <= TUNING.open_from
        return stances - {Stance.OPEN} if never_open else stances
    return ANY


def when(line: Line, scenario: Scenario) -> Moment:
    """Return when a line can be said; no stances, or `first` after `last`, is never."""
    at = moment(line.on, scenario)
    if line.on.startswith(AS_WRITTEN):
        stage = int(line.on[7:]) if line.on[7:].isdigit() else 0
        return Moment(ANY, stage, stage)
    until = at.last if line.until is None else min(at.last, line.until)
    stances = at.stances & frozenset(line.stance) if line.stance else at.stances
    return Moment(stances, max(at.first, line.since), until)


def slots_for(cue: str) -> frozenset[str]:
    """Return the slots that can be filled at a moment: a quote takes a reply that moved trust."""
    return VARIABLES if cue.startswith(QUOTING) else VARIABLES - {"words"}


def open_from(scenario: Scenario) -> int:
    """Return how many stages are out before the person is first in the stance `open`.

    A reply moves trust by `most_a_reply` at most, and what brings a stage out takes one: with
    fewer stages out, trust stays under the next gate or within one such reply of the last one.
    (After pressure that was repaired it can be higher; such a course is left aside.)
    """
    reached = scenario.trust
    for out, stage in enumerate(scenario.concern):
        carried = reached + (TUNING.most_a_reply if out else 0)
        reached = max(carried, stage.gate)
        if carried >= TUNING.open_from or stage.gate > TUNING.open_from:
            return out
    return len(scenario.concern)
