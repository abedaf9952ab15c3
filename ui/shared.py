"""What all pages share: the engine, and how errors are shown."""

import threading

import streamlit as st

from agent.engine import Engine


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """Return the one engine of this server; it holds no learner's data."""
    made = Engine()
    threading.Thread(target=_warm, args=(made,), daemon=True).start()
    return made


def _warm(made: Engine) -> None:
    """Load the models while the learner reads the first page."""
    made.critic.read([("counterpart", "Well?")], "What do you need from me?")
    for scenario in made.scenarios.values():
        prepare = getattr(made.voice, "prepare", None)
        if prepare:
            prepare(scenario)


def keep_text(place: str, text: str, problem: Exception) -> None:
    """Remember what was typed and what went wrong, to be shown on the next run."""
    st.session_state[f"kept_{place}"] = (text, str(problem))


def show_kept(place: str) -> None:
    """Show what went wrong, and the typed text to copy or change."""
    kept = st.session_state.get(f"kept_{place}")
    if not kept:
        return
    text, problem = kept
    st.error(problem)
    shown = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "␀")
    st.text_area("What you typed is kept here", shown[:200_000], key=f"area_{place}", height=160)
    if st.button("Put it away", key=f"away_{place}"):
        del st.session_state[f"kept_{place}"]
        st.rerun()
