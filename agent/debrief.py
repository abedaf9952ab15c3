"""Transcript → Debrief: what the conversation showed. Pure.

A score is 0-4, or None where there was no occasion (never 0, never NaN): 0 worked against it, 1
called for and absent, 2 attempted, generic, 3 clear and specific, 4 exemplary and it changed what
the other person did.
"""

from collections.abc import Mapping
from typing import Final

from agent.domain import (
    Agreement,
    Capability,
    Critique,
    Exchange,
    Missing,
    Move,
    Outcome,
    Stage,
    Step,
    Transcript,
    Value,
)
from agent.rubric import HIGHEST
from prompts import CapabilityText, Rubric


class CapabilityScore(Value):
    """A score 0-4 or None, and what it rests on."""

    score: int | None
    because: str


class LedgerEntry(Value):
    """What one reply (1-based) did to trust (0-10), and what came out because of it.

    `note` says why trust did not move as the steps or the score would have it.
    """

    exchange: int
    trust_before: float
    trust_after: float
    steps: tuple[Step, ...]
    came_out: str | None
    note: str | None = None


class StageNote(Value):
    """A layer of the concern that came out."""

    name: str
    knows: str


class HiddenStage(Value):
    """A layer that stayed hidden, what would have brought it out, and what that fell short of."""

    name: str
    knows: str
    wants: str
    short: str | None = None


class NextPractice(Value):
    """What to practise next, and in which conversation."""

    capability: Capability
    scenario: str | None
    why: str


class Debrief(Value):
    """What a whole conversation showed."""

    outcome: Outcome | None
    reason: str
    scores: dict[Capability, CapabilityScore]
    ledger: tuple[LedgerEntry, ...]
    came_out: tuple[StageNote, ...]
    hidden: tuple[HiddenStage, ...]
    agreements: tuple[Agreement, ...]
    next: NextPractice | None


OUTCOMES: Final = {
    Outcome.ACCEPT: "A yes",
    Outcome.COUNTER: "A smaller yes",
    Outcome.DECLINE: "A no",
    Outcome.WALK_OUT: "Broken off by the other person",
}
OPEN: Final = "Still open"
STANDING: Final = {"open": "left open", "accepted": "accepted", "declined": "declined"}
CLEAR: Final = 3  # the score from which a reply is clear and specific
MOST_TRUST: Final = 10
ROUNDING: Final = 0.05  # of trust: sums of rounded steps differ by less
LACKED: dict[str, str] = {
    Missing.COMMITMENT: "Nothing was on the table to say yes or no to.",
    Missing.CONCERN: "What they were really worried about had not been spoken of.",
    Missing.TRUST: "They did not trust the word behind it enough yet.",
    Missing.TERMS: "There was no date and no test to hold it to.",
    "pressure": "They were pressed, and it was not put right.",
    "empty": "Too many replies had nothing in them that they could use.",
}


def debrief(
    transcript: Transcript,
    rubric: Rubric,
    practised_by: Mapping[Capability, tuple[str, ...]] = {},
) -> Debrief:
    """Return what the conversation showed; `practised_by` names scenarios for the next practice."""
    concern, state = transcript.scenario.concern, transcript.state
    scores = {c: _score(transcript, c, text) for c, text in rubric.capabilities.items()}
    return Debrief(
        outcome=state.outcome,
        reason=_reason(transcript),
        scores=scores,
        ledger=_ledger(transcript),
        came_out=tuple(StageNote(name=s.name, knows=s.knows) for s in concern[: state.disclosed]),
        hidden=_hidden(transcript),
        agreements=state.agreements,
        next=_next(transcript, rubric, scores, practised_by),
    )


def _reason(transcript: Transcript) -> str:
    state = transcript.state
    if state.outcome is None:
        return "The conversation is still open."
    end = transcript.scenario.ends[state.outcome]
    lacked = LACKED.get(state.reason or "")
    return f"{end} {lacked}" if lacked else end


def _ledger(transcript: Transcript) -> tuple[LedgerEntry, ...]:
    entries = []
    trust, disclosed = transcript.scenario.trust, 0
    for number, exchange in enumerate(transcript.exchanges, start=1):
        state = exchange.state
        out = transcript.scenario.concern[state.disclosed - 1].name
        entries.append(
            LedgerEntry(
                exchange=number,
                trust_before=trust,
                trust_after=state.trust,
                steps=state.steps,
                came_out=out if state.disclosed > disclosed else None,
                note=_note(transcript, exchange, state.trust - trust),
            )
        )
        trust, disclosed = state.trust, state.disclosed
    return tuple(entries)


def _note(transcript: Transcript, exchange: Exchange, moved: float) -> str | None:
    """Return why trust moved by more or less than the steps, or against the reply's score."""
    state, clear = exchange.state, exchange.critique.overall >= CLEAR
    summed = sum(step.by for step in state.steps)
    name = transcript.scenario.persona.name.split()[0]
    listened = exchange.critique.moves() & frozenset(transcript.scenario.listens_for)
    rules = (
        (state.repeated, "It said again what an earlier reply had said, so it moved nothing."),
        (moved - summed > ROUNDING and moved <= 0, "Trust cannot go under 0."),
        (moved - summed > ROUNDING, "Two replies at 4 in a row move more than their steps."),
        (summed - moved > ROUNDING and state.trust == MOST_TRUST, "Trust cannot go over 10."),
        (summed - moved > ROUNDING, f"Going further takes a move that {name} listens for."),
        (clear and moved <= 0, "A clear reply; what worked against it weighed as much."),
        (clear and not listened, f"A clear reply, in moves that {name} does not listen for first."),
    )
    return next((said for holds, said in rules if holds), None)


def _hidden(transcript: Transcript) -> tuple[HiddenStage, ...]:
    out = transcript.state.disclosed
    return tuple(
        HiddenStage(
            name=stage.name,
            knows=stage.knows,
            wants=stage.wants,
            short=None if at else _short_of(transcript, stage),
        )
        for at, stage in enumerate(transcript.scenario.concern[out:])
    )


def _short_of(transcript: Transcript, stage: Stage) -> str | None:
    """Return what kept the next layer in: the trust it takes, and whether it was asked about."""
    state = transcript.state
    asked = [
        n
        for n, exchange in enumerate(transcript.exchanges, start=1)
        if exchange.state.disclosed == state.disclosed
        and any(step.why == "asked about it" for step in exchange.state.steps)
    ]
    if not transcript.exchanges or state.trust >= stage.gate:
        return None
    short = f"It takes trust of {stage.gate:g}; you ended at {state.trust:.1f}."
    return f"You asked about it in reply {asked[-1]}, too early. {short}" if asked else short


def _score(transcript: Transcript, capability: Capability, text: CapabilityText) -> CapabilityScore:
    called_for = capability in transcript.scenario.practises
    shown = _with_any(transcript, text.shown_by)
    against = _with_any(transcript, text.against)
    if not shown and not against and not called_for:
        return CapabilityScore(score=None, because="There was no occasion for it here.")
    if len(against) > len(shown):
        return CapabilityScore(score=0, because=_quoted(against, text.against, "worked against it"))
    if not shown:
        return CapabilityScore(score=1, because="The conversation called for it; no reply did it.")
    own = tuple(move for move in text.shown_by if move not in text.beside)
    if not _with_any(transcript, own):
        because = _quoted(shown, text.beside, "touched on it")
        return CapabilityScore(score=2, because=because)
    return _shown(transcript, _with_any(transcript, own), own)


def _shown(
    transcript: Transcript, shown: list[Exchange], moves: tuple[Move, ...]
) -> CapabilityScore:
    exemplary = [e for e in shown if e.critique.overall == 4 and _changed(transcript, e)]
    clear = [e for e in shown if e.critique.overall >= CLEAR]
    if exemplary:
        why = _quoted(exemplary, moves, "changed what they did next")
        return CapabilityScore(score=4, because=why)
    if clear:
        return CapabilityScore(score=3, because=_quoted(clear, moves, "was clear and specific"))
    return CapabilityScore(score=2, because=_quoted(shown, moves, "tried it, in general terms"))


def _with_any(transcript: Transcript, moves: tuple[Move, ...]) -> list[Exchange]:
    return [e for e in transcript.exchanges if e.critique.moves() & frozenset(moves)]


def _changed(transcript: Transcript, exchange: Exchange) -> bool:
    """Whether something came out, or a yes was given, on this reply."""
    at = transcript.exchanges.index(exchange)
    before = transcript.exchanges[at - 1].state.disclosed if at else 0
    return exchange.state.disclosed > before or exchange.state.outcome == Outcome.ACCEPT


def _quoted(exchanges: list[Exchange], moves: tuple[Move, ...], did: str) -> str:
    return f"“{_first_words(exchanges[0].critique, moves)}” {did}."


def _first_words(critique: Critique, moves: tuple[Move, ...]) -> str:
    return next(critique.words(f) for f in critique.findings if f.move in moves).strip(" .,;:")


def _next(
    transcript: Transcript,
    rubric: Rubric,
    scores: Mapping[Capability, CapabilityScore],
    practised_by: Mapping[Capability, tuple[str, ...]],
) -> NextPractice | None:
    """Return the lowest scored capability this conversation practises, and where to practise it."""
    scored = [
        (s.score, c) for c in transcript.scenario.practises if (s := scores[c]).score is not None
    ]
    weakest = min(scored, key=lambda pair: pair[0] or 0, default=None)
    if weakest is None:
        return None
    score, capability = weakest
    others = [s for s in practised_by.get(capability, ()) if s != transcript.scenario.id]
    name = rubric.capabilities[capability].name
    return NextPractice(
        capability=capability,
        scenario=others[0] if others else transcript.scenario.id,
        why=f"{name} stood lowest here, at {score} of 4."
        if score != HIGHEST
        else f"{name} stood at {HIGHEST} here; hold it with somebody else.",
    )
