from agent.domain import Capability, Move
from knowledge.links import link, words_by_id
from knowledge.sources import article


def test_every_link_is_an_exact_run_of_the_article() -> None:
    text = article().text
    for name in words_by_id():
        citation = link(name)
        if citation:
            assert text[citation.start : citation.end] == citation.text


def test_every_move_and_capability_is_decided_on() -> None:
    assert set(words_by_id()) == {*map(str, Move), *map(str, Capability)}


def test_no_citation_is_forced() -> None:
    assert link("pressure") is None
