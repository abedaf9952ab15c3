"""From a move or capability to the article, and from its words to the conversations."""

from pathlib import Path

import pytest

from agent.domain import Answer, Capability, Citation, Move, Scenario
from agent.errors import ScenarioError
from knowledge.links import Links, conversations, link, links, practise
from knowledge.passages import passages
from knowledge.quotes import checked, cite, place
from knowledge.sources import article
from prompts import load_scenarios

LISTENS = "Listens well to what others care about"
TAKES_YEARS = "developing these skills takes time and practice and it may take years"


def cited(words: str, source: str = "") -> Citation:
    found = cite(words)
    return found.model_copy(update={"source": source}) if source else found


def answer(*words: str, refused: bool = False) -> Answer:
    quotes = tuple(map(cite, words))
    given = {"nearest": quotes} if refused else {"quotes": quotes}
    return Answer.model_validate({"question": "?", "refused": refused, "lead": "", **given})


def test_every_link_is_an_exact_run_of_the_article_within_a_passage() -> None:
    source = article()
    by_id = {p.id: p for p in passages(source.text, source.id)}
    spoken = [words for words in links().speaks_of.values() if words]
    for words in [*spoken, *(p.words for p in links().places)]:
        here = by_id[words.passage]
        assert source.text[words.start : words.end] == words.text
        assert here.start <= words.start < words.end <= here.end


def test_every_move_and_capability_is_decided_on() -> None:
    assert set(links().speaks_of) == {*map(str, Move), *map(str, Capability)}


def test_no_citation_is_forced() -> None:
    assert link("pressure") is None


def test_every_conversation_named_in_the_links_is_there(scenarios: dict[str, Scenario]) -> None:
    assert {name for p in links().places for name in p.held_in} <= scenarios.keys()


@pytest.mark.parametrize("capability", list(Capability))
def test_an_answer_of_a_capability_offers_conversations_that_practise_it(
    capability: Capability, scenarios: dict[str, Scenario]
) -> None:
    words = link(capability)
    assert words
    offered = conversations([words], scenarios)
    assert offered
    assert all(capability in scenarios[name].practises for name in offered[:1])


def test_what_was_written_for_the_words_is_offered_first(scenarios: dict[str, Scenario]) -> None:
    assert practise(answer("wait until you are promoted to learn"), scenarios)[0] == (
        "ask-for-exposure"
    )


def test_words_that_nothing_practises_offer_nothing(scenarios: dict[str, Scenario]) -> None:
    assert practise(answer(TAKES_YEARS), scenarios) == ()


def test_a_refusal_offers_only_where_the_nearest_words_are_of_a_capability(
    scenarios: dict[str, Scenario],
) -> None:
    assert practise(answer(refused=True), scenarios) == ()
    assert practise(answer(TAKES_YEARS, refused=True), scenarios) == ()
    of_a_move = "generating successful organizational results can often be done"
    assert practise(answer(of_a_move), scenarios) == ("work-harder-culture",)
    assert practise(answer(of_a_move, refused=True), scenarios) == ()
    assert practise(answer(LISTENS, refused=True), scenarios)


def test_words_at_the_same_offsets_of_another_source_offer_nothing(
    scenarios: dict[str, Scenario],
) -> None:
    assert conversations([cited(LISTENS, "a-book-of-mine")], scenarios) == ()


def test_a_conversation_that_is_not_there_is_not_offered(scenarios: dict[str, Scenario]) -> None:
    left = {name: s for name, s in scenarios.items() if name != "ask-for-exposure"}
    assert "ask-for-exposure" not in practise(answer("wait until you are promoted to learn"), left)


def test_an_own_conversation_is_offered_like_ours(scenarios: dict[str, Scenario]) -> None:
    mine = scenarios["customer-assessment"].model_copy(update={"id": "mine"})
    assert conversations([cite(LISTENS)], {"mine": mine}) == ("mine",)


def test_at_most_three_are_offered_and_the_easier_ones_of_equals_first() -> None:
    held = load_scenarios()
    whole = "\n".join(p.text for p in passages(article().text, "s") if p.kind == "list")
    offered = conversations([cite(whole)], held)
    assert len(offered) == 3
    assert [held[name].difficulty for name in offered] == [1, 1, 1]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Listens well to what others want", "not an exact run"),
        ("Listens  well to what others care about", "not an exact run"),
        ("executive", "more than once"),
        ("istens well to what others care about", "inside a word"),
        ("No comments yet.", "not within one passage"),
        ("change but to produce it. Notice with", "ok"),
        ("Good Work to Great Value\n\nOne of", "not within one passage"),
        ("", "should be words"),
        (None, "should be words"),
        (7, "should be words"),
    ],
)
def test_words_that_are_not_the_articles_are_refused(words: object, reason: str) -> None:
    if reason == "ok":
        assert cite(words).text == words
        return
    with pytest.raises(ValueError, match=reason):
        cite(words)


def test_a_wrong_link_is_refused_with_file_place_and_reason(tmp_path: Path) -> None:
    file = tmp_path / "links.yaml"
    file.write_text(
        "speaks_of:\n  listen: Listens poorly\n  dance: null\n"
        "places:\n  - words: Listens well to what others care about\n    of: [listen, sing]\n",
        "utf-8",
    )
    with pytest.raises(ScenarioError) as refused:
        checked(Links, file)
    said = str(refused.value)
    assert f"{file}: speaks_of.listen (line 2): not an exact run of the article: “Listens" in said
    assert "'dance' is no move and no capability" in said
    assert "places.1.of.2 (line 6): 'sing' is no move" in said


def test_a_place_is_told_in_words() -> None:
    assert place(cite("Many fail at this transition point.")) == "paragraph 1"
    assert place(cite(LISTENS)) == "point 2 of the list"
    assert place(cite("The successful executive:")) == "paragraph 16"
