"""A conversation as a document: what every written form of it shows, in reading order. Pure."""

from collections.abc import Iterable, Iterator

from agent.debrief import OPEN, OUTCOMES, STANDING, Debrief, LedgerEntry
from agent.domain import Agreement, Critique, Exchange, Scenario, Transcript, Value
from agent.feedback import Feedback
from prompts import Rubric


class Turn(Value):
    """What one person said; under the learner's own, the notes on it as (label, text)."""

    who: str
    said: str
    own: bool = False
    notes: tuple[tuple[str, str], ...] = ()


class Section(Value):
    """A heading and the lines under it."""

    heading: str
    rows: tuple[str, ...]


class Report(Value):
    """A whole conversation: the brief, what was said, and what it showed."""

    title: str
    brief: tuple[str, ...]
    turns: tuple[Turn, ...]
    sections: tuple[Section, ...]


def report(
    transcript: Transcript, words: Iterable[Feedback], result: Debrief, rubric: Rubric
) -> Report:
    """Return a conversation as a document; `words` are the critiques, one a reply."""
    return Report(
        title=transcript.scenario.title,
        brief=_brief(transcript.scenario),
        turns=tuple(_turns(transcript, words, rubric)),
        sections=tuple(s for s in _sections(result, rubric) if s.rows),
    )


def _brief(scenario: Scenario) -> tuple[str, ...]:
    who = f"You meet {scenario.persona.name}, {scenario.persona.role}."
    return (scenario.situation.strip(), who, f"The purpose: {scenario.purpose}")


def _turns(transcript: Transcript, words: Iterable[Feedback], rubric: Rubric) -> Iterator[Turn]:
    name = transcript.scenario.persona.name
    yield Turn(who=name, said=transcript.opening.say)
    for exchange, said in zip(transcript.exchanges, words, strict=True):
        notes = tuple(_notes(exchange, said, rubric))
        yield Turn(who="You", said=exchange.critique.reply, own=True, notes=notes)
        yield Turn(who=name, said=exchange.speech.text)
    if transcript.ending:
        yield Turn(who=name, said=transcript.ending.speech.text)


def _notes(exchange: Exchange, words: Feedback, rubric: Rubric) -> Iterator[tuple[str, str]]:
    """Give the score of a reply, what was found in it, and the critique."""
    overall = exchange.critique.overall
    yield "Score", f"{overall} of 4: {rubric.overall[overall]}"
    yield from _found(exchange.critique, rubric)
    yield from words.rows()


def _found(critique: Critique, rubric: Rubric) -> Iterator[tuple[str, str]]:
    for finding in critique.findings:
        sign = "+" if finding.move.good else "\N{MINUS SIGN}"
        yield f"{sign} {rubric.moves[finding.move].name}", f"“{critique.words(finding)}”"


def _sections(result: Debrief, rubric: Rubric) -> Iterator[Section]:
    names = {move.value: text.name for move, text in rubric.moves.items()}
    ended = OUTCOMES[result.outcome] if result.outcome else OPEN
    yield Section(heading="How it ended", rows=(f"{ended}. {result.reason}",))
    yield Section(heading="Capabilities", rows=tuple(_scores(result, rubric)))
    ledger = tuple(_entry(entry, names) for entry in result.ledger)
    yield Section(heading="Which words moved trust", rows=ledger)
    yield Section(heading="What they were concerned about", rows=tuple(_concern(result)))
    made = tuple(_agreement(a, names) for a in result.agreements)
    yield Section(heading="What you put on the table", rows=made)
    if result.next:
        yield Section(heading="Next", rows=(f"{result.next.why} Practise: {result.next.scenario}",))


def _scores(result: Debrief, rubric: Rubric) -> Iterator[str]:
    for capability, score in result.scores.items():
        shown = "no occasion" if score.score is None else f"{score.score} of 4"
        yield f"{rubric.capabilities[capability].name}: {shown}. {score.because}"


def _entry(entry: LedgerEntry, names: dict[str, str]) -> str:
    moved = f"Reply {entry.exchange}: trust {entry.trust_before:.1f} to {entry.trust_after:.1f}"
    steps = ", ".join(f"{names.get(s.why, s.why)} {s.by:+.1f}" for s in entry.steps)
    out = f"Came out: {entry.came_out}" if entry.came_out else ""
    return ". ".join(part.rstrip(".") for part in (moved, steps, entry.note or "", out) if part)


def _concern(result: Debrief) -> Iterator[str]:
    yield from (f"Came out: {stage.knows}" for stage in result.came_out)
    for stage in result.hidden:
        short = f" {stage.short}" if stage.short else ""
        yield f"Stayed hidden: {stage.knows} What would have brought it out: {stage.wants}{short}"


def _agreement(made: Agreement, names: dict[str, str]) -> str:
    terms = f" ({made.terms})" if made.terms else ""
    return f"{names[made.move]}, {STANDING[made.standing]}: “{made.words}”{terms}"
