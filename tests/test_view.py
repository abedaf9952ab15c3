from prompts import load_rubric
from tests.conftest import judged
from ui import view


def test_markup_in_a_reply_is_shown_as_text() -> None:
    critique = judged("<img src=x onerror=alert(1)> by Friday", 2, terms="by Friday")
    shown = view.marked(critique, load_rubric())
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_a_mark_carries_its_label_in_words() -> None:
    shown = view.marked(judged("Sign or go.", 0, pressure="Sign or go."), load_rubric())
    assert 'class="against"' in shown
    assert "Pressure" in shown


def test_overlapping_quotes_share_one_mark() -> None:
    text = "You have it by Friday."
    shown = view.marked(judged(text, 3, promise=text, terms="by Friday"), load_rubric())
    assert shown.count("<mark") == 1
    assert "Promise, Conditions of satisfaction" in shown
