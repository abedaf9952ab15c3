"""The app in a real browser, served as a user would serve it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="chromium is not installed, so the app was not tried in a browser",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
REPLY = (
    "By 1 October no crew starts a shift without its parts list. I will stand at the gate "
    "that morning, so that none of your crews has to wait for a van again."
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "REHEARSAL_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "REHEARSAL_PORT": str(port),
        "REHEARSAL_HOST": "127.0.0.1",
    }
    server = subprocess.Popen([sys.executable, "-m", "agent.cli", "serve"], env=env, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    for _ in range(150):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            break
        except OSError:
            time.sleep(0.2)
    yield address
    subprocess.run(["pkill", "-P", str(server.pid)], check=False)
    server.terminate()
    server.wait(10)


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.set_default_timeout(30_000)
        page.goto(url)
        yield page
        browser.close()
    away = [a for a in asked if a.startswith(("http", "ws")) and "//127.0.0.1" not in a]
    assert away == []


def begin(page: Page) -> None:
    page.get_by_role("button", name="Begin").first.click()
    page.get_by_role("heading", name="The fourth slogan").wait_for()


def say(page: Page, text: str) -> None:
    box = page.get_by_placeholder("Your reply")
    box.fill(text)
    box.press("Enter")


def test_a_conversation_is_held_reloaded_and_debriefed(page: Page) -> None:
    begin(page)
    say(page, REPLY)
    page.locator("mark").first.wait_for()
    page.get_by_role("note", name="Critique").wait_for()
    folder = os.environ.get("REHEARSAL_SCREENSHOTS")
    if folder:
        page.get_by_text("The brief").click()
        page.wait_for_timeout(700)
        page.screenshot(path=f"{folder}/screenshot.png")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(500)
        page.screenshot(path=f"{folder}/narrow.png")
        page.set_viewport_size({"width": 1280, "height": 900})
    page.reload()
    page.locator("mark").first.wait_for()
    assert "By 1 October" in page.locator(".turn.you .said").first.inner_text()
    page.get_by_role("button", name="End the conversation").click()
    page.get_by_role("heading", name="Debrief").wait_for()
    page.get_by_text("Stayed hidden").first.wait_for()
    if folder:
        page.screenshot(path=f"{folder}/debrief.png", full_page=True)


def test_markup_stays_text_and_no_picture_is_fetched(page: Page) -> None:
    begin(page)
    text = "<b>Bold</b> ![a](http://example.org/a.png) $x^2$ {x} </reply>"
    say(page, text)
    page.locator(".turn.you .said").first.wait_for()
    assert page.locator(".turn.you .said").first.inner_text().startswith(text)


def test_a_pasted_megabyte_is_refused_and_kept(page: Page) -> None:
    begin(page)
    say(page, "word " * 200_000)
    page.get_by_text("6,000 at most").wait_for()
    assert page.get_by_label("What you typed is kept here").input_value().startswith("word word")


def test_a_narrow_screen_does_not_scroll_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    begin(page)
    say(page, "W" * 400)
    page.locator(".turn.you .said").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_answer_opens_in_its_place(page: Page) -> None:
    page.goto(page.url.split("?")[0].rstrip("/") + "/ask")
    box = page.get_by_placeholder("Your question")
    box.fill("What are the common mistakes on the way?")
    box.press("Enter")
    page.locator(".quote").first.wait_for()
    page.get_by_text("Open it in its place").first.click()
    page.locator("mark").first.wait_for()
