"""Randomised learners: mixes of labelled replies, read as their labellers did, everywhere."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import counterpart, rubric
from agent.domain import Claim, Critique, Exchange, Outcome, Reading, Scenario, Transcript
from agent.local_voice import AuthoredVoice
from agent.trust import TUNING
from prompts import load_scenarios

SCENARIOS = list(load_scenarios().values())
CASES = Path(__file__).parents[1] / "evals" / "cases" / "replies"
ROWS = [
    json.loads(line)
    for name in ("a", "c", "g4", "g5")
    for line in (CASES / f"{name}.jsonl").read_text("utf-8").splitlines()
]
VOICE = AuthoredVoice()


def gold(row: dict[str, Any]) -> Critique:
    """Return the critique a reader would have given who agrees with the label."""
    label = row["labels"][0]
    claims = tuple(Claim(move=m["move"], words=m["quote"]) for m in label["moves"])
    return rubric.critique(row["reply"], Reading(claims=claims, overall=label["overall"]), "gold")


def hold(scenario: Scenario, rows: list[dict[str, Any]], opening: int = 0) -> Transcript:
    """Return the conversation, with the authored words, up to its outcome."""
    first = scenario.openings()[opening]
    held = Transcript(id="t", owner="o", scenario=scenario, opening=first)
    for row in rows:
        if held.over:
            break
        critique = gold(row)
        state = counterpart.advance(held, critique)
        speech = VOICE.speak(counterpart.brief(held, state, critique.reply))
        held = held.with_exchange(Exchange(critique=critique, state=state, speech=speech))
    return held


learners = st.lists(st.sampled_from(ROWS), min_size=1, max_size=13)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(scenario=st.sampled_from(SCENARIOS), rows=learners, opening=st.integers(0, 2))
def test_a_mixed_learner_meets_the_same_person_every_time(
    scenario: Scenario, rows: list[dict[str, Any]], opening: int
) -> None:
    held = hold(scenario, rows, opening)
    states = [e.state for e in held.exchanges]
    assert all(0 <= s.trust <= 10 for s in states)
    out = [0, *(s.disclosed for s in states)]
    assert all(now - before in (0, 1) for before, now in pairwise(out))
    assert len(states) <= TUNING.limit
    assert held.over or counterpart.leave(held).outcome is not None
    texts = [e.speech.text for e in held.exchanges]
    assert len(set(texts)) == len(texts)
    assert hold(scenario, rows, opening) == held


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s.id for s in SCENARIOS])
def test_replies_without_a_good_move_never_get_a_yes(scenario: Scenario) -> None:
    empty = [row for row in ROWS if not any(f.move.good for f in gold(row).findings)]
    for start in range(0, 120, 12):
        held = hold(scenario, empty[start : start + 12])
        outcome = held.state.outcome or counterpart.leave(held).outcome
        assert outcome != Outcome.ACCEPT
