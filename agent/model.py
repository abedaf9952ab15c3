"""A language model, seen as two calls: a whole answer, or its words as they come.

Everything of LangChain and of the endpoint stays behind `ChatModel`; tests use `ScriptedModel`.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar

from pydantic import BaseModel

from agent.domain import Usage
from agent.errors import NoModel
from agent.purse import Purse
from agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

Message = tuple[Literal["system", "user", "assistant"], str]

SEED: Final = 7
RETRIES: Final = 2  # by the client: 429, 5xx and no connection
CONNECT: Final = 5.0  # seconds
SAID: Final = ("title", "description")  # of a schema's parts
OPENAI: Final = ("api.openai.com", ".openai.azure.com")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Completion:
    """A whole answer and what it took."""

    text: str
    usage: Usage


class Model(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """The provider and the model's id: `openai:gpt-4o-mini`."""

    def complete(
        self, messages: Sequence[Message], *, schema: type[BaseModel] | None = None, longest: int
    ) -> Completion:
        """Return a whole answer of at most `longest` tokens.

        With a schema the endpoint is held to it where it can be; the text is JSON as it came.
        Raises BackendError.
        """

    def stream(self, messages: Sequence[Message], *, longest: int) -> Iterator[str]:
        """Give the pieces of an answer as they come.

        Raises CutShort where it breaks off, other BackendErrors as `complete`.
        """


class ChatModel:
    """A model behind an OpenAI-compatible endpoint, at temperature 0 and with a seed.

    A parameter that the endpoint refuses is left out from then on; `refused` names them. The client
    waits and tries again by itself where that may help. Safe to share between threads.
    """

    def __init__(self, settings: Settings) -> None:
        self.name = _named(settings)
        self.purse = Purse(settings)
        self.refused: set[str] = set()
        self._timeout = settings.model_timeout
        self._making = threading.Lock()
        self._made: BaseChatModel | None = None

    def complete(
        self, messages: Sequence[Message], *, schema: type[BaseModel] | None = None, longest: int
    ) -> Completion:
        """Return a whole answer; see `Model`."""
        from agent.endpoint import check_whole, translating

        self.purse.check()
        chat = self._chat
        began = time.perf_counter()
        with translating(self.name):
            said = self._agreed(
                lambda: chat.invoke(list(messages), **self._options(longest, schema))
            )
            text = str(said.text)
            check_whole(self.name, said, text)
        return Completion(text, self._used(messages, text, [said], began))

    def stream(self, messages: Sequence[Message], *, longest: int) -> Iterator[str]:
        """Give the pieces of an answer; see `Model`."""
        from agent.endpoint import Heard, translating

        self.purse.check()
        heard, chat = Heard(self.name), self._chat
        began = time.perf_counter()
        with translating(self.name, heard):
            first, rest = self._agreed(
                lambda: _opened(
                    chat.stream(list(messages), **self._options(longest, None, stream=True))
                )
            )
            with closing(rest):
                for chunk in chain([first], rest):
                    if piece := heard.take(chunk):
                        yield piece
            heard.check()
            self._used(messages, heard.text, heard.chunks, began)

    @property
    def _chat(self) -> "BaseChatModel":
        with self._making:
            self._made = self._made or self._make()
            return self._made

    def _make(self) -> "BaseChatModel":
        for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
            os.environ[name] = "false"  # else what was said may be sent to a third party
        from httpx2 import Timeout
        from langchain.chat_models import init_chat_model

        from agent.endpoint import Client

        timeout = Timeout(self._timeout, connect=min(CONNECT, self._timeout))
        chat: BaseChatModel = init_chat_model(
            self.name,
            timeout=timeout,
            max_retries=RETRIES,
            http_client=Client(self._timeout),
            use_responses_api=False,
        )
        return chat

    def _options(
        self, longest: int, schema: type[BaseModel] | None, stream: bool = False
    ) -> dict[str, Any]:
        """Return the parameters of a call, without those the endpoint has refused."""
        options: dict[str, Any] = {
            "temperature": 0,
            "seed": SEED,
            "max_completion_tokens": longest,
        }
        if schema:
            options["response_format"] = response_format(schema)
        kept = {name: value for name, value in options.items() if name not in self.refused}
        if not _is_openai() and "max_tokens" not in self.refused:
            kept["extra_body"] = {"max_tokens": longest}  # the older name, which all others know
        if stream:
            kept["stream_usage"] = "stream_options" not in self.refused
        return kept

    def _agreed(self, call: Callable[[], _T]) -> _T:
        """Call, again without each parameter that the endpoint refuses."""
        from agent.endpoint import refused_parameter

        while True:
            try:
                return call()
            except Exception as error:
                name = refused_parameter(error)
                if name is None or name in self.refused:
                    raise
                self.refused.add(name)

    def _used(
        self,
        messages: Sequence[Message],
        text: str,
        said: "Sequence[AIMessage]",
        began: float,
    ) -> Usage:
        counts: list[Any] = [one.usage_metadata for one in said if one.usage_metadata]
        usage = Usage(
            tokens_in=sum(c["input_tokens"] for c in counts) if counts else None,
            tokens_out=sum(c["output_tokens"] for c in counts) if counts else None,
            seconds=round(time.perf_counter() - began, 3),
        )
        self.purse.add(usage, sum(len(words) for _, words in messages), len(text))
        return usage


def _opened(chunks: Iterator[_T]) -> tuple[_T, Any]:
    """Return the first of the chunks and the rest; what the endpoint refuses is raised here."""
    return next(chunks), chunks


def response_format(schema: type[BaseModel]) -> dict[str, Any]:
    """Return what holds an endpoint to a schema, which has no defaults and no bounds."""
    wanted = {"name": schema.__name__, "strict": True, "schema": schema_of(schema)}
    return {"type": "json_schema", "json_schema": wanted}


def schema_of(schema: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema, for the endpoint and for a prompt, without titles and docstrings."""
    bare: dict[str, Any] = _bare(schema.model_json_schema())
    return bare


def _bare(part: Any) -> Any:
    if isinstance(part, list):
        return [_bare(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {k: _bare(v) for k, v in part.items() if k not in SAID or not isinstance(v, str)}


def _is_openai() -> bool:
    url = os.environ.get("OPENAI_API_BASE") or os.environ.get("OPENAI_BASE_URL")
    return not url or any(host in url for host in OPENAI)


def _named(settings: Settings) -> str:
    """Return the model's name. Raises NoModel with what to set."""
    if not settings.model:
        raise NoModel(
            "No model is named. Nothing was started. Set REHEARSAL_MODEL, for example "
            "openai:gpt-4o-mini, or set the part to `local`; see docs/models.md."
        )
    if not settings.model.startswith("openai:") or settings.model == "openai:":
        raise NoModel(
            f"REHEARSAL_MODEL is {settings.model!r}; it begins with `openai:` for every endpoint "
            "that speaks as OpenAI's does. Nothing was started. See docs/models.md."
        )
    if not os.environ.get("OPENAI_API_KEY"):
        raise NoModel(
            f"There is no key for {settings.model}. Nothing was started. Set OPENAI_API_KEY; for "
            "a server of your own that asks for none, any word will do. See docs/models.md."
        )
    return settings.model


def model_of(settings: Settings) -> ChatModel:
    """Return the model the settings name. Raises NoModel with what to set."""
    return ChatModel(settings)


Answer = str | Exception | Sequence[str | Exception]


class ScriptedModel:
    """A model for tests: answers in order, over and over; an exception is raised.

    An answer of several pieces is streamed in those, an exception among them breaks it off; one
    text is streamed by the word. `seen` holds the messages of each call.
    """

    def __init__(self, *answers: Answer, name: str = "scripted:model") -> None:
        self.name = name
        self._answers = answers or ("Go on.",)
        self.seen: list[tuple[Message, ...]] = []

    def complete(
        self, messages: Sequence[Message], *, schema: type[BaseModel] | None = None, longest: int
    ) -> Completion:
        """Return the next answer whole, or raise."""
        text = "".join(self.stream(messages, longest=longest))
        return Completion(text, Usage(tokens_in=1, tokens_out=len(text.split()), seconds=0.0))

    def stream(self, messages: Sequence[Message], *, longest: int) -> Iterator[str]:
        """Give the next answer's pieces, or raise."""
        answer = self._answers[len(self.seen) % len(self._answers)]
        self.seen.append(tuple(messages))
        for piece in pieces_of(answer):
            if isinstance(piece, Exception):
                raise piece
            yield piece


def pieces_of(answer: Answer) -> Sequence[str | Exception]:
    """Return the pieces in which an answer comes; together they are the answer."""
    if isinstance(answer, Exception):
        return [answer]
    if isinstance(answer, str):
        return [word + space for word, space in _words(answer)]
    return answer


def _words(text: str) -> list[tuple[str, str]]:
    *words, last = text.split(" ")
    return [(word, " ") for word in words] + ([(last, "")] if last else [])
