"""`rehearsal doctor` with a model named: what the endpoint can do and what not."""

import json
from typing import Any

import pytest

from agent import doctor
from agent.cli import main
from agent.engine import Engine
from tests.endpoint import MODEL, Endpoint, breaks_off, says, status

CALLS = ("model", "model streams", "model JSON")


@pytest.fixture(autouse=True)
def _only_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def checks(engine: Engine) -> dict[str, doctor.Check]:
        return {name: check for name, check in every(engine).items() if name in CALLS}

    every = doctor._checks
    monkeypatch.setattr(doctor, "_checks", checks)
    monkeypatch.setenv("REHEARSAL_MODEL", MODEL)


def examined(capsys: Any) -> tuple[int, dict[str, Any]]:
    code = main(["doctor", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_endpoint_that_can_do_everything_is_told_so(endpoint: Endpoint, capsys: Any) -> None:
    endpoint.will(says("Ready."), says("Good morning."), says('{"colour": "blue"}'))
    code, found = examined(capsys)
    assert code == 0
    assert [found[name]["works"] for name in CALLS] == [True, True, True]
    assert "Ready." in found["model"]["says"] and "counts its tokens" in found["model"]["says"]
    assert "2 pieces" in found["model streams"]["says"]
    assert found["model JSON"]["says"] == "it is held to a JSON schema"


def test_what_an_endpoint_cannot_do_is_told_and_is_no_failure(
    endpoint: Endpoint, capsys: Any
) -> None:
    refuses = status(400, "seed is not supported", param="seed")
    endpoint.will(refuses, says("Ready.", tokens=None), says("Morning"), says("Blue, I think."))
    code, found = examined(capsys)
    assert code == 0
    assert "does not count its tokens; it takes no seed" in found["model"]["says"]
    assert "comes whole" in found["model streams"]["says"]
    assert "not held to a JSON schema" in found["model JSON"]["says"]


def test_a_call_that_fails_fails_the_doctor(endpoint: Endpoint, capsys: Any) -> None:
    endpoint.will(says("Ready."), breaks_off("Good"), status(422, "no schema"))
    code, found = examined(capsys)
    assert code == 1
    assert [found[name]["works"] for name in CALLS] == [True, False, False]
    assert "broke off" in found["model streams"]["says"]


def test_no_key_is_named(endpoint: Endpoint, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    code, found = examined(capsys)
    assert code == 1
    assert "OPENAI_API_KEY" in found["model"]["says"]


def test_without_a_model_no_call_is_made(endpoint: Endpoint, monkeypatch: Any) -> None:
    monkeypatch.delenv("REHEARSAL_MODEL")
    assert main(["doctor"]) == 0
    assert endpoint.requests == []
