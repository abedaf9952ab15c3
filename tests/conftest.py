"""What all tests share: no network but loopback, a data folder of their own, small values."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from agent.domain import (
    Claim,
    CounterpartState,
    Critique,
    Exchange,
    Reading,
    Scenario,
    Speech,
    Transcript,
)
from agent.rubric import critique
from prompts import load_scenarios
from tests.endpoint import endpoint, small_model, small_url

__all__ = ["endpoint", "small_model", "small_url"]  # fixtures


@pytest.fixture(autouse=True)
def _loopback_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pytest_socket.socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)
    monkeypatch.setenv("REHEARSAL_DATA_DIR", str(tmp_path / "data"))
    yield
    pytest_socket._remove_restrictions()


@pytest.fixture(scope="session")
def scenarios() -> dict[str, Scenario]:
    return load_scenarios()


@pytest.fixture
def scenario(scenarios: dict[str, Scenario]) -> Scenario:
    return scenarios["declare-vision"]


@pytest.fixture
def transcript(scenario: Scenario) -> Transcript:
    return Transcript(id="t", owner="local", scenario=scenario, opening=scenario.openings()[0])


def judged(reply: str, overall: int, **moves: str) -> Critique:
    """Return the critique of a reply in which each named move has these words."""
    claims = tuple(Claim(move=move, words=words) for move, words in moves.items())
    return critique(reply, Reading(claims=claims, overall=overall), critic="test")


def after(before: Transcript, critique: Critique, state: CounterpartState) -> Transcript:
    """Return the conversation with one exchange more."""
    speech = Speech(text="Go on.", voice="test")
    return before.with_exchange(Exchange(critique=critique, state=state, speech=speech))
