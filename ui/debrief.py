"""The debrief of a conversation that is over, on its page."""

from functools import partial

import streamlit as st

from agent.debrief import Debrief
from agent.domain import Transcript
from ui import view, view_debrief
from ui.shared import begin, bring_into_view, engine

LINKED = "Where the name of a move is a link, it opens what the article says of it in a new tab."


def show(transcript: Transcript) -> None:
    """Show what the conversation showed, and what to practise next."""
    from knowledge.links import spoken_of

    result, spoken = engine().debrief(transcript), spoken_of()
    names = {move.value: text.name for move, text in engine().rubric.moves.items()}
    st.html(view.heading("Debrief", 1, here=True))
    st.html(view_debrief.outcome(result))
    st.html(view.heading("Capabilities"))
    st.html(view_debrief.scores(result, engine().rubric, spoken))
    st.html(view.heading("Which words moved trust"))
    st.html(view.paragraph(LINKED, "quiet"))
    st.html(view_debrief.ledger(result.ledger, names, spoken))
    first = transcript.scenario.persona.name.split()[0]
    st.html(view.heading(f"What {first} was concerned about"))
    st.html(view_debrief.concern(result))
    st.html(view.heading("What you put on the table"))
    st.html(view_debrief.agreements(result.agreements, names))
    further(result)
    keep(transcript)
    bring_into_view()


def further(result: Debrief) -> None:
    """Offer the next practice, with what the article says of it."""
    from knowledge.links import link

    st.html(view.heading("Next"))
    target = engine().scenarios.get(result.next.scenario or "") if result.next else None
    if result.next and target:
        st.html(view.paragraph(f"{result.next.why} “{target.title}” practises it."))
        if words := link(result.next.capability):
            st.html(view.cited(words))
        if st.button(f"Begin “{target.title}”", type="primary", key="next"):
            begin(target.id)
    st.page_link("page_rehearse.py", label="All conversations")


def keep(transcript: Transcript) -> None:
    """Offer the conversation with its critique as files."""
    forms = {"HTML": "html", "Markdown": "md", "JSON": "json"}
    st.html(view.heading("Keep a copy", 3))
    with st.container(horizontal=True):
        for name, form in forms.items():
            data = partial(engine().written, transcript, form)  # only written when it is wanted
            file = f"{transcript.scenario.id}-{transcript.id[:8]}.{form}"
            st.download_button(f"Save as {name}", data, file, on_click="ignore")
