import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.passages import MAX_PASSAGE, Passage, Span, is_furniture, passages, sentences
from knowledge.sources import article

TEXT = article().text
FOUND = passages(TEXT, "article")


def holding(words: str) -> Passage:
    return next(p for p in FOUND if words in p.text)


def test_every_passage_and_sentence_is_an_exact_run_of_the_source() -> None:
    for passage in FOUND:
        assert TEXT[passage.start : passage.end] == passage.text
        for span in passage.sentences:
            assert TEXT[span.start : span.end] == passage.sentence(span)
            assert passage.sentence(span) == passage.sentence(span).strip()


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_any_text_gives_exact_runs_in_order(text: str) -> None:
    end = 0
    for passage in passages(text, "any"):
        assert text[passage.start : passage.end] == passage.text
        assert passage.start >= end
        end = passage.end


@given(st.lists(st.sampled_from(["- a", "1. b", "# h", "", "One. Two.", "end:", "  c", "---"])))
def test_any_mix_of_blocks_gives_exact_runs(lines: list[str]) -> None:
    text = "\n".join(lines)
    for passage in passages(text, "any"):
        assert text[passage.start : passage.end] == passage.text
        assert passage.sentences


def test_an_id_stays_when_other_passages_change() -> None:
    before = {p.text: p.id for p in FOUND}
    after = {p.text: p.id for p in passages("A new first paragraph.\n\n" + TEXT, "article")}
    assert all(after[words] == name for words, name in before.items())


def test_equal_paragraphs_have_ids_of_their_own() -> None:
    found = passages("Same words here.\n\nSame words here.", "a")
    assert len({p.id for p in found}) == 2


def test_the_same_words_in_another_source_have_another_id() -> None:
    assert passages("Same words.", "a")[0].id != passages("Same words.", "b")[0].id


@pytest.mark.parametrize(
    "furniture",
    ["Leave a Reply", "No comments yet", "Akismet", "comment data", "Get Your Leadership Assess"],
)
def test_page_furniture_is_in_no_passage(furniture: str) -> None:
    assert furniture in TEXT
    assert not any(furniture in p.text for p in FOUND)


@pytest.mark.parametrize("line", ["CLICK HERE", "Read more", "3 Comments", "Download The Guide!"])
def test_buttons_and_forms_are_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "Get the complementary leadership assessment and consultation.",
        "Take care of yourself and others.",
        "Start",
        "Leave a reply to the customer within a day.",
    ],
)
def test_what_is_said_is_not_furniture(line: str) -> None:
    assert not is_furniture(line)


def test_what_the_page_offers_stays() -> None:
    for words in ("complimentary leadership assessment", "audio recording", "complementary"):
        assert holding(words)


def test_the_ten_capabilities_are_ten_sentences_under_their_lead_in() -> None:
    capabilities = holding("Listens well to what others care about")
    assert capabilities.heading == "The successful executive:"
    assert len(capabilities.sentences) == 10
    spoken = [capabilities.sentence(s) for s in capabilities.sentences]
    assert spoken[1] == "Listens well to what others care about"
    assert not any(words[0].isdigit() for words in spoken)


def test_the_four_mistakes_are_one_sentence() -> None:
    mistakes = holding("go solo")
    assert len(mistakes.sentences) == 1
    assert mistakes.text.endswith("unfolding world.")


def test_markdown_headings_stand_over_their_passages() -> None:
    found = passages("# Title\n\nIntro.\n\n## Part\n\nBody text.\n\n- one\n- two\n", "m")
    assert [(p.kind, p.heading, p.text) for p in found] == [
        ("heading", "", "Title"),
        ("paragraph", "", "Intro."),
        ("heading", "", "Part"),
        ("paragraph", "Part", "Body text."),
        ("list", "Part", "one\n- two"),
    ]


def test_a_list_with_blank_lines_is_one_list() -> None:
    (found,) = passages("1. one\n\n2. two\n   goes on\n\n3. three", "m")
    assert [found.sentence(s) for s in found.sentences] == ["one", "two\n   goes on", "three"]


def test_abbreviations_quotes_and_numbers_do_not_end_a_sentence() -> None:
    text = "It is a “path,” i.e. a way. Dr. Smith paid 3.5 million. Done"
    spoken = [text[s.start : s.end] for s in sentences(text)]
    assert spoken == ["It is a “path,” i.e. a way.", "Dr. Smith paid 3.5 million.", "Done"]


def test_line_ends_of_windows_keep_their_offsets() -> None:
    text = "First one.\r\n\r\nSecond one.\r\nGoes on.\r\n"
    assert [text[p.start : p.end] for p in passages(text, "w")] == [
        "First one.",
        "Second one.\r\nGoes on.",
    ]


def test_a_long_paragraph_is_divided_between_sentences() -> None:
    text = "A sentence of some length stands here. " * 100
    found = passages(text, "long")
    assert len(found) > 1
    assert all(len(p.text) <= MAX_PASSAGE and p.text.endswith(".") for p in found)


def test_an_empty_text_has_no_passages() -> None:
    assert passages("", "e") == passages(" \n\t\n---\n", "e") == []
    assert sentences("a b", 3, 3) == [] and Span(0, 1) == Span(0, 1)
