"""What goes wrong between the client and an endpoint, and the words for it.

Imports the client, so only `agent.model` imports it, and only inside functions.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import httpx2
import openai
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage

from agent.errors import (
    BackendError,
    ContextTooLong,
    CutShort,
    EndpointDown,
    KeyRefused,
    ModelRefused,
    NoModel,
    RehearsalError,
    TooManyRequests,
)

LONGEST_WAIT: Final = 8.0  # seconds; an endpoint that asks for more is not waited for
OPTIONAL: Final = (
    "response_format",
    "temperature",
    "seed",
    "stream_options",
    "max_tokens",  # before the newer name: where both are spoken of, this is the one to leave out
    "max_completion_tokens",
)
CONTEXT: Final = re.compile(
    r"context.?(?:length|window|size)|maximum context|prompt is too long|too many tokens", re.I
)
FILTER: Final = re.compile(r"content.?(?:filter|management|policy)", re.I)
SAID: Final = 200  # characters of what an endpoint says that are shown
KEPT: Final = "Nothing was stored."


class Client(openai.DefaultHttpxClient):
    """An HTTP client that bounds a whole answer in time and what it waits for.

    The openai client tries again after a timeout and waits up to two minutes when asked to. Here a
    timeout is final, and so is a wait of more than `LONGEST_WAIT` seconds.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(timeout=seconds)
        self._seconds = seconds

    def send(
        self, request: httpx2.Request, *, stream: bool = False, **more: Any
    ) -> httpx2.Response:
        """Send a request; an answer not there in time raises openai.APITimeoutError."""
        ends = time.monotonic() + self._seconds
        try:
            response = super().send(request, stream=True, **more)
            if (_retry_after(response) or 0) > LONGEST_WAIT:
                response.headers["x-should-retry"] = "false"
            response.stream = _Bounded(response.stream, ends)
            if not stream:
                response.read()
        except httpx2.TimeoutException as error:
            raise openai.APITimeoutError(request) from error  # of this kind none is tried again
        return response

    def __del__(self) -> None:
        with suppress(Exception):  # a connection kept alive is not left open
            self.close()


class _Bounded(httpx2.SyncByteStream):
    """A body that must have come by a time."""

    def __init__(self, stream: Any, ends: float) -> None:
        self._stream, self._ends = stream, ends

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if time.monotonic() > self._ends:
                raise httpx2.ReadTimeout("the whole answer took too long")
            yield part

    def close(self) -> None:
        self._stream.close()


class Heard:
    """The pieces of a streamed answer so far, and whether its end has come."""

    def __init__(self, model: str) -> None:
        self._model = model
        self.chunks: list[AIMessage] = []
        self.text = ""

    def take(self, chunk: AIMessage) -> str:
        """Keep a chunk; return its words."""
        self.chunks.append(chunk)
        piece = str(chunk.text)
        self.text += piece
        return piece

    def check(self) -> None:
        """Raise CutShort or ModelRefused unless the answer came to its end."""
        ends = [c for c in self.chunks if c.response_metadata.get("finish_reason")]
        check_whole(self._model, ends[-1] if ends else self.chunks[-1], self.text)


def check_whole(model: str, said: AIMessage, text: str) -> None:
    """Raise CutShort or ModelRefused unless `said` ends a whole answer."""
    reason = said.response_metadata.get("finish_reason")
    if refusal := said.additional_kwargs.get("refusal"):
        raise ModelRefused(f"{model} declined to answer: {_short(refusal)} {KEPT} {_OTHER}")
    if reason == "content_filter":
        raise ModelRefused(f"A content filter stopped {model}. {KEPT} {_OTHER}")
    if reason == "length":
        raise CutShort(f"The answer of {model} ran into its length. {KEPT} Send it again.")
    if reason is None:
        raise CutShort(f"The answer of {model} broke off without an end. {KEPT} Send it again.")
    if not text.strip():
        raise ModelRefused(f"{model} gave an empty answer. {KEPT} {_OTHER}")


_OTHER: Final = "Send it again, put it another way, or name another model."


@contextmanager
def translating(model: str, heard: Heard | None = None) -> Iterator[None]:
    """Raise whatever the client raises as the BackendError it stands for; ours pass."""
    try:
        yield
    except RehearsalError:
        raise
    except Exception as error:
        raise translated(error, model, begun=bool(heard and heard.text)) from error


def translated(error: Exception, model: str, begun: bool) -> BackendError:
    """Return the BackendError for what the client raised; `begun`: words had come already."""
    if isinstance(error, openai.RateLimitError):
        return _too_many(error, model)
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return KeyRefused(
            f"The endpoint refused the key for {model} ({error.status_code}). {KEPT} Check "
            "OPENAI_API_KEY and OPENAI_BASE_URL."
        )
    if isinstance(error, openai.LengthFinishReasonError):
        return CutShort(f"The answer of {model} ran into its length. {KEPT} Send it again.")
    if isinstance(error, openai.ContentFilterFinishReasonError) or _filtered(error):
        return ModelRefused(f"A content filter stopped {model}. {KEPT} {_OTHER}")
    if isinstance(error, ContextOverflowError) or _too_long(error):
        return ContextTooLong(
            f"The conversation is longer than {model} takes. {KEPT} End it here, or name a model "
            "that takes more."
        )
    if isinstance(error, openai.APIStatusError) and error.status_code < 500:
        return _refused(error, model)
    if begun:
        return CutShort(f"The answer of {model} broke off. {KEPT} Send it again.")
    return EndpointDown(f"{_down(error, model)} {KEPT} Check OPENAI_BASE_URL, or send it again.")


def _too_many(error: openai.RateLimitError, model: str) -> TooManyRequests:
    seconds = _retry_after(error.response)
    wait = f"Send it again in {seconds:.0f} seconds" if seconds else "Send it again in a minute"
    return TooManyRequests(
        f"The endpoint takes no more requests for {model} now: {_short(_message(error))} {KEPT} "
        f"{wait}; where it speaks of a quota, only the account's owner can help.",
        retry_after=seconds,
    )


def _refused(error: openai.APIStatusError, model: str) -> BackendError:
    if isinstance(error, openai.NotFoundError):
        return NoModel(
            f"The endpoint does not know {model} (404). {KEPT} Check REHEARSAL_MODEL and "
            "OPENAI_BASE_URL, which mostly ends in /v1."
        )
    said = _short(_message(error))
    return BackendError(
        f"The endpoint refused the request for {model} ({error.status_code}): {said} {KEPT} "
        "`rehearsal doctor` says what it can do."
    )


def _down(error: Exception, model: str) -> str:
    if isinstance(error, openai.APITimeoutError):
        return f"{model} did not answer in time (REHEARSAL_MODEL_TIMEOUT)."
    if isinstance(error, openai.APIConnectionError):
        return f"Nothing answers where {model} should be."
    if isinstance(error, openai.APIStatusError):
        return f"The endpoint of {model} failed ({error.status_code})."
    return f"What answers for {model} does not speak as OpenAI's API does ({type(error).__name__})."


def _message(error: openai.APIError) -> str:
    """Return the endpoint's own words, without the client's wrapping."""
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)


def _too_long(error: Exception) -> bool:
    """Tell whether the request, or an error within the stream, is about the context."""
    if isinstance(error, openai.APIStatusError) and error.status_code == 413:
        return True
    return isinstance(error, openai.APIError) and bool(CONTEXT.search(_told(error)))


def _told(error: openai.APIError) -> str:
    return f"{error.code} {error.type} {error.message}"


def _filtered(error: Exception) -> bool:
    return isinstance(error, openai.BadRequestError) and bool(FILTER.search(_told(error)))


def refused_parameter(error: Exception) -> str | None:
    """Return the parameter of ours that an endpoint refused, or None when it is not about one."""
    if not isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return None
    if _too_long(error):
        return None
    if error.param in OPTIONAL:
        return error.param
    return next((name for name in OPTIONAL if name in str(error)), None)


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds an endpoint asks to wait; None where it does not, or as a date."""
    for header, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(KeyError, ValueError):
            return max(0.0, float(response.headers[header]) / unit)
    return None


def _short(said: str) -> str:
    """Return what an endpoint said on one line, cut, with a full stop."""
    line = " ".join(str(said).split())
    line = line if len(line) <= SAID else line[: SAID - 1] + "…"
    return line if line.endswith((".", "…", "!", "?")) else line + "."
