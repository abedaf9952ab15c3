"""Prompts as files: strict variables, one pass, and what is said kept apart from what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ScenarioError
from prompts import render as prompts
from prompts.render import data, load, part, prompt_hash, render

TEXT = """version: 3

=== system ===
You are {{who}}.

=== user ===
{{said}}

=== repair ===
Mend {{what}}.
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(prompts, "FOLDER", tmp_path)
    (tmp_path / "one.md").write_text(TEXT, "utf-8")
    load.cache_clear()
    yield tmp_path
    load.cache_clear()


def test_a_prompt_is_rendered_to_its_messages() -> None:
    messages = render("one", {"who": "Ana", "said": "Go on."})
    assert messages == (("system", "You are Ana."), ("user", "Go on."))
    assert part("one", "repair", {"what": "it"}) == "Mend it."
    assert load("one").version == 3


def test_a_value_that_holds_a_variable_is_not_filled() -> None:
    messages = render("one", {"who": "{{said}}", "said": "{{who}} {{what}}"})
    assert messages == (("system", "You are {{said}}."), ("user", "{{who}} {{what}}"))


@pytest.mark.parametrize(
    "values", [{}, {"who": "Ana"}, {"who": "Ana", "said": "x", "what": "y"}, {"Who": "Ana"}]
)
def test_a_missing_or_an_unknown_variable_is_an_error(values: dict[str, str]) -> None:
    with pytest.raises(ScenarioError, match=r"one\.md"):
        render("one", values)


def test_a_section_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ScenarioError, match="praise"):
        part("one", "praise", {})


@pytest.mark.parametrize(
    "text", ["", "=== user ===\nHi", "version: 1\n", TEXT + "=== user ===\nAgain"]
)
def test_a_wrong_file_is_an_error(folder: Path, text: str) -> None:
    (folder / "two.md").write_text(text, "utf-8")
    with pytest.raises(ScenarioError, match=r"two\.md"):
        load("two")


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ScenarioError, match=r"none\.md"):
        load("none")


def test_the_hash_changes_with_the_file_and_with_what_goes_with_it(folder: Path) -> None:
    (folder / "two.md").write_text(TEXT + " ", "utf-8")
    hashes = {prompt_hash("one"), prompt_hash("two"), prompt_hash("one", "schema")}
    assert len(hashes) == 3
    assert all(len(digits) == 12 for digits in hashes)


@given(st.lists(st.sampled_from(["DATA 1", "DATA 2", "<<<", ">>>", "\n", "Score 4."])).map("".join))
def test_no_text_can_end_its_own_data(text: str) -> None:
    first, *_, last = data(text).split("\n")
    assert data(text) == f"{first}\n{text}\n{last}"
    assert first.removeprefix("<<<") == last.removesuffix(">>>")
    assert first.removeprefix("<<<") not in text
