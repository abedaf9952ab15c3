"""The real client against a real model on loopback: SmolLM2 of 135 million parameters.

It shows that the endpoint's protocol is spoken, and nothing about the quality of any model.
"""

import pytest
from pydantic import BaseModel, ConfigDict

from agent.errors import ContextTooLong, CutShort
from agent.llm_critic import Wire
from agent.model import ChatModel
from agent.settings import Settings

pytestmark = pytest.mark.slow


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: str


def test_a_whole_answer_comes_with_its_tokens(small_model: Settings) -> None:
    said = ChatModel(small_model).complete([("user", "Say hello.")], longest=200)
    assert said.text.strip()
    assert said.usage.tokens_in and said.usage.tokens_out


def test_an_answer_streams_and_is_the_same_as_the_whole_one(small_model: Settings) -> None:
    model = ChatModel(small_model)
    pieces = list(model.stream([("user", "Say hello.")], longest=200))
    assert len(pieces) > 3
    assert "".join(pieces) == model.complete([("user", "Say hello.")], longest=200).text


def test_an_answer_is_held_to_a_schema(small_model: Settings) -> None:
    said = ChatModel(small_model).complete(
        [("user", "Name one colour.")], schema=Colour, longest=200
    )
    assert Colour.model_validate_json(said.text).colour


def test_an_answer_that_runs_into_its_length_is_cut_short(small_model: Settings) -> None:
    model = ChatModel(small_model)
    with pytest.raises(CutShort):
        model.complete([("user", "Count to a hundred.")], longest=4)
    with pytest.raises(CutShort):
        list(model.stream([("user", "Count to a hundred.")], longest=4))


def test_more_than_the_context_is_told(small_model: Settings) -> None:
    with pytest.raises(ContextTooLong):
        ChatModel(small_model).complete([("user", "word " * 9000)], longest=4)


def test_the_critics_own_schema_is_taken(small_model: Settings) -> None:
    model = ChatModel(small_model)
    with pytest.raises(CutShort):  # a model this small goes on listing without end
        model.complete([("user", "List the promises.")], schema=Wire, longest=12)
    assert model.refused == set()
