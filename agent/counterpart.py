"""What moves the counterpart (`advance`, `leave`) and what it may say yet (`brief`). Pure.

Everything is computed from the transcript and the critique: the critic judges the reply, this
module decides what the reply does to the other person.
"""

from typing import Final

from agent import trust, words
from agent.domain import (
    Brief,
    CounterpartState,
    Critique,
    Line,
    Missing,
    Move,
    Outcome,
    Scenario,
    Stance,
    Topic,
    Transcript,
)
from agent.trust import TUNING


def advance(before: Transcript, critique: Critique) -> CounterpartState:
    """Return where one reply leaves the other person."""
    was = before.state
    repeated = trust.says_nothing_new(before, critique.reply)
    mended = not repeated and trust.mends(before, critique)
    steps = trust.steps(before, critique, repeated=repeated, mended=mended)
    hurt = 0.0 if mended else was.hurt + trust.pressed(steps)
    state = CounterpartState(
        trust=trust.total(before, critique, steps, repeated=repeated),
        disclosed=was.disclosed,
        patience=trust.patience(before, critique, repeated=repeated),
        hurt=round(hurt, 2),
        agreements=was.agreements if repeated else trust.agreements(before, critique),
        steps=steps,
        repeated=repeated,
    )
    if _comes_out(before, critique, state):
        return _with_stance(state.model_copy(update={"disclosed": was.disclosed + 1}))
    return _with_stance(_decided(before, critique, state))


def leave(before: Transcript) -> CounterpartState:
    """Return where the other person stands when the learner ends the conversation."""
    state = before.state.model_copy(update={"steps": (), "tested": False, "repeated": False})
    return _with_stance(_concluded(before.scenario, state))


def missing(scenario: Scenario, state: CounterpartState) -> tuple[Missing, ...]:
    """Return what stands between this person and a yes, the first to be named first."""
    on_the_table = [a for a in state.agreements if a.move in scenario.decides_on and a.apt]
    lacks = []
    if not on_the_table:
        lacks.append(Missing.COMMITMENT)
    if state.disclosed < len(scenario.concern):
        lacks.append(Missing.CONCERN)
    if scenario.needs_terms and on_the_table and not any(a.terms for a in on_the_table):
        lacks.append(Missing.TERMS)
    if state.trust < scenario.accept_at or state.hurt:
        lacks.append(Missing.TRUST)
    return tuple(lacks)


# --- what comes out, and the decision -------------------------------------------------------------


def _comes_out(before: Transcript, critique: Critique, state: CounterpartState) -> bool:
    concern = before.scenario.concern
    if state.repeated or state.hurt or state.patience == 0 or state.disclosed >= len(concern):
        return False
    listened = critique.moves() & frozenset(before.scenario.listens_for)
    earned = bool(listened) or trust.twice_exemplary(before, critique)
    last_turn = len(before.exchanges) + 1 >= TUNING.limit
    return earned and state.trust >= concern[state.disclosed].gate and not last_turn


def _decided(before: Transcript, critique: Critique, state: CounterpartState) -> CounterpartState:
    scenario = before.scenario
    if state.patience == 0:
        if not state.hurt and _did_something(before, critique):
            return _concluded(scenario, state)
        return _settled(scenario, state, Outcome.WALK_OUT, "pressure" if state.hurt else "empty")
    deciding = {*scenario.decides_on, Move.TERMS} if state.agreements else set(scenario.decides_on)
    tested = not state.repeated and bool(critique.moves() & deciding)
    lacks = missing(scenario, state)
    against = any(not f.move.good and f.move != Move.VAGUENESS for f in critique.findings)
    apt = critique.overall >= TUNING.yes_from
    if tested and apt and not lacks and not against:
        return _settled(scenario, state, Outcome.ACCEPT, None)
    if len(before.exchanges) + 1 >= TUNING.limit:
        return _concluded(scenario, state)
    return state.model_copy(update={"tested": tested, "missing": lacks if tested else ()})


def _did_something(before: Transcript, critique: Critique) -> bool:
    """Whether they made a move, or kept to the matter: then they are told no, not left."""
    critiques = [*(e.critique for e in before.exchanges), critique]
    on_task = sum(trust.about_this(before, c.reply, ON_TASK) for c in critiques)
    moved = any(f.move.good for c in critiques for f in (*c.findings, *c.possible))
    return moved or 2 * on_task > len(critiques)


def _concluded(scenario: Scenario, state: CounterpartState) -> CounterpartState:
    """Decide on what is on the table: yes, a smaller yes, or no, and what was missing."""
    lacks = missing(scenario, state)
    if not lacks:
        return _settled(scenario, state, Outcome.ACCEPT, None)
    state = state.model_copy(update={"missing": lacks})
    if Missing.COMMITMENT not in lacks and not state.hurt and state.trust >= TUNING.counter_at:
        return _settled(scenario, state, Outcome.COUNTER, lacks[0])
    return _settled(scenario, state, Outcome.DECLINE, lacks[0])


def _settled(
    scenario: Scenario, state: CounterpartState, outcome: Outcome, reason: str | None
) -> CounterpartState:
    """Decide; what was no part of the decision, a side request say, is left open."""
    standing = {Outcome.ACCEPT: "accepted", Outcome.COUNTER: "open"}.get(outcome, "declined")
    agreements = tuple(
        a.model_copy(update={"standing": standing})
        if a.apt and a.move in scenario.decides_on
        else a
        for a in state.agreements
    )
    return state.model_copy(update={"outcome": outcome, "reason": reason, "agreements": agreements})


def _with_stance(state: CounterpartState) -> CounterpartState:
    if state.hurt:
        stance = Stance.CLOSED
    elif state.trust < TUNING.guarded_under:
        stance = Stance.GUARDED
    else:
        stance = Stance.OPEN if state.trust >= TUNING.open_from else Stance.TESTING
    return state.model_copy(update={"stance": stance})


# --- what may be said -----------------------------------------------------------------------------

ON_TASK: Final = 2  # content words of this conversation in a reply that keeps to the matter
MOVES: Final = frozenset(move.value for move in Move)
RECALL_AFTER: Final = 3
PRESS_FROM: Final = 3
SHORT_QUOTE: Final = 9  # words of the learner's that can be said back in one breath


def brief(before: Transcript, state: CounterpartState, reply: str | None) -> Brief:
    """Return all a voice is told: nothing in it comes from a stage that is not out.

    `reply` is None when the learner ended the conversation.
    """
    scenario = before.scenario
    cues = _cues(before, state, reply)
    return Brief(
        persona=scenario.persona,
        stance=state.stance,
        reply=reply or "",
        cues=cues,
        after=_after(before, state, cues),
        own_words=_own_words(before, state, reply or "", cues[0]),
        knows=tuple(stage.knows for stage in scenario.concern[: state.disclosed]),
        topics=_topics(before, state),
        lines=tuple(line for line in scenario.lines if _may_be_said(line, before.state, state)),
        said=_said(before),
        history=before.history(),
        turn=len(before.exchanges),
    )


def _cues(before: Transcript, state: CounterpartState, reply: str | None) -> tuple[str, ...]:
    """Return the moments this is, the most pressing first; `general` fits where none has a line."""
    if state.outcome is not None:
        return _ending_cues(state)
    if state.disclosed > before.state.disclosed:
        return (f"reveal.{state.disclosed}", *_reactions(before.scenario, state), "general")
    cues = [cue for cue, holds in _rules(before, state, reply or "") if holds]
    return (*cues, *_reactions(before.scenario, state), "general")


def _ending_cues(state: CounterpartState) -> tuple[str, ...]:
    if state.outcome == Outcome.ACCEPT:
        return ("accept",)
    return tuple(f"{state.outcome}.{lack}" for lack in (state.reason, *state.missing) if lack)


def _rules(before: Transcript, state: CounterpartState, reply: str) -> list[tuple[str, bool]]:
    critique_moved = any(step.why in MOVES for step in state.steps)
    return [
        ("repair", any(step.why == "repair" for step in state.steps)),
        ("repeated", state.repeated),
        ("asked_again", any(step.why == "asked again" for step in state.steps)),
        ("lost", not critique_moved and _makes_no_sense(reply)),
        ("silence", not critique_moved and _says_nothing(reply)),
        ("empty", not critique_moved),
    ]


def _makes_no_sense(reply: str) -> bool:
    letters = [c for c in reply if c.isalpha()]
    foreign = sum(1 for c in letters if ord(c) > 0x24F)
    return foreign * 2 > len(letters) or words.orders_a_machine(reply)


def _says_nothing(reply: str) -> bool:
    """Whether it is a silence or as good as one, such as "…", "No idea", "Okay"."""
    few = len(words.word_list(reply)) <= 4 and len(words.content_words(reply)) <= 1
    return few and "?" not in reply


def _reactions(scenario: Scenario, state: CounterpartState) -> list[str]:
    """Return a cue for each move that moved trust: what hurt first, then what is listened for."""
    moves = [(step.by, Move(step.why)) for step in state.steps if step.why in MOVES]
    ordered = sorted(moves, key=lambda m: (m[0] >= 0, m[1] not in scenario.listens_for, -abs(m[0])))
    return [f"react.{move}" for _, move in ordered]


def _after(before: Transcript, state: CounterpartState, cues: tuple[str, ...]) -> tuple[str, ...]:
    """Return what may follow in the same breath: what a decision still lacks, or a promise kept."""
    if state.outcome or cues[0].startswith("reveal") or state.hurt or state.repeated:
        return ()
    if state.missing:
        return tuple(f"press.{lack}" for lack in state.missing)
    number = len(before.exchanges)
    if _old_promise(before, state) and number % RECALL_AFTER == 0:
        return ("recall",)
    if number >= PRESS_FROM and number % 2 and not state.agreements:
        return ("press.commitment",)
    return ()


def _old_promise(before: Transcript, state: CounterpartState) -> str | None:
    """Return the words of a promise or offer that was made some turns ago and is short enough."""
    number = len(before.exchanges)
    for agreement in state.agreements:
        old = number - agreement.exchange >= RECALL_AFTER
        short = len(words.word_list(agreement.words)) <= 2 * SHORT_QUOTE
        if old and short and agreement.move in (Move.PROMISE, Move.OFFER):
            return agreement.words.strip(" .,;:")
    return None


def _own_words(before: Transcript, state: CounterpartState, reply: str, cue: str) -> dict[str, str]:
    """Return the learner's own words that a line may take up, by the name of its slot."""
    quoted = [step.words for step in state.steps if step.words and cue == f"react.{step.why}"]
    said = quoted[0] if quoted else reply
    found = {
        "time": words.time_in(said) or words.time_in(reply),
        "number": words.number_in(said),
        "vague": words.vague_in(said),
        "promise": _old_promise(before, state),
        "words": quoted[0].strip(" .,;:") if quoted else None,
    }
    if found["words"] and len(words.word_list(found["words"])) > SHORT_QUOTE:
        found["words"] = None
    return {name: value for name, value in found.items() if value}


def _topics(before: Transcript, state: CounterpartState) -> tuple[Topic, ...]:
    """Return what may be asked about; facts of a stage that comes out now wait a turn."""
    scenario, out = before.scenario, before.state.disclosed
    facts = tuple(
        Topic(cue=fact.id, asks=fact.asks, say=fact.say)
        for fact in scenario.facts
        if fact.since <= out
    )
    if state.outcome:
        return facts
    stages = enumerate(scenario.concern, start=1)
    now = state.disclosed if state.disclosed > out else None
    return facts + tuple(
        Topic(cue=f"{'reveal' if n == now else 'dodge'}.{n}", asks=stage.asks)
        for n, stage in stages
        if n > out
    )


def _may_be_said(line: Line, was: CounterpartState, state: CounterpartState) -> bool:
    """Whether a line may be in the brief: a reveal only in the turn its stage comes out."""
    if line.on.startswith("reveal."):
        return state.disclosed > was.disclosed and line.on == f"reveal.{state.disclosed}"
    if line.on == "opening" or (line.stance and state.stance not in line.stance):
        return False
    return line.since <= state.disclosed and (line.until is None or state.disclosed <= line.until)


def _said(before: Transcript) -> tuple[str, ...]:
    return tuple(id_ for exchange in before.exchanges for id_ in exchange.speech.lines)
