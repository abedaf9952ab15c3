"""Rehearse: choose a conversation, or go on with one of your own."""

from collections.abc import Sequence

import streamlit as st

from agent.debrief import OPEN, OUTCOMES
from agent.domain import Outcome, Scenario
from agent.store import Summary
from ui import view
from ui.shared import begin, engine, telling, warm

COLUMNS = 3
SHOWN, WAITING = 12, 2  # of one's own conversations: all told, and above the cards


def choose() -> None:
    """Show the conversations there are, the easier ones first, or those of one capability."""
    scenarios = sorted(engine().scenarios.values(), key=lambda s: s.difficulty)
    names = {c: text.name for c, text in engine().rubric.capabilities.items()}
    wanted = st.pills("What you want to practise", list(names), format_func=names.__getitem__)
    if wanted:
        scenarios = [s for s in scenarios if wanted in s.practises]
    for first in range(0, len(scenarios), COLUMNS):
        columns = st.columns(COLUMNS, gap="medium")
        for column, scenario in zip(columns, scenarios[first : first + COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                card(scenario)


def card(scenario: Scenario) -> None:
    """Show one conversation to choose."""
    names = [engine().rubric.capabilities[c].name for c in scenario.practises]
    st.html(view.card(scenario, names))
    with st.container(height="stretch", vertical_alignment="bottom"):
        label = f"Begin with {scenario.persona.name.split()[0]}"
        if st.button(label, key=f"begin_{scenario.id}", type="primary", width="stretch"):
            begin(scenario.id)


def unfinished(rows: Sequence[Summary]) -> list[Summary]:
    """Show the latest conversations that wait for the next reply; return the other ones."""
    waiting = [row for row in rows if not row.outcome and row.replies][:WAITING]
    if waiting:
        st.html(view.heading("Where you were"))
        for row in waiting:
            one(row)
        st.html(view.heading("Begin another"))
    return [row for row in rows if row not in waiting]


def left_out() -> None:
    """Name the files of the learner's own that cannot be played."""
    if files := engine().left_out:
        names = "\n".join(f"{file.name}: {reason}" for file, reason in files)
        under = f"`rehearsal lint` lists all of it. The files are in {files[0].file.parent}."
        text = f"Left out of your own conversations.\n{names}\n{under}"
        st.html(view.notice(text, calm=True))


def own(rows: Sequence[Summary]) -> None:
    """Show the learner's own conversations."""
    st.html(view.heading("Your conversations"))
    if not rows:
        st.html(view.paragraph("None yet. Begin one above; it is kept on this machine."))
    everything = st.session_state.get("show_all", False)
    for row in rows if everything else rows[:SHOWN]:
        one(row)
    if len(rows) > SHOWN:
        st.toggle(f"Show all {len(rows)}", key="show_all")


def one(row: Summary) -> None:
    """Show one of the learner's conversations and the way to it."""
    ended = OUTCOMES[Outcome(row.outcome)] if row.outcome else OPEN
    replies = "1 reply" if row.replies == 1 else f"{row.replies} replies"
    when = row.started_at.astimezone().strftime("%d %B %Y, %H:%M").lstrip("0")
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.html(view.entry(row.title, f"{ended} · {replies} · begun {when}"))
        label = "Read the debrief" if row.outcome else "Go on"
        if st.button(label, key=f"open_{row.id}"):
            st.switch_page("page_conversation.py", query_params={"c": row.id})


def main() -> None:
    """Show the page."""
    st.set_page_config(page_title="Executive Rehearsal", layout="wide")
    intro = (
        "Pick a conversation of the executive role and hold it. After each reply you see which of "
        "your words did what. The other person has a worry they do not say at once, does not give "
        "in to pressure, and does not coach."
    )
    st.html(view.heading("Rehearse a conversation", 1, intro))
    with telling():
        rows = engine().store.summaries(engine().settings.owner)
        others = unfinished(rows)
        choose()
        left_out()
        if others or not rows:
            own(others)
    warm()


if __name__ == "__main__":
    main()
