"""A conversation with a model, in a real browser: words as they come, Stop, reload, faults.

The endpoint is a scripted one on a real socket; critic local, voice a model.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from agent.store import SqlStore
from tests.browser.conftest import Server
from tests.browser.test_app import ASKS, begin, own_words, say
from tests.endpoint import MODEL, Endpoint, Handler, chunk, says, serving, status

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
Settle = Callable[[Page], None]


def talks_then_waits(handler: Handler) -> None:
    """Stream a whole sentence and the beginning of the next, then say nothing more."""
    handler.begin()
    handler.event(chunk("It cost us a winter. "))
    handler.event(chunk("And"))
    handler.endpoint.closing.wait(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Endpoint, Path]]:
    """The app with the voice of a scripted model, and where it keeps its data."""
    data = tmp_path_factory.mktemp("model")
    with serving() as endpoint:
        server = Server(data)
        server._env |= {
            "REHEARSAL_MODEL": MODEL,
            "REHEARSAL_CRITIC": "local",
            "REHEARSAL_MODEL_TIMEOUT": "20",
            "OPENAI_BASE_URL": endpoint.url,
            "OPENAI_API_KEY": "none",
        }
        server.start()
        yield server, endpoint, data
        server.stop()


@pytest.fixture
def endpoint(served: tuple[Server, Endpoint, Path]) -> Endpoint:
    return served[1]


@pytest.fixture
def talk(context: BrowserContext, served: tuple[Server, Endpoint, Path]) -> Page:
    """A page with a conversation just begun."""
    page = context.new_page()
    page.goto(served[0].url)
    begin(page)
    return page


def stored(page: Page, served: tuple[Server, Endpoint, Path]) -> int:
    """Return how many exchanges of the page's conversation are stored."""
    store = SqlStore(served[2] / "rehearsal.db")
    held = store.load("local", page.url.split("c=")[1])
    store.close()
    return len(held.exchanges)


def box(page: Page) -> str:
    return page.get_by_placeholder("Your reply").input_value()


def test_the_words_come_with_the_name_and_can_be_stopped(
    talk: Page, endpoint: Endpoint, served: tuple[Server, Endpoint, Path]
) -> None:
    endpoint.will(talks_then_waits)
    say(talk, ASKS)
    talk.locator(".turn .said").get_by_text("It cost us a winter.").wait_for(timeout=90_000)
    expect(talk.locator(".turn", has_text="It cost us a winter.").locator(".who")).to_contain_text(
        "Raewyn"
    )
    talk.get_by_role("button", name="Stop").click()
    talk.get_by_text("You stopped it.").wait_for(timeout=5_000)
    expect(talk.get_by_placeholder("Your reply")).to_have_value(ASKS)
    assert talk.get_by_text("It cost us a winter.").count() == 0
    assert stored(talk, served) == 0
    endpoint.will(says("It cost us a winter. Ask the crews."))
    talk.get_by_placeholder("Your reply").press("Enter")
    talk.get_by_text("Critique of reply 1:").wait_for()
    expect(talk.get_by_text("It cost us a winter. Ask the crews.")).to_be_visible()
    assert stored(talk, served) == 1
    expect(talk.get_by_text("You stopped it.")).to_have_count(0)
    assert box(talk) == ""


def test_a_reload_in_the_middle_of_the_words_loses_nothing(
    talk: Page, endpoint: Endpoint, served: tuple[Server, Endpoint, Path]
) -> None:
    endpoint.will(talks_then_waits)
    say(talk, ASKS)
    talk.get_by_text("It cost us a winter.").wait_for()
    talk.reload()
    talk.get_by_text("has no answer yet").wait_for()
    expect(talk.get_by_placeholder("Your reply")).to_have_value(ASKS)
    talk.wait_for_timeout(1_000)
    assert stored(talk, served) == 0


def test_a_second_reply_before_the_answer_loses_neither(
    talk: Page, endpoint: Endpoint, served: tuple[Server, Endpoint, Path]
) -> None:
    endpoint.will(talks_then_waits)
    say(talk, ASKS)
    talk.get_by_text("It cost us a winter.").wait_for()
    say(talk, "And one thing more.")
    talk.get_by_text("both are back in the box").wait_for()
    expect(talk.get_by_placeholder("Your reply")).to_have_value(f"{ASKS}\nAnd one thing more.")
    assert stored(talk, served) == 0


def test_a_dead_endpoint_is_told_and_the_text_is_back_also_after_a_reload(
    talk: Page, endpoint: Endpoint, served: tuple[Server, Endpoint, Path]
) -> None:
    endpoint.will(status(401))
    say(talk, ASKS)
    alert = talk.get_by_role("alert").get_by_text("is back in the box")
    alert.wait_for()
    expect(talk.get_by_placeholder("Your reply")).to_have_value(ASKS)
    talk.reload()
    talk.get_by_text("has no answer yet").wait_for()
    expect(talk.get_by_placeholder("Your reply")).to_have_value(ASKS)
    assert stored(talk, served) == 0


def test_markup_in_a_models_words_is_never_read_as_markup(
    talk: Page, endpoint: Endpoint, settle: Settle
) -> None:
    endpoint.will(says("It cost $x$ & $y$, a < b. So it goes."))
    say(talk, ASKS)
    talk.get_by_text("Critique of reply 1:").wait_for()
    settle(talk)
    assert talk.locator(".turn .said").last.inner_text() == "It cost $x$ & $y$, a < b. So it goes."
    assert own_words(talk) == ASKS


def test_a_restart_in_the_middle_of_the_words_loses_nothing(
    talk: Page, endpoint: Endpoint, served: tuple[Server, Endpoint, Path]
) -> None:
    endpoint.will(talks_then_waits)
    say(talk, ASKS)
    talk.get_by_text("It cost us a winter.").wait_for()
    address = talk.url
    served[0].stop()
    served[0].start()
    talk.goto(address)
    talk.get_by_text("has no answer yet").wait_for()
    expect(talk.get_by_placeholder("Your reply")).to_have_value(ASKS)
    assert stored(talk, served) == 0
