"""The app as a user would serve it, and a browser that asks nobody but this machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

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
REASON = "chromium is not installed, so the app was not tried in a browser"


@pytest.fixture(scope="session", autouse=True)
def _needs_chromium() -> None:
    if CHROMIUM is None and os.environ.get("CI", "") not in ("true", "1"):
        pytest.skip(REASON)
    assert CHROMIUM, REASON


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory, _needs_chromium: None) -> Iterator[str]:
    server = Server(tmp_path_factory.mktemp("data"))
    server.start()
    yield server.url
    server.stop()


class Server:
    """`rehearsal serve` with a data folder of its own; it can be stopped and started again."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = os.environ | {
            "REHEARSAL_DATA_DIR": str(data),
            "REHEARSAL_PORT": str(self.port),
            "REHEARSAL_HOST": "127.0.0.1",
        }

    def start(self) -> None:
        """Index the material and serve, as `make run` does."""
        index = [sys.executable, "-m", "agent.cli", "index"]
        subprocess.run(index, env=self._env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "serve"],
            env=self._env,
            cwd=ROOT,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the app did not start within a minute")

    def stop(self) -> None:
        os.killpg(self._process.pid, 15)
        self._process.wait(20)


@pytest.fixture(scope="session")
def browser(_needs_chromium: None) -> Iterator[Browser]:
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser window; at its end, no request of its pages may have gone anywhere else."""
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(30_000)
    asked: list[str] = []
    made.on("request", lambda request: asked.append(request.url))
    yield made
    made.close()
    assert [a for a in asked if not _here(a)] == []


def _here(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1"


@pytest.fixture
def page(context: BrowserContext, url: str) -> Page:
    made = context.new_page()
    made.goto(url)
    return made


@pytest.fixture
def settle() -> Callable[[Page], None]:
    """Wait until the page has stopped changing."""

    def wait(page: Page) -> None:
        page.wait_for_timeout(400)
        page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
        page.wait_for_timeout(400)

    return wait
