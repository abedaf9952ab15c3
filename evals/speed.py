"""`python -m evals speed`: milliseconds a turn, a query and a page; passages a second.

A turn is a reply of 60 words through `Session.reply` with the parts the product ships. The index
is measured apart from the encoder: random unit vectors and synthetic words, 60 to a passage.
"""

import argparse
import hashlib
import itertools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from agent.domain import Brief, Ending, Exchange, Reading, Scenario, Speech
from agent.session import Critic, Session, Show, Store, Voice
from knowledge.vectors import Vectors

REPLIES: Final = Path(__file__).parent / "cases" / "replies"
WORDS: Final = 60  # of a reply, and of a synthetic passage
QUERIES: Final = 50
REPEATS: Final = 7  # of what is measured by starting a process, or over HTTP
SIZES: Final = (1_000,)
LARGE: Final = (10_000, 100_000)
START_WITHIN_S: Final = 60.0

Times = list[float]  # milliseconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--turns", type=int, default=72, metavar="N", help="at least 60")
    parser.add_argument("--large", action="store_true", help="the index at 10k and 100k too")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure everything and print it."""
    sizes = (*SIZES, *LARGE) if args.large else SIZES
    page = first_page()
    report: dict[str, Any] = {
        "turn_ms": turns(max(60, args.turns)),
        "index": {str(size): index(size) for size in sizes},
        **encoding(),
        "first_page_ms": page.get("p50"),
        "first_page": page,
        "import_ms": summary(help_times())["p50"],
    }
    for name, value in report.items():
        print(f"{name:<22}{json.dumps(value)}")
    return report


def summary(times: Sequence[float]) -> dict[str, Any]:
    """Return the middle and the slow end of some times, in milliseconds."""
    p50, p95 = np.percentile(times, (50, 95))
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "n": len(times)}


@contextmanager
def timed(times: Times) -> Iterator[None]:
    """Add the milliseconds that the block took."""
    begin = time.perf_counter()
    yield
    times.append((time.perf_counter() - begin) * 1000)


# --- a turn ---------------------------------------------------------------------------------------


class TimedCritic:
    """A critic, and how long its readings took."""

    def __init__(self, critic: Critic) -> None:
        self._critic, self.name, self.times = critic, critic.name, Times()

    def read(self, history: Sequence[tuple[str, str]], reply: str) -> Reading:
        """Read a reply."""
        with timed(self.times):
            return self._critic.read(history, reply)


class TimedVoice:
    """A voice, and how long its words took."""

    def __init__(self, voice: Voice) -> None:
        self._voice, self.name, self.times = voice, voice.name, Times()

    def prepare(self, scenario: Scenario) -> None:
        """Load what the first words would have to wait for."""
        self._voice.prepare(scenario)

    def speak(self, brief: Brief, show: Show | None = None) -> Speech:
        """Say what comes next."""
        with timed(self.times):
            return self._voice.speak(brief, show)


class TimedStore:
    """A store, and how long its appends and its drafts took."""

    def __init__(self, store: Store) -> None:
        self._store, self.times, self.drafts = store, Times(), Times()
        self.create, self.load = store.create, store.load

    def append(self, owner: str, transcript_id: str, at: int, exchange: Exchange) -> None:
        """Store an exchange."""
        with timed(self.times):
            self._store.append(owner, transcript_id, at, exchange)

    def keep_draft(self, owner: str, transcript_id: str, at: int, text: str) -> None:
        """Keep what was typed."""
        with timed(self.drafts):
            self._store.keep_draft(owner, transcript_id, at, text)

    def finish(self, owner: str, transcript_id: str, ending: Ending, at: int) -> None:
        """Store an ending."""
        self._store.finish(owner, transcript_id, ending, at)


def turns(count: int) -> dict[str, Any]:
    """Return ms a turn and its parts; the first turn of the process, which loads, stands apart."""
    from agent.encoder import default_encoder
    from agent.local_critic import LocalCritic
    from agent.local_voice import AuthoredVoice
    from agent.store import SqlStore
    from prompts import load_scenarios

    with tempfile.TemporaryDirectory() as folder:
        kept = SqlStore(Path(folder) / "record.db")
        critic, store = TimedCritic(LocalCritic()), TimedStore(kept)
        voice, opened = TimedVoice(AuthoredVoice(default_encoder())), Times()
        for scenario in load_scenarios().values():  # as Engine.start does, before the first reply
            with timed(opened):
                voice.prepare(scenario)
        times = hold(count + 1, critic, voice, store)
        kept.close()
    taken = {"critic": critic.times, "voice": voice.times, "draft": store.drafts}
    parts = {name: some[1:] for name, some in (*taken.items(), ("store", store.times))}
    whole = times[1:]
    rest = [all_ - sum(some) for all_, *some in zip(whole, *parts.values(), strict=True)]
    return {
        **summary(whole),
        "first": round(times[0], 1),
        "open": summary(opened),
        "words": WORDS,
        "parts": {name: summary(part) for name, part in (*parts.items(), ("counterpart", rest))},
    }


def hold(count: int, critic: Critic, voice: Voice, store: Store) -> Times:
    """Hold conversations, one scenario after the other, until `count` replies were sent."""
    from prompts import load_scenarios

    replies = itertools.cycle(replies_of(WORDS))
    times: Times = []
    for scenario in itertools.cycle(load_scenarios().values()):
        session = Session.start(scenario, "speed", critic=critic, voice=voice, store=store)
        while not session.transcript.over and len(times) < count:
            with timed(times):
                session.reply(next(replies))
        if len(times) == count:
            return times
    raise AssertionError("there are no scenarios")


def replies_of(words: int) -> list[str]:
    """Return the written replies that have at least that many words, cut there."""
    lines = [line for f in sorted(REPLIES.glob("*.jsonl")) for line in f.read_text().splitlines()]
    texts = [json.loads(line)["reply"].split() for line in lines]
    return [" ".join(text[:words]) for text in texts if len(text) >= words]


# --- the index ------------------------------------------------------------------------------------


class RandomEncoder:
    """A random direction for each text, the same for the same text."""

    model_id, sha256, dimension = "random", "0" * 64, 384

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one vector of length 1 for each text."""
        seeds = (hashlib.sha256(text.encode()).digest()[:8] for text in texts)
        rows = [
            np.random.default_rng(int.from_bytes(seed)).standard_normal(self.dimension)
            for seed in seeds
        ]
        found = np.array(rows, dtype=np.float32).reshape(-1, self.dimension)
        unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit


def index(size: int) -> dict[str, Any]:
    """Return what an index of about `size` synthetic passages takes to build and to search."""
    from knowledge.library import Library
    from knowledge.sources import Source

    chance = random.Random(20261124)
    vocabulary = synthetic_words(5_000, chance)
    text = "\n\n".join(sentence(vocabulary, chance) for _ in range(size))
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder), RandomEncoder())
        built: Times = []
        with timed(built):
            library.build([Source("synthetic", "Synthetic", text)])
        count, times = library.status().passages, Times()
        library.search("warm")
        for _ in range(QUERIES):
            query = " ".join(chance.sample(vocabulary, 8))
            with timed(times):
                library.search(query)
        library.close()
    rate = round(count / built[0] * 1000, 1)
    return {"passages": count, "passages_per_s": rate, "query_ms": summary(times)}


def synthetic_words(count: int, chance: random.Random) -> list[str]:
    """Return words that nobody uses."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(chance.choices(letters, k=chance.randint(4, 9))) for _ in range(count)]


def sentence(vocabulary: Sequence[str], chance: random.Random) -> str:
    """Return a paragraph of one sentence."""
    return " ".join(chance.choices(vocabulary, k=WORDS)).capitalize() + "."


def encoding() -> dict[str, Any]:
    """Return how many passages of the article the shipped encoder takes a second."""
    from agent.encoder import default_encoder
    from knowledge.passages import passages
    from knowledge.sources import article

    source = article()
    texts = [p.text for p in passages(source.text, source.id)]
    default_encoder().encode(texts[:1])
    times: Times = []
    with timed(times):
        default_encoder().encode(texts)
    return {
        "encode_passages_per_s": round(len(texts) / times[0] * 1000, 1),
        "encode_passages": len(texts),
    }


# --- the command line and the app -----------------------------------------------------------------


def help_times() -> Times:
    """Return how long `rehearsal --help` takes, Python's own start included."""
    times: Times = []
    for _ in range(REPEATS):
        with timed(times):
            command = [sys.executable, "-m", "agent.cli", "--help"]
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return times


def first_page() -> dict[str, Any]:
    """Return ms to get the page and the health answer of a warm app, and seconds to its start.

    This is what the server sends; what the browser then draws is not in it.
    """
    try:
        with running_app() as (url, started_s):
            times: Times = []
            for _ in range(REPEATS + 1):
                with timed(times):
                    get(url)
                    get(f"{url}/_stcore/health")
            return {**summary(times[1:]), "start_s": round(started_s, 2)}
    except (OSError, TimeoutError) as error:
        return {"reason": f"the app did not start: {error}"}


@contextmanager
def running_app() -> Iterator[tuple[str, float]]:
    """Serve the app on a free port; yield its address and the seconds it took to answer."""
    folder = tempfile.mkdtemp()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": folder}
    env = os.environ | {f"REHEARSAL_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "agent.cli", "serve"]
    begin = time.perf_counter()
    app = subprocess.Popen(  # noqa: S603
        command,
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: get(f"http://127.0.0.1:{port}/_stcore/health"), app)
        yield f"http://127.0.0.1:{port}", time.perf_counter() - begin
    finally:
        os.killpg(app.pid, 15)
        app.wait()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(answer: Callable[[], object], app: "subprocess.Popen[bytes]") -> None:
    """Wait until the app answers. Raises TimeoutError when it stops or takes too long."""
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and app.poll() is None:
        try:
            answer()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise TimeoutError(f"no answer in {START_WITHIN_S:.0f} s")


def get(url: str) -> bytes:
    """Return the body of an answer of status 200."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body
