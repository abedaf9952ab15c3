"""Rehearse: choose a conversation, hold it, see the critique, read the debrief."""

import streamlit as st

from agent.debrief import Debrief
from agent.domain import Outcome, Scenario, Transcript
from agent.errors import RehearsalError
from agent.session import Session
from agent.store import Summary
from ui import view
from ui.shared import engine, keep_text, show_kept

OUTCOMES = {
    Outcome.ACCEPT: "They said yes",
    Outcome.COUNTER: "They offered something smaller",
    Outcome.DECLINE: "They said no",
    Outcome.WALK_OUT: "They ended it",
}
LEVELS = {1: "a first conversation", 2: "harder", 3: "hard"}


def choose() -> None:
    """Show the conversations there are, and the learner's own."""
    st.title("Rehearse a conversation")
    st.write(
        "Pick a conversation of the executive's role and hold it. After each reply you see which "
        "of your words did what. The other person does not give in, and does not coach."
    )
    for scenario in engine().scenarios.values():
        with st.container(border=True):
            card(scenario)
    own()


def card(scenario: Scenario) -> None:
    """Show one conversation to choose."""
    st.subheader(scenario.title)
    st.write(scenario.purpose)
    names = ", ".join(engine().rubric.capabilities[c].name.lower() for c in scenario.practises)
    who = f"With {scenario.persona.name}, {scenario.persona.role}"
    st.caption(f"{who} · about 15 minutes · {LEVELS[scenario.difficulty]} · practises: {names}")
    if st.button("Begin", key=f"begin_{scenario.id}", type="primary"):
        seen = sum(row.title == scenario.title for row in summaries())
        opening = seen % len(scenario.openings()) + 1
        st.query_params["c"] = engine().start(scenario.id, opening).transcript.id
        st.rerun()


def summaries() -> list[Summary]:
    """Return the learner's own conversations."""
    return engine().store.summaries(engine().settings.owner)


def own() -> None:
    """Show the learner's own conversations."""
    st.header("Your conversations")
    rows = summaries()
    if not rows:
        st.write("None yet. The first one you begin will be kept here, on this machine.")
    for row in rows[:20]:
        ended = OUTCOMES[Outcome(row.outcome)].lower() if row.outcome else "still open"
        if st.button(f"{row.title}: {row.replies} replies, {ended}", key=f"open_{row.id}"):
            st.query_params["c"] = row.id
            st.rerun()


def converse(transcript_id: str) -> None:
    """Show one conversation and take the next reply."""
    session = engine().resume(transcript_id)
    transcript = session.transcript
    top(transcript)
    st.html(view.turn(transcript.scenario.persona.name, transcript.opening.say))
    show = st.session_state.get("show_where", True)
    for n in range(len(transcript.exchanges)):
        exchange(transcript, n, show)
    if transcript.ending:
        name = transcript.scenario.persona.name
        st.html(view.turn(name, transcript.ending.speech.text))
    show_kept("reply")
    if transcript.over:
        debrief(transcript)
    else:
        take_reply(session)


def top(transcript: Transcript) -> None:
    """Show the way back and the brief."""
    scenario = transcript.scenario
    if st.button("← All conversations", type="tertiary"):
        st.query_params.clear()
        st.rerun()
    st.title(scenario.title)
    with st.expander("The brief", expanded=not transcript.exchanges):
        st.text(scenario.situation.strip())
        st.text(f"You meet {scenario.persona.name}, {scenario.persona.role}.")
        st.text(f"What it is for: {scenario.purpose}")


def exchange(transcript: Transcript, n: int, show_where: bool) -> None:
    """Show one reply, its critique, and the answer."""
    held = transcript.exchanges[n]
    words = engine().feedback(transcript, n)
    st.html(view.marked_turn("You", held.critique, engine().rubric))
    st.html(view.notes(words, held.critique.overall))
    why(words.missed_move or words.strength_move, n)
    name = transcript.scenario.persona.name
    st.html(view.turn(name, held.speech.text))
    if show_where:
        st.html(view.where(name, held))


def why(move: str | None, n: int) -> None:
    """Show what the article says of a move, where it says something."""
    from knowledge.links import link

    citation = link(move) if move else None
    if citation:
        with st.expander("Why it matters: the source"):
            st.html(view.quote(citation.text, citation.source))
            st.page_link("page_about.py", label="About the source")


def take_reply(session: Session) -> None:
    """Take one reply; whatever goes wrong, the typed text is kept."""
    at = len(session.transcript.exchanges)
    columns = st.columns([2, 1])
    columns[0].toggle("Show where they are", value=True, key="show_where")
    if at and columns[1].button("End the conversation"):
        try:
            session.end()
        except RehearsalError as problem:
            st.error(str(problem))
        else:
            st.rerun()
    text = st.chat_input("Your reply")
    if text is None:
        return
    st.session_state.pop("kept_reply", None)
    try:
        with st.spinner("…"):
            session.reply(text, at=at)
    except RehearsalError as problem:
        keep_text("reply", text, problem)
    st.rerun()


def debrief(transcript: Transcript) -> None:
    """Show what the conversation showed."""
    result = engine().debrief(transcript)
    st.header("Debrief")
    if result.outcome:
        st.subheader(OUTCOMES[result.outcome])
    st.text(result.reason)
    capabilities(result)
    moved(transcript, result)
    st.subheader("What came out, and what did not")
    for note in result.came_out:
        st.text(f"Came out: {note.knows}")
    for hidden in result.hidden:
        st.text(f"Stayed hidden: {hidden.knows}\nWhat would have brought it out: {hidden.wants}")
    further(transcript, result)


def capabilities(result: Debrief) -> None:
    """Show the scores, with what each rests on."""
    st.subheader("Capabilities")
    for capability, score in result.scores.items():
        name = engine().rubric.capabilities[capability].name
        if score.score is not None:
            st.text(f"{score.score} of 4   {name}\n{score.because}")
    quiet = [
        engine().rubric.capabilities[c].name for c, s in result.scores.items() if s.score is None
    ]
    if quiet:
        st.caption("No occasion here: " + ", ".join(quiet))


def moved(transcript: Transcript, result: Debrief) -> None:
    """Show which words moved trust, and by how much."""
    st.subheader("Which words moved trust")
    names = {m.value: t.name for m, t in engine().rubric.moves.items()}
    rows = []
    for entry in result.ledger:
        parts = [
            f"{s.by:+.1f} {names.get(s.why, s.why)}" + (f": “{s.words}”" if s.words else "")
            for s in entry.steps
        ]
        if entry.came_out:
            parts.append(f"Came out: {entry.came_out}")
        rows.append(
            (str(entry.exchange), "\n".join(parts) or "Nothing", f"{entry.trust_after:.1f}")
        )
    st.html(view.ledger(rows))


def further(transcript: Transcript, result: Debrief) -> None:
    """Offer the next practice and the downloads."""
    st.subheader("Next")
    if result.next and result.next.scenario in engine().scenarios:
        target = engine().scenarios[result.next.scenario]
        st.text(f"{result.next.why} “{target.title}” practises it.")
        if st.button(f"Begin “{target.title}”", type="primary"):
            st.query_params["c"] = engine().start(target.id).transcript.id
            st.rerun()
    from agent import export

    words = [engine().feedback(transcript, n) for n in range(len(transcript.exchanges))]
    rubric = engine().rubric
    files = {
        "md": export.as_markdown(transcript, words, result, rubric),
        "html": export.as_html(transcript, words, result, rubric),
        "json": export.as_json(transcript, words, result),
    }
    for column, (form, data) in zip(st.columns(3), files.items(), strict=True):
        column.download_button(f"Save as {form}", data, f"{transcript.id}.{form}")


def main() -> None:
    """Show the conversation of the URL, or all there are."""
    try:
        if "c" in st.query_params:
            converse(st.query_params["c"])
        else:
            choose()
    except RehearsalError as problem:
        st.error(str(problem))
        if st.button("All conversations"):
            st.query_params.clear()
            st.rerun()


main()
