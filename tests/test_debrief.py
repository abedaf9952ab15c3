"""What a conversation showed, and why trust did not follow the scores."""

import pytest

from agent.counterpart import advance, leave
from agent.debrief import debrief
from agent.domain import Capability, CounterpartState, Critique, Ending, Move, Speech, Transcript
from prompts import Rubric, load_rubric
from tests.conftest import after, judged


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    return load_rubric()


def held(transcript: Transcript, *critiques: Critique) -> Transcript:
    for critique in critiques:
        transcript = after(transcript, critique, advance(transcript, critique))
    return transcript


def ended(transcript: Transcript) -> Transcript:
    speech = Speech(text="Right.", voice="test")
    return transcript.model_copy(update={"ending": Ending(state=leave(transcript), speech=speech)})


ASKS = judged("What did the crews say when they came back?", 3, open_question="What did the crews")


def test_one_open_question_shows_only_what_it_is_itself(
    transcript: Transcript, rubric: Rubric
) -> None:
    scores = debrief(held(transcript, ASKS), rubric).scores
    assert scores[Capability.LISTEN].score == 3
    assert scores[Capability.CURIOUS].score == 3
    for touched in (Capability.INNOVATE, Capability.VALUE):
        assert scores[touched].score == 2
        assert "touched on it" in scores[touched].because


def test_a_reply_said_again_says_why_it_moved_nothing(
    transcript: Transcript, rubric: Rubric
) -> None:
    ledger = debrief(held(transcript, ASKS, ASKS), rubric).ledger
    assert ledger[1].note is not None
    assert "again" in ledger[1].note


def test_a_clear_reply_in_other_moves_says_so(transcript: Transcript, rubric: Rubric) -> None:
    other = next(m for m in Move if m.good and m not in transcript.scenario.listens_for)
    critique = judged("I see four depots and two crews short.", 3, **{other: "four depots"})
    note = debrief(held(transcript, critique), rubric).ledger[0].note
    assert note is not None
    assert transcript.scenario.persona.name.split()[0] in note


def test_what_stayed_hidden_says_how_far_trust_fell_short(
    transcript: Transcript, rubric: Rubric
) -> None:
    asked = transcript.scenario.concern[0].asks[0]
    early = judged(asked, 3, open_question=asked)
    gate = transcript.scenario.concern[0].gate
    state = CounterpartState(trust=gate - 1, steps=advance(transcript, early).steps)
    first, *later = debrief(after(transcript, early, state), rubric).hidden
    assert first.short is not None
    assert f"trust of {gate:g}" in first.short
    assert all(stage.short is None for stage in later)


def test_an_apology_is_no_promise_on_the_table(transcript: Transcript) -> None:
    sorry = judged("I am sorry I did not see the crews.", 2, promise="I am sorry I did not see")
    promise = judged("I will face the crews on Monday.", 3, promise="I will face the crews")
    made = held(transcript, sorry, promise).state.agreements
    assert [a.words for a in made] == ["I will face the crews"]


def test_a_side_request_is_no_part_of_the_decision(transcript: Transcript) -> None:
    deciding = transcript.scenario.decides_on
    assert Move.REQUEST not in deciding
    asks = judged("Send me the list of crews.", 2, request="Send me the list of crews.")
    says = judged("By May the crews hear it first.", 3, **{deciding[0]: "By May the crews"})
    made = ended(held(transcript, asks, says)).state.agreements
    standing = {a.move: a.standing for a in made}
    assert standing[Move.REQUEST] == "open"
    assert standing[deciding[0]] != "open"
