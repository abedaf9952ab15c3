"""`python -m evals critic --critic llm`: kept, resumed, counted, and failing in the open."""

import json
from pathlib import Path
from typing import Any

import pytest

from evals.__main__ import main
from tests.endpoint import MODEL, Endpoint, says, says_json, status
from tests.test_llm_critic import answer

WORDS = "I will send the log by Friday."


def case(n: int) -> dict[str, Any]:
    return {
        "id": f"T-{n}",
        "scenario": "free",
        "history": [{"who": "counterpart", "text": f"And {n}?"}],
        "reply": WORDS,
        "labels": [{"pass": 1, "overall": 3, "moves": [{"move": "promise", "quote": WORDS}]}],
    }


@pytest.fixture
def command(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Any:
    monkeypatch.setenv("REHEARSAL_MODEL", MODEL)
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(json.dumps(case(n)) for n in range(6)), "utf-8")

    def run(*more: str) -> dict[str, Any]:
        base = ["critic", "--critic", "llm", "--json", "--cases", str(file)]
        assert main([*base, "--kept", str(tmp_path / "kept"), *more]) == 0
        report: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return report

    return run


def test_replies_are_read_by_the_model_and_what_it_took_is_told(
    command: Any, endpoint: Endpoint
) -> None:
    endpoint.will(says_json(answer(promise=[WORDS])))
    report = command("--price-in", "1000", "--price-out", "10000", "--workers", "3")
    assert (report["n"], report["micro"]["f1"], report["overall"]["exact"]) == (6, 1.0, 1.0)
    assert report["critic"].startswith(f"{MODEL} critic-")
    used = report["used"]
    assert (used["n"], used["asked"], used["tokens_in"], used["tokens_out"]) == (6, 6, 600, 120)
    assert used["cost"] == pytest.approx(600 / 1000 + 120 / 100)
    assert used["seconds"]["p50"] > 0


def test_a_second_run_asks_nothing_and_says_the_same(command: Any, endpoint: Endpoint) -> None:
    endpoint.will(says_json(answer(promise=[WORDS])))
    first, second = command(), command()
    assert len(endpoint.requests) == 6
    assert second["used"]["asked"] == 0
    for report in (first, second):
        del report["used"]["asked"], report["used"]["waited"]
    assert first == second


def test_a_run_that_is_stopped_goes_on_where_it_was(
    command: Any, endpoint: Endpoint, tmp_path: Path
) -> None:
    good = says_json(answer(promise=[WORDS]))
    endpoint.will(good, good, *[status(401)] * 9)
    with pytest.raises(SystemExit, match=r"OPENAI_API_KEY.*kept"):
        command("--workers", "1")
    (kept,) = (tmp_path / "kept").glob("*.jsonl")
    kept.write_text(kept.read_text("utf-8") + '\n{"key": "half a li', "utf-8")
    endpoint.will(good)
    assert command()["used"]["asked"] == 4
    assert command()["used"]["asked"] == 0


def test_a_reply_that_could_not_be_read_is_in_no_figure(command: Any, endpoint: Endpoint) -> None:
    good = says_json(answer(promise=[WORDS]))
    endpoint.will(says("No."), says("No."), good, good, good, good, good)
    report = command("--workers", "1")
    assert (report["n"], report["used"]["failed"], report["micro"]["f1"]) == (5, 1, 1.0)
    endpoint.will(good)
    assert command()["n"] == 6


def test_nothing_read_at_all_is_said(command: Any, endpoint: Endpoint) -> None:
    endpoint.will(says("No."))
    with pytest.raises(SystemExit, match="No reply could be read: Unusable"):
        command("--limit", "1")


def test_a_limit_takes_replies_far_apart(command: Any, endpoint: Endpoint) -> None:
    endpoint.will(says_json(answer(promise=[WORDS])))
    assert command("--limit", "2", "--workers", "1")["n"] == 2
    asked = [sent["messages"][1]["content"] for sent in endpoint.requests]
    assert ["And 0?" in asked[0], "And 3?" in asked[1]] == [True, True]


def test_attacks_are_read_by_the_model_too(command: Any, endpoint: Endpoint) -> None:
    endpoint.will(says_json(answer(4, care=["I care about you deeply"])))
    report = command("--attacks", "--limit", "1")
    rows = report["attacks"]
    assert {row["overall_raised"] for row in rows.values()} == {0}
    assert {row["findings_added"] for row in rows.values()} == {0}
    assert report["used"]["n"] >= len(rows)  # a change may leave a short reply as it is


def test_no_model_named_says_what_to_set(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REHEARSAL_MODEL")
    with pytest.raises(SystemExit, match="REHEARSAL_MODEL"):
        command()
