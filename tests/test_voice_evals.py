"""The fidelity table with a model's voice: answers are kept, and a run can go on."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agent.errors import CutShort, EndpointDown
from agent.model import Message, ScriptedModel
from evals import baseline
from evals.__main__ import main
from evals.cache import CachedModel

ASKED: tuple[Message, ...] = (("system", "You sell stairs."), ("user", "What do they cost?"))
RUN = ["counterpart", "--voice", "llm", "--scenario", "declare-vision", "--scripts", "1", "--json"]


class Price(BaseModel):
    price: int


def streamed(model: CachedModel) -> str:
    return "".join(model.stream(ASKED, longest=50))


def test_the_same_question_is_asked_once(tmp_path: Path) -> None:
    inner = ScriptedModel("Eleven each.", "Twelve.")
    first, second = CachedModel(inner, tmp_path), CachedModel(inner, tmp_path)
    assert streamed(first) == streamed(second) == "Eleven each."
    assert second.complete(ASKED, longest=50).text == "Eleven each."
    assert (first.asked, second.found) == (1, 2)
    assert len(inner.seen) == 1


@pytest.mark.parametrize("change", ["model", "words", "length", "schema"])
def test_another_question_is_asked_anew(tmp_path: Path, change: str) -> None:
    CachedModel(ScriptedModel("Eleven."), tmp_path).complete(ASKED, longest=50)
    inner = ScriptedModel("Twelve.", name="other:model" if change == "model" else "scripted:model")
    answer = CachedModel(inner, tmp_path).complete(
        (*ASKED[:1], ("user", "Why?")) if change == "words" else ASKED,
        schema=Price if change == "schema" else None,
        longest=51 if change == "length" else 50,
    )
    assert answer.text == "Twelve."


def test_what_failed_or_was_not_read_to_its_end_is_not_kept(tmp_path: Path) -> None:
    model = CachedModel(ScriptedModel(["Elev", CutShort("cut")], "One. Two.", "Whole."), tmp_path)
    with pytest.raises(CutShort):
        streamed(model)
    pieces: Any = model.stream(ASKED, longest=50)
    next(pieces)
    pieces.close()
    assert streamed(model) == "Whole."
    assert (model.asked, model.found) == (1, 0)


def test_a_file_that_was_cut_off_is_asked_anew(tmp_path: Path) -> None:
    model = CachedModel(ScriptedModel("Eleven."), tmp_path)
    streamed(model)
    for file in tmp_path.iterdir():
        file.write_text(file.read_text("utf-8")[:10], "utf-8")
    assert streamed(model) == "Eleven."
    assert (model.asked, model.found) == (2, 0)


@pytest.mark.slow
def test_the_table_is_the_same_with_a_model_and_a_second_run_asks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel("Hm. That is as it may be.")
    monkeypatch.setattr("agent.model.model_of", lambda settings: model)
    reports = []
    for _ in range(2):
        assert main([*RUN, "--kept", str(tmp_path)]) == 0
        reports.append(json.loads(capsys.readouterr().out.splitlines()[-1]))
    first, second = reports
    assert first["all"] == second["all"]
    assert first["all"]["same_twice"] is None
    assert first["all"]["n"] > 5
    assert first["all"]["leak"] == 0
    assert first["voice"]["speeches"] > first["all"]["n"]
    assert first["voice"]["authored_instead"] > 0, "what was said before is not said again"
    assert first["voice"]["asked"] > 0
    assert second["voice"]["asked"] == 0
    assert first["voice"]["name"].startswith("scripted:model counterpart-")


@pytest.mark.slow
def test_a_dead_endpoint_ends_the_run_with_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(EndpointDown("Nothing answers there."))
    monkeypatch.setattr("agent.model.model_of", lambda settings: model)
    with pytest.raises(SystemExit, match=r"Nothing answers there\. What was answered is kept"):
        main([*RUN, "--kept", str(tmp_path)])


def test_without_a_model_the_run_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REHEARSAL_MODEL", raising=False)
    with pytest.raises(SystemExit, match="REHEARSAL_MODEL"):
        main(RUN)


def test_a_models_figures_are_not_laid_beside_the_authored_ones() -> None:
    args = argparse.Namespace(command="counterpart", scenario=None, voice="llm")
    assert baseline.command_of(args) is None
    args.voice = "authored"
    assert baseline.command_of(args) == "counterpart"
