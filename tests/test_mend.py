import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import Move
from agent.mend import LONGEST, near_miss
from prompts import load_rubric

RUBRIC = load_rubric()


def mended(move: Move, reply: str) -> str | None:
    found = near_miss(reply, RUBRIC.moves[move].near)
    return found.mended if found else None


@pytest.mark.parametrize(
    ("move", "reply", "expected"),
    [
        (Move.PROMISE, "I'll try to send the list on Friday.", "I will send the list on Friday."),
        (Move.TERMS, "Fine. You get it soon, Jo.", "You get it by … (which day?), Jo."),
        (Move.OPEN_QUESTION, "So can you tell me what broke?", "So what broke?"),
        (
            Move.OPEN_QUESTION,
            "Is there anything that worries you about 9.30?",
            "What worries you about 9.30?",
        ),
        (Move.DECLARATION, "hopefully we can run it alone.", "We will run it alone."),
    ],
)
def test_a_near_miss_is_mended_in_the_learners_own_words(
    move: Move, reply: str, expected: str
) -> None:
    assert mended(move, reply) == expected


def test_what_says_nothing_of_the_other_person_is_named_and_not_mended() -> None:
    found = near_miss("I hear you. Go on.", RUBRIC.moves[Move.REFLECTION].near)
    assert found is not None
    assert found.missed.startswith("“I hear you” tells them that you understood")
    assert found.mended is None


def test_a_reply_that_comes_near_nothing_gets_no_near_miss() -> None:
    for move in Move:
        assert near_miss("Tuesday. Warsaw. Blue.", RUBRIC.moves[move].near) is None


def test_words_outside_the_span_are_left_alone() -> None:
    near = RUBRIC.moves[Move.VAGUENESS].near
    assert near_miss("We do it soon. Then we talk.", near, (15, 28)) is None


@pytest.mark.parametrize("slot", ["{said}", "{x}", r"\1", r"\g<0>"])
def test_braces_and_backslashes_in_a_reply_are_never_expanded(slot: str) -> None:
    reply = f"I'll try to send {slot} soon."
    assert mended(Move.PROMISE, reply) == f"I will send {slot} soon."


def test_a_sentence_without_an_end_is_mended_only_while_it_can_be_read() -> None:
    assert mended(Move.PROMISE, "I'll try to go on " + "and on " * 60) is None


@given(st.text(max_size=400), st.sampled_from(list(Move)))
def test_whatever_is_typed_nothing_breaks_and_nothing_is_invented(reply: str, move: Move) -> None:
    found = near_miss(f"I'll try to {reply} soon", RUBRIC.moves[move].near)
    if found and found.mended:
        assert len(found.mended) <= LONGEST
        kept = set(re.findall(r"\w+", found.mended.lower()))
        allowed = set(re.findall(r"\w+", f"I'll try to {reply} soon by which day will".lower()))
        instead = " ".join(n.instead for n in RUBRIC.moves[move].near)
        assert kept <= allowed | set(re.findall(r"[a-z]+", instead.lower()))
