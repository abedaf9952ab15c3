"""The debrief of a conversation that is over, on its page."""

import streamlit as st

from agent.debrief import Debrief
from agent.domain import Transcript
from ui import view, view_debrief
from ui.shared import begin, bring_into_view, engine


def show(transcript: Transcript) -> None:
    """Show what the conversation showed, and what to practise next."""
    result = engine().debrief(transcript)
    names = {move.value: text.name for move, text in engine().rubric.moves.items()}
    st.html(view.heading("Debrief", 1, here=True))
    st.html(view_debrief.outcome(result))
    st.html(view.heading("Capabilities"))
    st.html(view_debrief.scores(result, engine().rubric))
    st.html(view.heading("Which words moved trust"))
    st.html(view_debrief.ledger(result.ledger, names))
    first = transcript.scenario.persona.name.split()[0]
    st.html(view.heading(f"What {first} was concerned about"))
    st.html(view_debrief.concern(result))
    st.html(view.heading("What you put on the table"))
    st.html(view_debrief.agreements(result.agreements, names))
    further(result)
    keep(transcript, result)
    bring_into_view()


def further(result: Debrief) -> None:
    """Offer the next practice."""
    st.html(view.heading("Next"))
    target = engine().scenarios.get(result.next.scenario or "") if result.next else None
    if result.next and target:
        st.html(view.paragraph(f"{result.next.why} “{target.title}” practises it."))
        if st.button(f"Begin “{target.title}”", type="primary", key="next"):
            begin(target.id)
    st.page_link("page_rehearse.py", label="All conversations")


def keep(transcript: Transcript, result: Debrief) -> None:
    """Offer the conversation with its critique as files."""
    from agent import export

    words = [engine().feedback(transcript, n) for n in range(len(transcript.exchanges))]
    rubric = engine().rubric
    files = {
        "HTML": ("html", export.as_html(transcript, words, result, rubric)),
        "Markdown": ("md", export.as_markdown(transcript, words, result, rubric)),
        "JSON": ("json", export.as_json(transcript, words, result)),
    }
    st.html(view.heading("Keep a copy", 3))
    with st.container(horizontal=True):
        for name, (form, data) in files.items():
            file = f"{transcript.scenario.id}-{transcript.id[:8]}.{form}"
            st.download_button(f"Save as {name}", data, file, on_click="ignore")
