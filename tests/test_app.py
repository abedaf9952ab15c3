"""The pages without a browser: quick paths through the real engine."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from agent.engine import Engine
from agent.errors import BackendError
from agent.session import ScriptedCritic, ScriptedVoice
from ui import shared

MAIN = str(Path(__file__).parents[1] / "ui" / "main.py")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    st.cache_resource.clear()
    made = Engine()
    made.__dict__ |= {"critic": ScriptedCritic(), "voice": ScriptedVoice()}
    monkeypatch.setattr(shared, "Engine", lambda: made)
    yield made
    st.cache_resource.clear()


def text_of(at: AppTest) -> str:
    return "\n".join(str(e.proto.body) for e in at.get("html"))


def opened(name: str) -> AppTest:
    """Return the conversation page at this id."""
    at = AppTest.from_file(MAIN, default_timeout=30).run()
    at.query_params["c"] = name
    return at.switch_page("page_conversation.py").run()


def test_the_first_page_shows_the_conversations_and_says_what_to_do(engine: Engine) -> None:
    at = AppTest.from_file(MAIN, default_timeout=30).run()
    assert not at.exception
    assert all(s.title in text_of(at) for s in engine.scenarios.values())
    assert "None yet. Begin one above" in text_of(at)


def test_own_conversations_are_listed(engine: Engine) -> None:
    engine.start("declare-vision").reply("Hello.", at=0)
    at = AppTest.from_file(MAIN, default_timeout=30).run()
    assert "Still open · 1 reply" in text_of(at)
    assert any(b.label == "Go on" for b in at.button)


def test_a_reply_is_answered_and_stored(engine: Engine) -> None:
    held = engine.start("declare-vision").transcript
    at = opened(held.id)
    at.chat_input[0].set_value("What did it cost you?").run()
    assert not at.exception
    assert "Critique of reply 1" in text_of(at)
    assert len(engine.resume(held.id).transcript.exchanges) == 1


def test_a_blank_reply_is_refused_and_nothing_is_stored(engine: Engine) -> None:
    held = engine.start("declare-vision").transcript
    at = opened(held.id)
    at.chat_input[0].set_value("   ").run()
    assert "The reply has no words" in text_of(at)
    assert not engine.resume(held.id).transcript.exchanges


def test_a_failing_engine_is_told_and_changes_nothing(engine: Engine) -> None:
    engine.__dict__["critic"] = ScriptedCritic(BackendError("The critic cannot be loaded."))
    held = engine.start("declare-vision").transcript
    at = opened(held.id)
    at.chat_input[0].set_value("A reply worth keeping.").run()
    assert "The critic cannot be loaded." in text_of(at)
    assert not engine.resume(held.id).transcript.exchanges


def test_a_reply_from_a_stale_tab_is_told_so(engine: Engine) -> None:
    held = engine.start("declare-vision").transcript
    at = opened(held.id)
    engine.resume(held.id).reply("From another tab.", at=0)
    at.chat_input[0].set_value("From this tab.").run()
    assert "went on in another tab" in text_of(at)
    assert "From another tab." in text_of(at)
    assert len(engine.resume(held.id).transcript.exchanges) == 1


def test_an_unknown_address_says_what_to_do(engine: Engine) -> None:
    assert "There is no conversation at this address" in text_of(opened("nothing"))


def test_the_learner_ends_it_and_reads_the_debrief(engine: Engine) -> None:
    session = engine.start("declare-vision")
    session.reply("Hello.", at=0)
    at = opened(session.transcript.id)
    next(b for b in at.button if b.label == "End it now").click().run()
    assert not at.exception
    shown = text_of(at)
    assert all(w in shown for w in ("Debrief", "Which words moved trust", "Stayed hidden"))
    assert not at.chat_input


def test_the_stance_line_can_be_switched_off(engine: Engine) -> None:
    session = engine.start("declare-vision")
    session.reply("Hello.", at=0)
    at = opened(session.transcript.id)
    assert 'class="er stance"' in text_of(at)
    at.toggle[0].set_value(False).run()
    assert 'class="er stance"' not in text_of(at)


def test_nothing_heavy_is_loaded_by_the_first_page() -> None:
    code = (
        "import sys; from agent.engine import Engine; e = Engine(); e.scenarios; e.rubric;"
        "e.store.summaries('local'); import ui.page_rehearse;"
        "bad = {'chromadb', 'onnxruntime', 'langchain', 'langchain_core', 'openai', 'tokenizers'};"
        "sys.exit(' '.join(bad & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_page_shows_without_an_error(engine: Engine) -> None:
    at = AppTest.from_file(MAIN, default_timeout=60).run()
    for page in ("page_about.py", "page_article.py"):
        at.switch_page(page).run()
        assert not at.exception


def test_a_reply_after_the_end_in_another_tab_is_shown_and_not_lost(engine: Engine) -> None:
    session = engine.start("declare-vision")
    session.reply("Hello.", at=0)
    at = opened(session.transcript.id)
    engine.resume(session.transcript.id).end()
    at.chat_input[0].set_value("What I still wanted to say.").run()
    shown = text_of(at)
    assert "ended in another tab" in shown and "What I still wanted to say." in shown


def test_a_reply_that_failed_is_back_in_the_box_of_a_later_visit(engine: Engine) -> None:
    engine.__dict__["voice"] = ScriptedVoice(BackendError("The endpoint is down."))
    held = engine.start("declare-vision").transcript
    at = opened(held.id)
    at.chat_input[0].set_value("Words worth keeping.").run()
    assert "The endpoint is down. What you typed is back in the box" in text_of(at)
    assert at.chat_input[0].proto.value == "Words worth keeping."
    at.switch_page("page_about.py").run()
    at.query_params["c"] = held.id
    for later in (at.switch_page("page_conversation.py").run(), opened(held.id)):
        assert later.chat_input[0].proto.value == "Words worth keeping."
    assert "has no answer yet" in text_of(later)
    engine.__dict__["voice"] = ScriptedVoice("Go on.")
    later.chat_input[0].set_value("Words worth keeping.").run()
    assert "has no answer yet" not in text_of(later)
    assert engine.store.draft("local", held.id) is None
