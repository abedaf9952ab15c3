import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.debrief import OUTCOMES
from agent.domain import Citation, Critique, Finding, Move, Outcome, Quote, Scenario, Stance, Step
from agent.feedback import Feedback
from knowledge.passages import passages
from knowledge.sources import ARTICLE
from prompts import Rubric, load_rubric
from tests.conftest import judged
from ui import view, view_debrief

HOSTILE = "<img src=x onerror=alert(1)> & </reply> {x} ![a](http://example.org/a.png) 'q' \"q\""


class Seen(HTMLParser):
    """Collects the text a browser would show and the tags it would make."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    return load_rubric()


def without_tags(marked: str) -> str:
    return re.sub(r'<span class="tag.*?</span>', "", marked)


def test_markup_in_a_reply_is_shown_as_text(rubric: Rubric) -> None:
    shown = view.marked_turn("You", judged(HOSTILE, 0), rubric)
    assert "<img" not in shown
    assert HOSTILE in Seen(shown).text


@pytest.mark.parametrize(
    "page",
    [
        view.turn(HOSTILE, HOSTILE),
        view.notice(HOSTILE),
        view.paragraph(HOSTILE),
        view.heading(HOSTILE, 2, HOSTILE),
        view.entry(HOSTILE, HOSTILE),
        view.stance(HOSTILE, Stance.OPEN),
        view.critique(
            Feedback(strength=HOSTILE, missed=HOSTILE, stronger=HOSTILE, questions=(HOSTILE,)),
            HOSTILE,
            1,
        ),
        view.cited(
            Citation(passage="p", source="s", heading=HOSTILE, text=HOSTILE, start=0, end=1)
        ),
        view_debrief.article(passages(HOSTILE, "s"), 0, 9),
    ],
)
def test_nothing_that_was_written_becomes_markup(page: str) -> None:
    assert "img" not in Seen(page).tags
    assert "alert(1)" in Seen(page).text or page == view.stance(HOSTILE, Stance.OPEN)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.lists(st.tuples(st.sampled_from(list(Move)), st.integers(0, 59), st.integers(1, 60))),
)
def test_a_marked_reply_reads_as_it_was_written(
    text: str, runs: list[tuple[Move, int, int]]
) -> None:
    findings = tuple(
        Finding(move=move, quote=Quote(start=start, end=min(start + length, len(text))))
        for move, start, length in runs
        if start < len(text)
    )
    critique = Critique(reply=text, findings=findings, overall=2, critic="test")
    shown = re.sub(r"</?mark[^>]*>", "", without_tags(view.marked(critique, load_rubric())))
    assert html.unescape(shown) == html.unescape(html.escape(text))


def test_marks_for_and_against_differ_without_colour(rubric: Rubric) -> None:
    good = view.marked(judged("by Friday", 2, terms="by Friday"), rubric)
    against = view.marked(judged("Sign or go.", 0, pressure="Sign or go."), rubric)
    assert "+ Conditions of satisfaction" in good
    assert "\N{MINUS SIGN} Pressure" in against
    assert 'class="move against"' in against
    assert "Pressure: works against you" in against


def test_overlapping_quotes_each_name_their_move_where_they_end(rubric: Rubric) -> None:
    text = "You have it by Friday at the latest."
    shown = view.marked(judged(text, 3, promise=text, terms="by Friday"), rubric)
    assert shown.index("+ Conditions") < shown.index("at the latest") < shown.index("+ Promise")


def test_a_move_whose_quotes_overlap_is_named_once(rubric: Rubric) -> None:
    quotes = (Quote(start=0, end=9), Quote(start=3, end=9))
    findings = tuple(Finding(move=Move.TERMS, quote=q) for q in quotes)
    critique = Critique(reply="by Friday", findings=findings, overall=2, critic="test")
    assert view.marked(critique, rubric).count("+ Conditions") == 1


def test_a_critique_says_at_most_one_thing_of_each_kind() -> None:
    words = Feedback(strength="A", missed="B", stronger="C", questions=("D", "E", "F"))
    shown = view.critique(words, "3 of 4", 1)
    assert re.findall(r"<dt>(.*?)</dt>", shown) == [
        "What worked",
        "What was missed",
        "A stronger wording",
        "A question",
    ]
    assert "E</dd>" not in shown
    assert "F</dd>" not in shown


def test_a_model_reply_is_not_passed_off_as_advice() -> None:
    shown = view.critique(Feedback(stronger="C", stronger_is_model=True), "3 of 4", 1)
    assert "A model reply" in shown
    assert "A stronger wording" not in shown


def test_an_empty_critique_says_so() -> None:
    assert "make a move" in view.critique(Feedback(), "1 of 4", 1)


def test_where_the_article_is_silent_no_citation_is_shown() -> None:
    assert "Why it matters" not in view.critique(Feedback(missed="B"), "1 of 4", 1)


def test_a_citation_leads_to_its_place() -> None:
    citation = Citation(passage="p", source=ARTICLE, text="w", start=7, end=9)
    assert 'href="article?from=7&amp;to=9"' in view.cited(citation)
    own = citation.model_copy(update={"source": "notes"})
    assert 'href="material?id=notes&amp;from=7&amp;to=9"' in view.cited(own, "“<b>”, page 2")
    assert "“&lt;b&gt;”, page 2 · " in view.cited(own, "“<b>”, page 2")


def test_the_article_marks_the_run_and_nothing_else() -> None:
    text = "A title\n\nOne. Two three. Four.\n"
    start = text.index("Two")
    shown = view_debrief.article(passages(text, "s"), start, start + 10)
    assert '<mark id="here">Two three.</mark>' in shown
    assert shown.count("<mark") == 1


def test_the_article_marks_a_run_inside_a_list_with_its_first_item_numbered() -> None:
    text = "The list:\n\n 1. One thing\n 2. Another thing\n 3. Last thing\n"
    start = text.index("Another")
    shown = view_debrief.article(passages(text, "s"), start, start + 7)
    assert "<ol><li>One thing</li>" in shown
    assert '<li><mark id="here">Another</mark> thing</li>' in shown


@pytest.mark.parametrize("run", [(0, 0), (10**8, 10**9), (5, 2)])
def test_an_address_that_names_no_run_marks_nothing(run: tuple[int, int]) -> None:
    assert "<mark" not in view_debrief.article(passages("One. Two.", "s"), *run)


def test_every_outcome_and_stance_has_words() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(view.STANCES) == set(Stance)


def test_a_step_says_its_sign_and_its_words() -> None:
    shown = view_debrief._step(
        Step(why="pressure", by=-1.5, words="Sign"), {"pressure": "Pressure"}
    )
    assert "\N{MINUS SIGN}1.5" in shown
    assert "Pressure: “Sign”" in shown


def test_a_card_tells_who_what_and_how_long(scenario: Scenario) -> None:
    shown = Seen(view.card(scenario, ["Connect"])).text
    assert all(w in shown for w in (scenario.persona.name, "Connect", "1 of 3", "10 minutes"))


def test_moves_that_end_together_share_one_label(rubric: Rubric) -> None:
    text = "Send it by Friday."
    shown = view.marked(judged(text, 3, request=text, terms="by Friday."), rubric)
    assert shown.count('class="tag"') == 1
    assert rubric.moves[Move.REQUEST].name in shown
    assert rubric.moves[Move.TERMS].name in shown
