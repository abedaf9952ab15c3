"""What all pages share: the engine, how it is warmed, and how a problem is shown."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import streamlit as st

from agent.engine import Engine
from agent.errors import RehearsalError
from ui import view
from ui.style import SCROLL


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """Return the one engine of this server; it holds no learner's data."""
    return Engine()


@st.cache_resource(show_spinner=False)
def warm() -> threading.Thread:
    """Load the models while the learner reads the first page; call it when that is drawn."""
    thread = threading.Thread(target=_load, args=(engine(),), daemon=True)
    thread.start()
    return thread


def _load(made: Engine) -> None:
    with suppress(Exception):  # whoever needs what cannot be loaded is told so then
        _load_all(made)


def _load_all(made: Engine) -> None:
    from agent.local_critic import LocalCritic

    if isinstance(made.critic, LocalCritic):  # a model's first words would cost somebody something
        made.critic.read([("counterpart", "Well?")], "What do you need from me?")
    for scenario in made.scenarios.values():
        made.voice.prepare(scenario)


@contextmanager
def telling() -> Iterator[None]:
    """Show a problem of the product's own on the page, in words, in place of what failed."""
    try:
        yield
    except RehearsalError as problem:
        st.html(view.notice(str(problem)))


def bring_into_view() -> None:
    """Move the page to the element with the id `here`."""
    st.html(f"<script>{SCROLL}</script>", unsafe_allow_javascript=True)


def begin(scenario_id: str) -> None:
    """Start a conversation with the next of its openings and go there."""
    with telling():
        held = engine().store.summaries(engine().settings.owner)
        before = sum(row.scenario_id == scenario_id for row in held)
        openings = len(engine().scenario(scenario_id).openings())
        with st.spinner("Preparing the conversation"):
            made = engine().start(scenario_id, before % openings + 1)
        st.switch_page("page_conversation.py", query_params={"c": made.transcript.id})
