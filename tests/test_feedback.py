import pytest

from agent import counterpart, rubric
from agent.domain import Claim, Critique, Move, Reading, Transcript
from agent.feedback import feedback
from prompts import load_rubric
from tests.conftest import after, judged

RUBRIC = load_rubric()


def held(transcript: Transcript, *critiques: Critique) -> Transcript:
    for critique in critiques:
        transcript = after(transcript, critique, counterpart.advance(transcript, critique))
    return transcript


def test_what_was_missed_is_not_said_twice_in_a_row(transcript: Transcript) -> None:
    talk = held(transcript, *(judged(f"The depot has {n} vans.", 2) for n in (3, 4, 5)))
    missed = [feedback(talk, n, RUBRIC).missed_move for n in range(3)]
    assert missed[0] and missed[1] and missed[0] != missed[1] != missed[2]


def test_a_model_reply_is_shown_once(transcript: Transcript) -> None:
    talk = held(transcript, *(judged(f"The depot has {n} vans.", 2) for n in range(3, 10)))
    words = [feedback(talk, n, RUBRIC) for n in range(len(talk.exchanges))]
    models = [w.stronger for w in words if w.stronger_is_model]
    assert models and len(set(models)) == len(models)


def test_an_exemplary_reply_lacks_only_what_a_decision_waits_for(transcript: Transcript) -> None:
    reply = "What did the last slogan cost you with the crews at the depot?"
    talk = held(transcript, judged(reply, 4, open_question=reply))
    assert not talk.exchanges[0].state.missing
    assert feedback(talk, 0, RUBRIC).missed is None


def test_only_a_whole_thought_is_asked_about(transcript: Transcript) -> None:
    reply = "I will stand at the gate myself on the day, by then."
    claims = [
        Claim(move="promise", words=reply, confidence=0.5, sure=False),
        Claim(move="terms", words="by then", confidence=0.6, sure=False),
        Claim(move="pressure", words=reply, confidence=0.7, sure=False),
    ]
    critique = rubric.critique(reply, Reading(claims=tuple(claims), overall=2), "test")
    questions = feedback(held(transcript, critique), 0, RUBRIC).questions
    assert len(questions) == 1 and questions[0].endswith("meant as a promise?")


def test_a_name_in_the_plural_takes_no_article(transcript: Transcript) -> None:
    reply = "It is done when the last van has left the yard."
    claim = Claim(move=Move.TERMS, words=reply, confidence=0.5, sure=False)
    critique = rubric.critique(reply, Reading(claims=(claim,), overall=2), "test")
    (question,) = feedback(held(transcript, critique), 0, RUBRIC).questions
    assert question.endswith("meant as conditions of satisfaction?")


@pytest.mark.parametrize(
    ("reply", "cautions"),
    [
        ("Prometto che entro venerdì avrai il rapporto sul tavolo e ne rispondo io.", True),
        ("I promise that you have the report on your desk by Friday, and I answer for it.", False),
        ("Enquiries 1,140, viewings 212, admissions 31. Spend up 60 percent on last year.", False),
        ("Jawohl.", False),
    ],
)
def test_a_reply_in_another_language_is_scored_with_a_caution(
    reply: str, cautions: bool, transcript: Transcript
) -> None:
    local = judged(reply, 2).model_copy(update={"critic": "moves_v2"})
    assert bool(feedback(held(transcript, local), 0, RUBRIC).caution) == cautions
    assert feedback(held(transcript, judged(reply, 2)), 0, RUBRIC).caution is None
