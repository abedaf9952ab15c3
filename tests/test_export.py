"""A conversation written out: complete, and nothing in it is markup but ours."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from agent.counterpart import advance, leave
from agent.debrief import Debrief, debrief
from agent.domain import CounterpartState, Ending, Speech, Transcript
from agent.export import as_html, as_json, as_markdown
from agent.feedback import Feedback, feedback
from agent.report import Report, report
from prompts import Rubric, load_rubric
from tests.conftest import after, judged

IMAGE = "![x](http://example.org/x.png)"
REPLY = f"What do you <b>fear</b> & want? {IMAGE} <script>alert('1')</script> ~~~ `x` $x$ {{time}}"


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    return load_rubric()


@pytest.fixture
def held(transcript: Transcript) -> Transcript:
    """A conversation whose one reply, and the quote of it, are full of markup."""
    critique = judged(REPLY, 2, open_question=REPLY, vagueness=IMAGE)
    held = after(transcript, critique, CounterpartState(trust=3))
    speech = Speech(text="<i>No.</i>", voice="test")
    return held.model_copy(update={"ending": Ending(state=leave(held), speech=speech)})


@pytest.fixture
def words(held: Transcript, rubric: Rubric) -> list[Feedback]:
    return [feedback(held, 0, rubric)]


@pytest.fixture
def shown(held: Transcript, rubric: Rubric) -> Debrief:
    return debrief(held, rubric)


@pytest.fixture
def whole(held: Transcript, words: list[Feedback], shown: Debrief, rubric: Rubric) -> Report:
    return report(held, words, shown, rubric)


class Tags(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [name for name, _ in attrs if name in ("src", "href", "onload", "onerror")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_json_holds_the_reply_as_it_was_typed(
    held: Transcript, words: list[Feedback], shown: Debrief
) -> None:
    data = json.loads(as_json(held, words, shown))
    assert data["exchanges"][0]["reply"] == REPLY
    assert data["opening"] == held.opening.say
    assert data["ending"] == "<i>No.</i>"
    assert data["debrief"]["outcome"] == shown.outcome


def test_html_shows_every_text_and_runs_none(whole: Report) -> None:
    page = as_html(whole)
    found = Tags()
    found.feed(page)
    assert REPLY in found.text
    assert "<i>No.</i>" in found.text
    assert not found.tags & {"script", "img", "i", "iframe", "link", "a", "form"}
    assert found.links == []
    assert "default-src 'none'" in page


def test_markdown_shows_quotes_as_they_are(whole: Report) -> None:
    page = as_markdown(whole)
    assert REPLY in page
    outside = re.sub(r"(?ms)^(~{3,})\n.*?\n\1$", "", page)
    assert "example.org" in outside, "the quote is not spoken of, so nothing is tested"
    assert IMAGE not in outside
    assert not re.search(r"(?<!\\)<", outside)


def test_a_fence_in_a_reply_does_not_end_the_block(transcript: Transcript, rubric: Rubric) -> None:
    reply = "Look:\n~~~\n# Not a heading\n~~~~\nEnd."
    held = after(transcript, judged(reply, 1), CounterpartState(trust=3))
    said = [feedback(held, 0, rubric)]
    page = as_markdown(report(held, said, debrief(held, rubric), rubric))
    assert f"~~~~~\n{reply}\n~~~~~\n" in page


def test_an_open_conversation_can_be_exported(transcript: Transcript, rubric: Rubric) -> None:
    open_ = debrief(transcript, rubric)
    assert json.loads(as_json(transcript, [], open_))["debrief"]["outcome"] is None
    whole = report(transcript, [], open_, rubric)
    assert "still open" in as_markdown(whole)
    assert "still open" in as_html(whole)


@pytest.mark.parametrize("form", [as_markdown, as_html])
def test_a_written_form_holds_brief_scores_marks_and_ledger(
    form: Callable[[Report], str], transcript: Transcript, rubric: Rubric
) -> None:
    critique = judged("What worries the crews?", 3, open_question="What worries the crews?")
    held = after(transcript, critique, advance(transcript, critique))
    whole = report(held, [feedback(held, 0, rubric)], debrief(held, rubric), rubric)
    page = form(whole)
    for part in (
        transcript.scenario.persona.role,
        f"3 of 4: {rubric.overall[3]}",
        "Open question",
        "Reply 1: trust",
        "Stayed hidden",
        "Nothing was on the table" if held.over else "still open",
    ):
        assert part in page.replace("\\", "")
