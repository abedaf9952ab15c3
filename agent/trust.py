"""How one reply moves trust and patience, and what it puts on the table. Pure.

Trust moves by what the critique found, never by length, politeness, fluency or praise. The
numbers are in `TUNING`.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from agent.domain import (
    Agreement,
    CounterpartState,
    Critique,
    Finding,
    Move,
    Scenario,
    Step,
    Transcript,
    Value,
)
from agent.words import TIMES, content_words, looks_back, only_looks_back, orders_a_machine

COMMITTING: Final = frozenset(
    {Move.REQUEST, Move.OFFER, Move.PROMISE, Move.DECLARATION, Move.EXPERIMENT}
)
DECIDABLE: Final = COMMITTING | {Move.INVITATION}  # an invitation only where a scenario says so
PRESS: Final = Move.PRESSURE.value
MENDING: Final = frozenset({Move.REFLECTION, Move.PROMISE, Move.NOT_KNOWING})


SPEECH_ACTS: Final = frozenset(
    content_words(
        "declare declaration commit commitment promise offer request terms condition satisfaction"
        " guarantee deadline date accountable owner invite experiment assessment value done"
    )
)


class Tuning(Value):
    """The numbers of the engine. Trust is 0-10; lists by overall score 0-4 are factors."""

    listened_for: float = 1.2
    other_good: float = 0.3
    by_overall: tuple[float, ...] = (0.0, 0.1, 0.4, 1.0, 1.3)
    stale: float = 0.3
    least_matter: int = 2
    same_move: float = 0.75
    most_a_reply: float = 2.2
    about_the_concern: float = 0.3
    short_of_gate: float = 0.1
    costs: dict[Move, float] = {  # noqa: RUF012 (pydantic copies it)
        Move.PRESSURE: 2.5,
        Move.DEFENCE: 1.0,
        Move.HYPE: 1.0,
        Move.PRESCRIPTION: 0.8,
        Move.EFFORT_PUSH: 0.7,
        Move.VAGUENESS: 0.4,
    }
    closing: float = 1.5
    asked_again: float = 0.5
    mended: float = 0.6
    guarded_under: float = 4.0
    open_from: float = 6.5
    counter_at: float = 4.5
    yes_from: int = 3
    limit: int = 12
    patience_pressure: int = 2


TUNING: Final = Tuning()


def steps(
    before: Transcript, critique: Critique, *, repeated: bool, mended: bool
) -> tuple[Step, ...]:
    """Return why trust moves, each reason with the words that did it."""
    was = before.state
    found = _costs(before.scenario, critique)
    if mended:
        found.append(Step(why="repair", by=round(was.hurt * TUNING.mended, 2)))
    if not repeated and not orders_a_machine(critique.reply):
        hurt = pressed(found) or (was.hurt and not mended)
        found += _gains(before, critique, hurt=bool(hurt))
    again = _asks_again(before, critique)
    if again:
        found.append(Step(why="asked again", by=-TUNING.asked_again, words=again))
    return tuple(found)


def _costs(scenario: Scenario, critique: Critique) -> list[Step]:
    steps: list[Step] = []
    seen: set[Move] = set()
    for finding in critique.findings:
        if not finding.move.good and finding.move not in seen:
            seen.add(finding.move)
            factor = TUNING.closing if finding.move in scenario.closes_on else 1.0
            cost = TUNING.costs[finding.move] * factor
            words = critique.words(finding)
            steps.append(Step(why=finding.move, by=-round(cost, 2), words=words))
    return steps


def pressed(steps: Iterable[Step]) -> float:
    """Return the trust that pressure cost (0 or more)."""
    return -sum(step.by for step in steps if step.why == Move.PRESSURE)


def _gains(before: Transcript, critique: Critique, *, hurt: bool) -> list[Step]:
    """Return what the good moves gained, each move once, the best of its quotes."""
    factor = TUNING.by_overall[critique.overall] * (0.5 if hurt else 1.0)
    best: dict[Move, Step] = {}
    for finding in critique.findings:
        if finding.move.good:
            by = factor * _worth(before, critique, finding)
            if by > best.get(finding.move, Step(why="", by=0)).by:
                words = critique.words(finding)
                best[finding.move] = Step(why=finding.move, by=round(by, 2), words=words)
    steps = list(best.values())
    if steps and _asks_about_the_next(before, critique):
        steps.append(Step(why="asked about it", by=round(factor * TUNING.about_the_concern, 2)))
    total = sum(step.by for step in steps)
    if total > TUNING.most_a_reply:
        shrink = TUNING.most_a_reply / total
        steps = [s.model_copy(update={"by": round(s.by * shrink, 2)}) for s in steps]
    return steps


def _worth(before: Transcript, critique: Critique, finding: Finding) -> float:
    listened = finding.move in before.scenario.listens_for
    base = TUNING.listened_for if listened else TUNING.other_good
    earlier = [e.critique for e in before.exchanges if finding.move in e.critique.moves()]
    known = frozenset[str]().union(
        *(content_words(c.words(f)) for c in earlier for f in c.findings if f.move == finding.move)
    )
    matter = matter_of(critique.words(finding))
    empty = len(matter) < TUNING.least_matter or not about_this(before, critique.words(finding))
    if empty or (earlier and not matter - known):
        return base * TUNING.stale ** max(1, len(earlier))
    weak = sum(1 for c in earlier if c.overall <= 2)
    return base * (TUNING.same_move**weak if critique.overall <= 2 else 1.0)


@lru_cache(maxsize=4096)
def matter_of(text: str) -> frozenset[str]:
    """Return the content words that say what it is about: no times, no names of speech acts."""
    return content_words(TIMES.sub(" ", text)) - SPEECH_ACTS


def about_this(before: Transcript, text: str, least: int = 1) -> bool:
    """Whether words touch anything in this conversation, by so many content words."""
    scenario = before.scenario
    facts, concern = (f.say for f in scenario.facts), (s.knows for s in scenario.concern)
    written = matter_in((scenario.situation, *facts, *concern))
    said = matter_in(tuple(words for _, words in before.history()))
    return len(matter_of(text) & (written | said)) >= least


@lru_cache(maxsize=256)
def matter_in(texts: tuple[str, ...]) -> frozenset[str]:
    """Return what any of the texts is about: a scenario's are joined once, not at every quote."""
    return frozenset[str]().union(*map(matter_of, texts))


def total(
    before: Transcript, critique: Critique, steps: Iterable[Step], *, repeated: bool
) -> float:
    """Add the steps up. Moves nobody listens for here warm, but never past the next gate."""
    was, scenario = before.state, before.scenario
    trust = was.trust + sum(step.by for step in steps)
    if not critique.moves() & frozenset(scenario.listens_for):
        trust = min(trust, max(was.trust, _next_gate(scenario, was) - TUNING.short_of_gate))
    if not repeated and twice_exemplary(before, critique):
        trust = max(trust, min(_next_gate(scenario, was), was.trust + TUNING.most_a_reply))
    return round(min(10.0, max(0.0, trust)), 2)


def _next_gate(scenario: Scenario, state: CounterpartState) -> float:
    if state.disclosed < len(scenario.concern):
        return scenario.concern[state.disclosed].gate
    return scenario.accept_at


def twice_exemplary(before: Transcript, critique: Critique) -> bool:
    """Whether this reply and the one before it are both at 4."""
    last = before.exchanges[-1].critique.overall if before.exchanges else 0
    return critique.overall == last == 4


def mends(before: Transcript, critique: Critique) -> bool:
    """Whether the reply makes good what pressure broke."""
    against = any(not move.good for move in critique.moves())
    if not before.state.hurt or against or critique.overall < 3:
        return False
    if twice_exemplary(before, critique):
        return True
    return bool(critique.moves() & MENDING) and _takes_up_the_press(before, critique.reply)


def _takes_up_the_press(before: Transcript, reply: str) -> bool:
    """Whether a reply speaks of what was done: it looks back, or says again what pressed them."""
    pressed_with = (
        step.words or "" for e in before.exchanges for step in e.state.steps if step.why == PRESS
    )
    return looks_back(reply) or bool(matter_of(reply) & matter_in(tuple(pressed_with)))


def _asks_about_the_next(before: Transcript, critique: Critique) -> bool:
    was, concern = before.state, before.scenario.concern
    if was.disclosed >= len(concern):
        return False
    asked = frozenset[str]().union(*map(content_words, concern[was.disclosed].asks))
    return any(
        len(content_words(critique.words(f)) & asked) >= 2
        for f in critique.findings
        if f.move == Move.OPEN_QUESTION
    )


def patience(before: Transcript, critique: Critique, *, repeated: bool) -> int:
    """Return the patience left after the reply."""
    was, most = before.state.patience, before.scenario.patience
    if Move.PRESSURE in critique.moves():
        return max(0, was - TUNING.patience_pressure)
    if critique.overall >= 3 and not repeated:
        return min(most, was + 1)
    good = [f for f in critique.findings if f.move.good]
    if good or any(f.move.good for f in critique.possible):
        return max(0, was - 1) if repeated else was
    idle_before = bool(before.exchanges) and not before.exchanges[-1].critique.findings
    idle = critique.overall <= 1 or idle_before
    return max(0, was - 1) if idle or repeated else was


def says_nothing_new(before: Transcript, reply: str) -> bool:
    """Whether the reply's words all stood in one earlier reply (a short "yes" does not count)."""
    words = content_words(reply)
    earlier = [e.critique.reply for e in before.exchanges]
    if reply.strip() in (text.strip() for text in earlier):
        return True
    return len(words) >= 3 and any(words <= content_words(text) for text in earlier)


def agreements(before: Transcript, critique: Critique) -> tuple[Agreement, ...]:
    """Return what the learner has put on the table so far, this reply included."""
    binding = COMMITTING | (DECIDABLE & set(before.scenario.decides_on))
    terms = [critique.words(f) for f in critique.findings if f.move == Move.TERMS]
    first = terms[0] if terms else None
    kept = list(before.state.agreements)
    new = [
        Agreement(
            move=f.move,
            words=critique.words(f),
            exchange=len(before.exchanges),
            terms=first,
            apt=about_this(before, critique.words(f)),
        )
        for f in critique.findings
        if f.move in binding and not _is_an_apology(f, critique)
    ]
    if first and not new and kept and kept[-1].terms is None:
        kept[-1] = kept[-1].model_copy(update={"terms": first})
    return (*kept, *new)


def _is_an_apology(finding: Finding, critique: Critique) -> bool:
    """Whether what was taken for a promise only speaks of what was."""
    return finding.move == Move.PROMISE and only_looks_back(critique.words(finding))


def _asks_again(before: Transcript, critique: Critique) -> str | None:
    """Return the words that ask again for what was not accepted, with nothing new in them."""
    for finding in critique.findings:
        if finding.move in before.scenario.decides_on:
            new = content_words(critique.words(finding))
            for earlier in before.state.agreements:
                if earlier.move == finding.move and new and new <= content_words(earlier.words):
                    return critique.words(finding)
    return None
