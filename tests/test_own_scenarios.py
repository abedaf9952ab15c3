"""Conversations of one's own: a starter file, a folder beside ours, and files that are wrong."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from agent.cli import main
from agent.engine import Engine
from agent.errors import ScenarioError
from agent.session import ScriptedCritic, ScriptedVoice
from agent.settings import Settings
from prompts import FOLDER, load_scenarios
from prompts.lint import lint
from tests.test_app import MAIN, engine, text_of

__all__ = ["engine"]  # the fixture
SOURCE = FOLDER / "scenarios" / "declare-vision.yaml"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def own(folder: Path, name: str, change: Callable[[str], str] = lambda text: text) -> Path:
    """Write a valid conversation of that id into a folder, changed."""
    folder.mkdir(parents=True, exist_ok=True)
    text = SOURCE.read_text("utf-8").replace("id: declare-vision", f"id: {name}")
    path = folder / f"{name}.yaml"
    path.write_text(change(text.replace("title: The fourth slogan", f"title: My {name}")), "utf-8")
    return path


@pytest.fixture
def folder() -> Path:
    return Engine().settings.own_scenarios


# --- the folder --------------------------------------------------------------------------------


def test_the_folder_is_in_the_data_folder_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REHEARSAL_SCENARIOS_DIR", raising=False)
    assert Settings().own_scenarios == tmp_path / "data" / "scenarios"
    monkeypatch.setenv("REHEARSAL_SCENARIOS_DIR", str(tmp_path / "mine"))
    own(tmp_path / "mine", "elsewhere")
    assert "elsewhere" in Engine().scenarios


def test_an_own_conversation_stands_after_ours_and_can_be_held(folder: Path) -> None:
    own(folder, "a-mine")
    made = Engine()
    assert list(made.scenarios)[-1] == "a-mine"
    made.__dict__ |= {"critic": ScriptedCritic(), "voice": ScriptedVoice()}
    assert made.start("a-mine").reply("Hello.").speech.text


def test_a_file_that_is_added_mended_or_removed_is_seen_without_a_restart(folder: Path) -> None:
    made = Engine()
    ours = set(made.scenarios)
    path = own(folder, "mine", lambda text: text.replace("difficulty: 1", "difficulty: 11"))
    assert set(made.scenarios) == ours and len(made.left_out) == 1
    own(folder, "mine")
    assert set(made.scenarios) == ours | {"mine"} and not made.left_out
    path.unlink()
    assert set(made.scenarios) == ours


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "mapping"),
        ("id: [1", "line 2"),
        ("\x00", "not allowed"),
        ("[" * 100_000, "levels"),
        ("id: mine\n", "is missing"),
    ],
    ids=["empty", "cut", "NUL", "deep", "little"],
)
def test_a_bad_own_file_is_left_out_and_the_rest_is_there(
    folder: Path, text: str, reason: str
) -> None:
    own(folder, "good")
    bad = folder / "bad.yaml"
    bad.write_text(text, "utf-8")
    made = Engine()
    assert "good" in made.scenarios
    assert [left.file for left in made.left_out] == [bad]
    assert reason in made.left_out[0].reason
    assert "\n" not in made.left_out[0].reason


def test_what_is_no_text_file_is_left_out(folder: Path) -> None:
    own(folder, "good")
    (folder / "folder.yaml").mkdir()
    (folder / "latin.yaml").write_bytes(b"id: caf\xe9")
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    made = Engine()
    assert "good" in made.scenarios
    assert {left.file.name for left in made.left_out} == {"folder.yaml", "latin.yaml", "gone.yaml"}


def test_an_id_of_ours_is_refused_with_the_reason(folder: Path) -> None:
    (folder).mkdir(parents=True)
    text = SOURCE.read_text("utf-8").replace("title: The fourth slogan", "title: Mine instead")
    (folder / "mine.yaml").write_text(text, "utf-8")
    made = Engine()
    assert made.scenario("declare-vision").title == "The fourth slogan"
    assert "'declare-vision' is taken by one of ours" in made.left_out[0].reason


def test_two_own_files_of_one_id_leave_the_second_out(folder: Path) -> None:
    own(folder, "one")
    own(folder, "two", lambda text: text.replace("id: two", "id: one"))
    made = Engine()
    assert made.scenario("one").title == "My one"
    assert [left.file.name for left in made.left_out] == ["two.yaml"]


def test_a_bad_file_of_ours_is_still_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path, "bad", lambda text: text.replace("difficulty: 1", "difficulty: 11"))
    monkeypatch.setattr("prompts.load_scenarios", lambda: load_scenarios(tmp_path))
    with pytest.raises(ScenarioError, match="difficulty"):
        _ = Engine().scenarios


def test_a_stored_conversation_keeps_its_own_copy(folder: Path) -> None:
    path = own(folder, "mine")
    made = Engine()
    made.__dict__ |= {"critic": ScriptedCritic(), "voice": ScriptedVoice()}
    session = made.start("mine")
    session.reply("Hello.")
    path.write_text("id: broken", "utf-8")
    again = Engine()
    again.__dict__ |= {"critic": ScriptedCritic(), "voice": ScriptedVoice()}
    assert "mine" not in again.scenarios
    resumed = again.resume(session.transcript.id)
    assert resumed.transcript.scenario.title == "My mine"
    resumed.reply("And what then?")
    resumed.end()
    assert again.debrief(resumed.transcript).outcome


# --- where a file left out is named ------------------------------------------------------------


def test_a_file_left_out_is_named_in_the_list(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = own(folder, "bad", lambda text: text.replace("difficulty: 1", "difficulty: 11"))
    assert main(["scenarios"]) == 0
    said = capsys.readouterr().out
    assert f"Left out: {bad}" in said and "difficulty" in said
    assert main(["scenarios", "--json"]) == 0
    error = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert error["file"] == str(bad) and error["kind"] == "scenario"


def test_a_file_left_out_is_named_by_the_doctor_and_does_not_stop_the_main_job(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = own(folder, "bad", lambda text: text.replace("difficulty: 1", "difficulty: 11"))
    assert main(["doctor", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)
    assert not checks["own scenarios"]["works"]
    assert str(bad) in checks["own scenarios"]["says"]
    assert all(check["works"] for name, check in checks.items() if name != "own scenarios")


def test_a_file_left_out_is_named_on_the_page_and_shown_as_text(
    engine: Engine,
    folder: Path,
) -> None:
    own(folder, "good")
    own(folder, "bad", lambda text: text.replace("difficulty: 1", 'difficulty: "<b>1</b>"'))
    at = AppTest.from_file(MAIN, default_timeout=30).run()
    assert not at.exception
    assert "My good" in text_of(at)
    notice = next(part for part in text_of(at).splitlines() if "bad.yaml" in part)
    assert "difficulty" in notice and "&lt;b&gt;" in notice and "<b>1" not in notice


def test_without_a_folder_no_notice_is_shown(engine: Engine) -> None:
    at = AppTest.from_file(MAIN, default_timeout=30).run()
    assert "Left out" not in text_of(at)


# --- a file to start from ----------------------------------------------------------------------


def test_the_starter_has_every_key_and_only_lacks_what_is_to_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new-scenario", "ask-for-time", "--title", 'Two "weeks": a test']) == 0
    path = folder / "ask-for-time.yaml"
    assert str(path) in capsys.readouterr().out
    data = yaml.safe_load(path.read_text("utf-8"))
    assert (data["id"], data["title"]) == ("ask-for-time", 'Two "weeks": a test')
    remarks = lint(path.read_text("utf-8"), lambda texts: pytest.fail("nothing to compare"))
    allowed = ("still to be written", "needed", "missing: two replies", "no model reply")
    assert remarks and all(any(a in r.reason for a in allowed) for r in remarks), remarks
    assert all(r.line for r in remarks)


def test_a_starter_that_is_filled_in_can_be_played(folder: Path) -> None:
    main(["new-scenario", "filled"])
    path = folder / "filled.yaml"
    data, full = (yaml.safe_load(p.read_text("utf-8")) for p in (path, SOURCE))
    assert set(data) == set(full)
    assert set(data["lines"]) == set(full["lines"])
    assert set(data["lines"]["react"]) == set(full["lines"]["react"])
    path.write_text(yaml.safe_dump({**full, "id": "filled"}, allow_unicode=True), "utf-8")
    assert "filled" in Engine().scenarios


def test_a_starter_is_not_played_before_it_is_written(folder: Path) -> None:
    main(["new-scenario", "draft"])
    made = Engine()
    assert "draft" not in made.scenarios
    assert made.left_out[0].file.name == "draft.yaml"


def test_a_file_that_is_there_is_never_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new-scenario", "mine"])
    (folder / "mine.yaml").write_text("my own words", "utf-8")
    assert main(["new-scenario", "mine"]) == 1
    assert "was not changed" in capsys.readouterr().err
    assert (folder / "mine.yaml").read_text("utf-8") == "my own words"


PATHS = [".", "..", "../up", "/etc/x", "a/b", "a\\b", "a.yaml"]
BAD_IDS = ["", "Upper", "a b", "-a", "a-", "a--b", "é", "a\n", "x" * 61, "declare-vision", *PATHS]


@pytest.mark.parametrize("name", BAD_IDS, ids=repr)
def test_a_bad_id_is_refused_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["new-scenario", "--", name]) == 1
    assert "Nothing was written" in capsys.readouterr().err
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize("title", ["  ", "two\nlines", "x" * 81, "\udc80"])
def test_a_bad_title_is_refused(folder: Path, title: str) -> None:
    assert main(["new-scenario", "mine", "--title", title]) == 1
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_one_plain_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("REHEARSAL_SCENARIOS_DIR", str(tmp_path / "file" / "under"))
    assert main(["new-scenario", "mine"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_digits_alone_stay_text(folder: Path) -> None:
    assert main(["new-scenario", "2026"]) == 0
    data: dict[str, Any] = yaml.safe_load((folder / "2026.yaml").read_text("utf-8"))
    assert data["id"] == "2026" and data["title"] == "2026"
    assert stat.S_ISREG((folder / "2026.yaml").stat().st_mode)
