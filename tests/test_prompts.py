from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.errors import ScenarioError
from prompts import FOLDER, fill, load_scenario, load_scenarios

SOURCE = FOLDER / "scenarios" / "declare-vision.yaml"


def broken(tmp_path: Path, change: Any) -> str:
    data = yaml.safe_load(SOURCE.read_text("utf-8"))
    change(data)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_our_scenarios_are_valid_and_complete() -> None:
    found = load_scenarios()
    assert {"declare-vision", "new-value-offer", "negotiate-promise"} <= set(found)
    assert all(len(s.lines) >= 90 and len(s.facts) >= 15 for s in found.values())


def test_a_wrong_key_is_named(tmp_path: Path) -> None:
    assert "titel" in broken(tmp_path, lambda d: d.update(titel="x"))


def test_an_unknown_move_is_named(tmp_path: Path) -> None:
    assert "listens_for.1" in broken(tmp_path, lambda d: d.update(listens_for=["charm", "care"]))


def test_a_missing_stage_is_refused(tmp_path: Path) -> None:
    assert "concern" in broken(tmp_path, lambda d: d.update(concern=d["concern"][:2]))


def test_too_few_lines_are_counted(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["lines"]["empty"] = data["lines"]["empty"][:1]

    assert "lines.empty: 1 lines, at least 6" in broken(tmp_path, change)


def test_an_unknown_variable_is_named(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["lines"]["general"].append("What about {secret}?")

    assert "{secret}" in broken(tmp_path, change)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("id: a\nid: b\n", "utf-8")
    with pytest.raises(ScenarioError, match="stands twice"):
        load_scenario(path)


@pytest.mark.parametrize("text", ["", "- a\n", "{", "\x00", "id: [1"])
def test_a_file_that_is_no_scenario_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ScenarioError):
        load_scenario(path)


def test_two_files_of_one_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(SOURCE.read_text("utf-8"), "utf-8")
    with pytest.raises(ScenarioError, match="taken by another file"):
        load_scenarios(FOLDER / "scenarios", tmp_path)


def test_a_value_that_looks_like_a_slot_is_not_filled_again() -> None:
    assert (
        fill("{words}, then {time}", {"words": "{time}", "time": "Monday"}) == "{time}, then Monday"
    )
