"""`rehearsal play`: the protocol that people and programs hold a conversation by."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.engine import Engine
from agent.session import ScriptedCritic, ScriptedVoice

PLAY = [sys.executable, "-m", "agent.cli", "play", "declare-vision"]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "critic", ScriptedCritic())
    monkeypatch.setattr(Engine, "voice", ScriptedVoice("Go on."))


def play(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, status: int = 0
) -> list[dict[str, Any]]:
    """Play a file of replies; return the objects that came out after the opening."""
    file = tmp_path / "replies"
    file.write_bytes(content)
    assert main(["play", "declare-vision", "--json", "--replies", str(file)]) == status
    first, *rest = [json.loads(line) for line in capsys.readouterr().out.split("\n") if line]
    assert first["opening"]
    assert first["brief"]["situation"]
    return rest


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    ("content", "replies"),
    [
        (b"One.\nTwo.\n", ["One.", "Two."]),
        (b"One.\r\nTwo.", ["One.", "Two."]),
        (b"\xef\xbb\xbfOne.\n", ["One."]),
        (b"One\\nmore line.\n", ["One\nmore line."]),
        ("One\u2028still one\x85here.\n".encode(), ["One\u2028still one\x85here."]),
        (b'{"reply": "One \\u00e9 \\\\n."}\n{"reply": "Two\\n."}\n', ["One \u00e9 \\n.", "Two\n."]),
        (b'{"not": "a reply"}\n', ['{"not": "a reply"}']),
    ],
)
def test_each_line_of_a_file_is_a_reply(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, replies: list[str]
) -> None:
    rows = play(capsys, tmp_path, content)
    assert [row["reply"] for row in rows if "exchange" in row] == replies


@pytest.mark.usefixtures("scripted")
def test_a_refused_reply_is_told_and_the_conversation_goes_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    long = b"x" * 7_000
    rows = play(capsys, tmp_path, long + b"\n\xff\xfe\n" + b'{"reply": " "}\nStill here.\n')
    assert [row["error"]["kind"] for row in rows[:3]] == ["too_long", "not_text", "blank"]
    assert (rows[3]["exchange"], rows[3]["reply"]) == (1, "Still here.")
    assert [next(iter(row)) for row in rows[4:]] == ["ending", "debrief"]


@pytest.mark.usefixtures("scripted")
def test_replies_after_the_outcome_are_not_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    *exchanges, last = play(capsys, tmp_path, b"".join(b"Nothing %d.\n" % n for n in range(30)))
    assert len(exchanges) < 12
    assert exchanges[-1]["state"]["outcome"] == last["debrief"]["outcome"] == "walk_out"


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize("part", ["critic", "voice"])
def test_an_engine_that_fails_is_told_with_status_1(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
) -> None:
    failure = RuntimeError("no answer")
    double = ScriptedCritic(failure) if part == "critic" else ScriptedVoice(failure)
    monkeypatch.setattr(Engine, part, double)
    rows = play(capsys, tmp_path, b"One.\nTwo.\n", status=1)
    assert rows[0]["error"]["kind"] == "backend"
    assert part in rows[0]["error"]["message"]
    assert not any("exchange" in row for row in rows)


@pytest.mark.usefixtures("scripted")
def test_an_end_that_fails_is_told_with_status_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "voice", ScriptedVoice("Yes?", RuntimeError("no answer")))
    rows = play(capsys, tmp_path, b"One.\n", status=1)
    assert rows[1]["error"]["kind"] == "backend"


@pytest.mark.usefixtures("scripted")
def test_a_finding_carries_the_words_it_stands_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("REHEARSAL_DATA_DIR", str(tmp_path))
    row = play(capsys, tmp_path, "Für dich: by 1 October you have the list.\n".encode())[0]
    assert row["findings"]
    for finding in row["findings"]:
        assert row["reply"][finding["start"] : finding["end"]] == finding["quote"]
        assert 0 < finding["confidence"] <= 1
    assert set(row["state"]) == {"trust", "stance", "disclosed", "patience", "outcome"}


@pytest.mark.usefixtures("scripted")
def test_the_debrief_has_its_keys(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    debrief = play(capsys, tmp_path, b"One.\n")[-1]["debrief"]
    keys = {"outcome", "reason", "scores", "ledger", "came_out", "hidden", "agreements", "next"}
    assert set(debrief) == keys
    assert all(set(score) == {"score", "because"} for score in debrief["scores"].values())


@pytest.mark.parametrize("usage", [[], ["play"], ["play", "x", "--opening", "one"], ["nonsense"]])
def test_wrong_usage_is_status_2(usage: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(usage)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    "command",
    [
        ["play", "declare-vision", "--replies", "/no/such/file"],
        ["play", "declare-vision", "--opening", "9"],
        ["export", "no-such-id"],
        ["ask", " "],
        ["ask", "half an emoji \ud83d"],
    ],
)
def test_what_cannot_be_done_is_one_plain_line(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rehearsal: ")
    assert err.count("\n") == 1


@contextmanager
def process(env: dict[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [*PLAY, "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=env,
    ) as it:
        yield it


def test_a_program_is_answered_before_it_sends_the_next_reply() -> None:
    with process(dict(os.environ, LC_ALL="C")) as it:
        assert it.stdin is not None
        assert it.stdout is not None
        assert "opening" in json.loads(it.stdout.readline())
        for number, reply in enumerate(("Was kümmert dich? 😀", "By Friday."), start=1):
            it.stdin.write(reply + "\n")
            it.stdin.flush()
            row = json.loads(it.stdout.readline())
            assert (row["exchange"], row["reply"]) == (number, reply)
        out, err = it.communicate()
        assert [next(iter(json.loads(line))) for line in out.splitlines()] == ["ending", "debrief"]
        assert err == ""
        assert it.returncode == 0


def test_a_reader_that_goes_away_causes_no_noise() -> None:
    with process() as it:
        assert it.stdin is not None
        assert it.stdout is not None
        it.stdout.readline()
        it.stdout.close()
        it.stdin.write("One.\nTwo.\n")
        it.stdin.close()
        assert it.wait(30) in (0, 1)
        assert it.stderr is not None
        assert it.stderr.read() == ""


def test_an_interrupt_loses_nothing_that_was_stored(capsys: pytest.CaptureFixture[str]) -> None:
    with process() as it:
        assert it.stdin is not None
        assert it.stdout is not None
        it.stdout.readline()
        it.stdin.write("By Friday you have the list.\n")
        it.stdin.flush()
        it.stdout.readline()
        it.send_signal(signal.SIGINT)
        _, err = it.communicate()
        assert "Traceback" not in err
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["replies"] == 1
