"""The real client against a real model on loopback: SmolLM2 of 135 million parameters.

It shows that the endpoint's protocol is spoken, and nothing about the quality of any model.
"""

import pytest
from pydantic import BaseModel, ConfigDict

from agent.errors import ContextTooLong, CutShort
from agent.llm_critic import LLMCritic
from agent.model import ChatModel
from agent.rubric import critique
from agent.settings import Settings
from prompts import load_rubric

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


def test_what_the_critic_is_told_by_it_passes_the_gate(small_model: Settings) -> None:
    reply = "You will have the list on your desk by noon on Friday."
    critic = LLMCritic(ChatModel(small_model), load_rubric(), longest=500)
    try:
        reading = critic.read([("counterpart", "And now?")], reply)
    except CutShort:  # a model this small may not come to an end
        return
    held = critique(reply, reading, critic.name)
    assert all(held.words(finding) in reply for finding in held.findings)
    assert held.usage and held.usage.tokens_in
