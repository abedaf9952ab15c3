"""The model behind a real socket: what is sent, what comes back, and each way it goes wrong."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agent.engine import Engine
from agent.errors import (
    BackendError,
    ContextTooLong,
    CutShort,
    EndpointDown,
    KeyRefused,
    LimitReached,
    ModelRefused,
    NoModel,
    RehearsalError,
    TooManyRequests,
)
from agent.llm_critic import LLMCritic
from agent.local_critic import LocalCritic
from agent.model import SEED, ChatModel, Message, ScriptedModel, model_of
from agent.settings import Settings, load_settings
from tests.endpoint import (
    MODEL,
    Behaviour,
    Endpoint,
    body,
    breaks_off,
    drops,
    fails_within,
    free_port,
    garbles,
    hangs,
    named,
    says,
    stalls,
    status,
    trickles,
)

ASKED: tuple[Message, ...] = (("system", "You sell stairs."), ("user", "What do they cost?"))


class Price(BaseModel):
    model_config = ConfigDict(extra="forbid")

    price: int


def whole(model: ChatModel) -> str:
    return model.complete(ASKED, longest=50).text


def streamed(model: ChatModel) -> str:
    return "".join(model.stream(ASKED, longest=50))


BOTH = pytest.mark.parametrize("ask", [whole, streamed])

FAULTS: dict[str, tuple[Behaviour, type[BackendError]]] = {
    "wrong key": (status(401), KeyRefused),
    "forbidden": (status(403), KeyRefused),
    "no such model": (status(404), NoModel),
    "too many requests": (status(429, retry_after="0.05"), TooManyRequests),
    "no quota": (status(429, name="insufficient_quota", retry_after="60"), TooManyRequests),
    "server error": (status(500, retry_after="0.05"), EndpointDown),
    "overloaded": (status(503, retry_after="0.05"), EndpointDown),
    "hang": (hangs, EndpointDown),
    "no such endpoint": (body(b"<html>Welcome</html>", "text/html"), EndpointDown),
    "bad JSON": (body(b'{"choices": [{"mess'), EndpointDown),
    "JSON of another kind": (body(b"{}"), EndpointDown),
    "empty answer": (says(""), ModelRefused),
    "only spaces": (says("  "), ModelRefused),
    "content filter before": (status(400, name="content_filter"), ModelRefused),
    "content filter after": (says("A", finish="content_filter"), ModelRefused),
    "no finish reason": (says("They cost", finish=None), CutShort),
    "length": (says("They cost", finish="length"), CutShort),
    "context": (status(400, name="context_length_exceeded"), ContextTooLong),
    "context of llama.cpp": (
        status(400, "the request exceeds the available context size"),
        ContextTooLong,
    ),
    "body too large": (status(413), ContextTooLong),
    "refused request": (status(422, "no such role"), BackendError),
}
STREAM_FAULTS: dict[str, tuple[Behaviour, type[BackendError]]] = {
    "cut stream": (breaks_off("They cost"), CutShort),
    "stalled stream": (stalls("They cost"), CutShort),
    "endless stream": (trickles, CutShort),
    "bad JSON in the stream": (garbles("They cost"), CutShort),
    "error in the stream": (fails_within("They cost", "out of memory"), CutShort),
    "context within the stream": (
        fails_within("They", "maximum context length is 4096"),
        ContextTooLong,
    ),
}


def settings(endpoint: Endpoint, **more: Any) -> Settings:
    return endpoint.settings(model_timeout=0.6, **more)


@BOTH
def test_an_answer_comes_as_it_was_said(
    endpoint: Endpoint, ask: Callable[[ChatModel], str]
) -> None:
    endpoint.will(says("Forty a step,  naïvely — “or so”.\n"))
    assert ask(ChatModel(endpoint.settings())) == "Forty a step,  naïvely — “or so”.\n"


def test_what_is_sent_is_what_was_said_at_temperature_zero_with_a_seed(endpoint: Endpoint) -> None:
    whole(ChatModel(endpoint.settings()))
    assert endpoint.requests == [
        {
            "model": MODEL.removeprefix("openai:"),
            "messages": [
                {"role": "system", "content": "You sell stairs."},
                {"role": "user", "content": "What do they cost?"},
            ],
            "temperature": 0,
            "seed": SEED,
            "max_completion_tokens": 50,
            "max_tokens": 50,
            "stream": False,
        }
    ]
    assert endpoint.keys == ["Bearer none"]


def test_a_schema_goes_along_as_a_json_schema(endpoint: Endpoint) -> None:
    endpoint.will(says('{"price": 40}'))
    model = ChatModel(endpoint.settings())
    assert model.complete(ASKED, schema=Price, longest=50).text == '{"price": 40}'
    assert endpoint.requests[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "Price",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"price": {"type": "integer"}},
                "required": ["price"],
                "additionalProperties": False,
            },
        },
    }


def test_the_first_words_come_before_the_last_are_said(endpoint: Endpoint) -> None:
    endpoint.will(trickles)
    pieces = ChatModel(endpoint.settings()).stream(ASKED, longest=50)
    assert next(pieces) == "word "
    pieces.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["temperature", "seed", "response_format", "max_tokens"])
def test_a_parameter_the_endpoint_refuses_is_left_out_from_then_on(
    endpoint: Endpoint, name: str
) -> None:
    endpoint.will(status(400, f"Unsupported parameter: '{name}'", param=name), says("{}"))
    model = ChatModel(endpoint.settings())
    model.complete(ASKED, schema=Price, longest=50)
    endpoint.will(says("{}"))
    model.complete(ASKED, schema=Price, longest=50)
    assert [name in sent for sent in endpoint.requests] == [True, False, False]
    assert model.refused == {name}


def test_of_two_names_for_one_limit_the_older_is_left_out(endpoint: Endpoint) -> None:
    both = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
    endpoint.will(status(400, both), says("Forty."))
    whole(ChatModel(endpoint.settings()))
    assert "max_tokens" not in endpoint.requests[1]
    assert endpoint.requests[1]["max_completion_tokens"] == 50


def test_a_stream_does_without_the_count_of_tokens_where_it_is_refused(endpoint: Endpoint) -> None:
    endpoint.will(status(400, "unknown field stream_options"), says("Forty."))
    assert streamed(ChatModel(endpoint.settings())) == "Forty."
    assert "stream_options" not in endpoint.requests[1]


def test_a_parameter_refused_twice_is_an_error_and_no_loop(endpoint: Endpoint) -> None:
    endpoint.will(status(400, "temperature must be 1"))
    with pytest.raises(BackendError, match="temperature must be 1"):
        whole(ChatModel(endpoint.settings()))
    assert len(endpoint.requests) == 2


@BOTH
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_error(
    endpoint: Endpoint, ask: Callable[[ChatModel], str], fault: str
) -> None:
    behaviour, kind = FAULTS[fault]
    endpoint.will(behaviour)
    with pytest.raises(BackendError) as caught:
        ask(ChatModel(settings(endpoint)))
    assert type(caught.value) is kind
    assert "Nothing was stored." in str(caught.value)


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_each_fault_within_a_stream_has_its_error_after_the_words(
    endpoint: Endpoint, fault: str
) -> None:
    behaviour, kind = STREAM_FAULTS[fault]
    endpoint.will(behaviour)
    pieces: list[str] = []
    with pytest.raises(BackendError) as caught:
        pieces.extend(ChatModel(settings(endpoint)).stream(ASKED, longest=50))
    assert type(caught.value) is kind
    assert pieces == [] or "".join(pieces).startswith(("They", "word"))


def test_a_refusal_is_said_in_its_own_words(endpoint: Endpoint) -> None:
    endpoint.will(says("", refusal="I cannot sell stairs"))
    with pytest.raises(ModelRefused, match="I cannot sell stairs"):
        whole(ChatModel(endpoint.settings()))


def test_an_answer_that_is_dropped_is_asked_for_again_then_given_up(endpoint: Endpoint) -> None:
    endpoint.will(drops, says("Forty."))
    assert whole(ChatModel(endpoint.settings())) == "Forty."
    endpoint.will(drops)
    with pytest.raises(EndpointDown):
        whole(ChatModel(endpoint.settings()))


def test_nothing_listening_there_is_said(endpoint: Endpoint, monkeypatch: Any) -> None:
    named(monkeypatch, f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(EndpointDown, match="OPENAI_BASE_URL"):
        whole(ChatModel(endpoint.settings()))


def test_a_short_wait_is_waited_for(endpoint: Endpoint) -> None:
    endpoint.will(status(429, retry_after="0.2"), says("Forty."))
    began = time.monotonic()
    assert whole(ChatModel(endpoint.settings())) == "Forty."
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("code", [429, 503])
def test_a_long_wait_is_not_waited_for_but_told(endpoint: Endpoint, code: int) -> None:
    endpoint.will(status(code, retry_after="90"))
    with pytest.raises(BackendError) as caught:
        whole(ChatModel(endpoint.settings()))
    assert len(endpoint.requests) == 1
    if isinstance(caught.value, TooManyRequests):
        assert caught.value.retry_after == 90
        assert "90 seconds" in str(caught.value)


@BOTH
def test_a_hang_ends_in_time_and_is_not_tried_again(
    endpoint: Endpoint, ask: Callable[[ChatModel], str]
) -> None:
    model = ChatModel(settings(endpoint))
    whole(model)
    endpoint.will(hangs)
    began = time.monotonic()
    with pytest.raises(EndpointDown, match="REHEARSAL_MODEL_TIMEOUT"):
        ask(model)
    assert time.monotonic() - began < 3
    assert len(endpoint.requests) == 2


def test_a_key_is_never_in_a_message(endpoint: Endpoint, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-mine")
    endpoint.will(status(401, "Incorrect API key provided: sk-secret-of-mine"))
    with pytest.raises(KeyRefused) as caught:
        whole(ChatModel(endpoint.settings()))
    assert "secret" not in str(caught.value)


def test_an_answer_of_32_kilobytes_comes_whole(endpoint: Endpoint) -> None:
    long = "forty " * 5461 + "."
    endpoint.will(says(long))
    assert whole(ChatModel(endpoint.settings())) == long


@BOTH
@pytest.mark.parametrize(("limit", "price"), [("model_tokens", None), ("model_spend", 10_000.0)])
def test_the_limit_stops_the_next_call_before_it_is_made(
    endpoint: Endpoint, ask: Callable[[ChatModel], str], limit: str, price: float | None
) -> None:
    more = {limit: 1, "model_price_in": price, "model_price_out": price}
    model = ChatModel(endpoint.settings(**more))
    ask(model)
    with pytest.raises(LimitReached, match=r"REHEARSAL_MODEL_(TOKENS|SPEND)"):
        ask(model)
    assert len(endpoint.requests) == 1


def test_an_endpoint_that_does_not_count_is_counted_by_its_letters(endpoint: Endpoint) -> None:
    endpoint.will(says("word " * 100, tokens=None))
    model = ChatModel(endpoint.settings(model_tokens=120))
    assert model.complete(ASKED, longest=50).usage.tokens_in is None
    with pytest.raises(LimitReached):
        whole(model)


def test_what_was_used_is_told_in_tokens_seconds_and_money(endpoint: Endpoint) -> None:
    model = ChatModel(endpoint.settings(model_price_in=10, model_price_out=50))
    usage = model.complete(ASKED, longest=50).usage
    assert (usage.tokens_in, usage.tokens_out) == (100, 20)
    assert 0 < usage.seconds < 5
    streamed(model)
    assert model.purse.cost == pytest.approx(2 * (100 * 10 + 20 * 50) / 1e6)


def test_threads_share_one_model(endpoint: Endpoint) -> None:
    model, answers = ChatModel(endpoint.settings()), []
    threads = [threading.Thread(target=lambda: answers.append(whole(model))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["Go on."] * 8


@pytest.mark.parametrize("name", [None, "gpt-4o", "openai:", "llama3.2:3b"])
def test_a_model_that_is_not_named_well_says_what_to_set(
    name: str | None, monkeypatch: Any
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with pytest.raises(NoModel, match=r"REHEARSAL_MODEL\b.*docs/models\.md"):
        model_of(Settings(model=name))


def test_no_key_says_what_to_set(monkeypatch: Any) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(NoModel, match="OPENAI_API_KEY"):
        model_of(Settings(model=MODEL))


def test_a_named_model_does_every_part_unless_told(endpoint: Endpoint) -> None:
    engine = Engine(endpoint.settings())
    assert isinstance(engine.critic, LLMCritic)
    assert engine.settings.engine_of("voice") == engine.settings.engine_of("answerer") == "model"
    own = Engine(endpoint.settings(critic="local"))
    assert isinstance(own.critic, LocalCritic)
    assert own.settings.engine_of("voice") == "model"


def test_without_a_model_every_part_is_local_and_asking_for_one_says_what_to_set() -> None:
    assert isinstance(Engine(Settings()).critic, LocalCritic)
    with pytest.raises(NoModel):
        _ = Engine(Settings(critic="model")).critic


def test_nothing_of_the_client_is_imported_before_a_model_is_asked() -> None:
    code = (
        "import sys, agent.engine, agent.model, agent.llm_critic, agent.doctor\n"
        "from agent.settings import Settings\n"
        "agent.model.model_of(Settings(model='openai:none'))\n"
        "heavy = {'langchain', 'langchain_core', 'openai', 'httpx2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "OPENAI_API_KEY": "none"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert run.stdout.strip() == "[]"


def test_tracing_stays_off_whatever_the_environment_says(
    endpoint: Endpoint, monkeypatch: Any
) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGCHAIN_TRACING_V2", "true")
    whole(ChatModel(endpoint.settings()))
    assert os.environ["LANGSMITH_TRACING"] == os.environ["LANGCHAIN_TRACING_V2"] == "false"


def test_a_spend_needs_its_prices(monkeypatch: Any) -> None:
    monkeypatch.setenv("REHEARSAL_MODEL_SPEND", "5")
    with pytest.raises(RehearsalError, match="REHEARSAL_MODEL_PRICE_IN"):
        load_settings()


def test_the_scripted_model_answers_in_order_raises_and_keeps_what_it_was_told() -> None:
    model = ScriptedModel("One two.", ["Th", "ree.", CutShort("gone")])
    assert list(model.stream(ASKED, longest=9)) == ["One ", "two."]
    pieces = model.stream(ASKED, longest=9)
    assert [next(pieces), next(pieces)] == ["Th", "ree."]
    with pytest.raises(CutShort):
        next(pieces)
    assert model.complete(ASKED, longest=9).text == "One two."
    assert model.seen == [ASKED] * 3
