"""The handbook: only the article's own words in its quotes, and a page that holds together."""

import html
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from agent.cli import main
from agent.domain import Answer, Capability, Citation, Move, Scenario
from agent.engine import Engine
from agent.errors import ScenarioError
from knowledge.handbook import FILE, capabilities, handbook
from knowledge.handbook_page import body, page
from knowledge.links import link
from knowledge.passages import passages
from knowledge.quotes import cite
from knowledge.sources import article
from prompts import Rubric, load_rubric
from tests.test_app import MAIN, engine, opened, text_of
from ui import view, view_debrief

__all__ = ["engine"]  # the fixture
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

HOSTILE = "<img src=x onerror=alert(1)> & “mine” 'q' \"q\""
MISTAKES = (
    "wait until you are promoted to learn",
    "go solo, instead of with help and collaboration from others",
    "assume that your skills at the current level are enough for the next one",
    "look only to learn for job requirements, instead of being curious about the unfolding world",
)
EMPTY = {"meta", "br", "img", "link", "input", "hr"}  # elements that have no end


class Parsed(HTMLParser):
    """A page as its ids, links, headings and the text of its quotes; tags have to be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.headings: list[int] = []
        self.quotes: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.attributes |= given.keys()
        self.ids += [given["id"] or ""] if "id" in given else []
        self.hrefs += [given["href"] or ""] if "href" in given else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []
        self.quotes += [""] if tag == "blockquote" else []
        self.open += [] if tag in EMPTY else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data
        if "blockquote" in self.open:
            self.quotes[-1] += data


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    return load_rubric()


@pytest.fixture(scope="module")
def whole(rubric: Rubric, scenarios: dict[str, Scenario]) -> str:
    return page(handbook(), rubric, scenarios)


@pytest.fixture(scope="module")
def parsed(whole: str) -> Parsed:
    return Parsed(whole)


# --- the article's words -----------------------------------------------------------------------


def test_every_quote_on_the_page_is_an_exact_run_of_the_article(parsed: Parsed) -> None:
    assert len(parsed.quotes) > 25
    assert all(quote and quote in article().text for quote in parsed.quotes)
    assert parsed.quotes == [c.text for c in handbook().citations()]


def test_every_citation_is_where_it_says(parsed: Parsed) -> None:
    for citation in handbook().citations():
        assert article().text[citation.start : citation.end] == citation.text


def test_every_quote_has_its_place_in_words(whole: str) -> None:
    places = re.findall(r"</blockquote> <figcaption>(.*?)</figcaption>", whole)
    assert len(places) == whole.count("<blockquote>")
    assert all(re.fullmatch(r"paragraph \d+|point \d+ of the list", p) for p in places)


def test_the_four_mistakes_are_there_each_with_a_conversation(whole: str) -> None:
    for mistake in MISTAKES:
        item = whole.split(f"<blockquote>{mistake}</blockquote>")[1].split("</li>")[0]
        assert "Practise it in “" in item


def test_the_ten_capabilities_are_there_in_the_articles_order_with_every_move(
    parsed: Parsed, rubric: Rubric
) -> None:
    starts = [words.start for words in capabilities().values()]
    assert len(starts) == 10
    assert starts == sorted(starts)
    assert [i for i in parsed.ids if i.startswith("capability-")] == [
        f"capability-{c}" for c in Capability
    ]
    assert {i for i in parsed.ids if i.startswith("move-")} == {f"move-{m}" for m in Move}
    for text in rubric.moves.values():
        assert f"{text.present}. “{text.example}”" in parsed.text


@pytest.mark.parametrize("capability", list(Capability))
def test_every_move_of_a_capability_is_named_under_it(
    whole: str, rubric: Rubric, capability: Capability
) -> None:
    under = whole.split(f'id="capability-{capability}"')[1].split('<div class="capability">')[0]
    text = rubric.capabilities[capability]
    for move in (*text.shown_by, *text.against):
        assert f"<b>{html.escape(rubric.moves[move].name)}</b>" in under


def test_every_conversation_and_what_it_practises_is_there(
    parsed: Parsed, rubric: Rubric, scenarios: dict[str, Scenario]
) -> None:
    table = parsed.text.split("Which conversation practises what")[1]
    for scenario in scenarios.values():
        row = table.split(scenario.title)[1].split("with ")[1]
        for capability in scenario.practises:
            assert rubric.capabilities[capability].name in row


# --- the page ----------------------------------------------------------------------------------


def test_ids_are_unique_and_every_link_within_the_page_lands(parsed: Parsed) -> None:
    assert len(parsed.ids) == len(set(parsed.ids))
    assert parsed.hrefs
    assert all(href.startswith("#") and href[1:] in parsed.ids for href in parsed.hrefs)


def test_headings_are_in_order(parsed: Parsed) -> None:
    assert parsed.headings[0] == 1
    assert parsed.headings.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(parsed.headings))


def test_the_page_stands_alone_and_says_its_language_and_whose_words_it_quotes(
    whole: str, parsed: Parsed
) -> None:
    assert whole.startswith('<!doctype html>\n<html lang="en">')
    assert {"title", "main", "footer"} <= parsed.tags
    assert not parsed.tags & {"script", "link", "img", "iframe", "form"}
    assert "src" not in parsed.attributes
    assert "url(" not in whole
    assert "Institute for Generative Leadership" in parsed.text
    assert "@media print" in whole


def test_in_the_app_every_place_opens_the_passage_it_names(
    rubric: Rubric, scenarios: dict[str, Scenario]
) -> None:
    shown = Parsed(body(handbook(), rubric, scenarios, view.address))
    source = article()
    rest = passages(source.text, source.id)[1:]
    places = [href for href in shown.hrefs if not href.startswith("#")]
    assert len(places) == len(shown.quotes)
    for href, quote in zip(places, shown.quotes, strict=True):
        at = {k: int(v[0]) for k, v in parse_qs(urlsplit(href).query).items()}
        opened_at = view_debrief.article(rest, at["from"], at["to"])
        assert f'<mark id="here">{html.escape(quote)}</mark>' in opened_at


def test_a_title_of_ones_own_is_shown_and_never_markup(
    rubric: Rubric, scenarios: dict[str, Scenario]
) -> None:
    one = scenarios["ask-for-exposure"]
    who = one.persona.model_copy(update={"name": HOSTILE, "role": HOSTILE})
    mine = one.model_copy(update={"title": HOSTILE, "persona": who, "practises": one.practises[:1]})
    shown = Parsed(page(handbook(), rubric, {"ask-for-exposure": mine}))
    assert shown.text.count(HOSTILE) > 3
    assert "img" not in shown.tags
    assert "onerror" not in shown.attributes


def test_with_no_conversations_the_rest_of_the_page_is_whole(rubric: Rubric) -> None:
    shown = Parsed(page(handbook(), rubric, {}))
    assert shown.quotes == [c.text for c in handbook().citations()]
    assert "Practise it in" not in shown.text


# --- the file ----------------------------------------------------------------------------------


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = FILE.read_text("utf-8")
    assert text.count(old) == 1
    path = tmp_path / "handbook.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        (MISTAKES[1], "go alone", r"sections\.5\.parts\.2\.points\.2\.quote", "not an exact run"),
        ("Many fail at", "Many  fail at", r"sections\.1\.parts\.1\.quote", "not an exact run"),
        ("moves: [effort_push]", "moves: [shouting]", r"sections\.1\.parts\.5\.moves\.1", "Input"),
        ("list: capabilities", "list: virtues", r"sections\.4\.parts\.3\.list", "Input"),
        (
            'say: "Who is meant:"',
            'say: "a"\n        quote: null',
            "sections",
            "should have one key",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_file_place_and_reason(
    tmp_path: Path, old: str, new: str, where: str, reason: str
) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(ScenarioError, match=rf"{re.escape(str(path))}: {where}.*{reason}"):
        handbook(path)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "handbook.yaml"
    path.write_text("title: [", "utf-8")
    with pytest.raises(ScenarioError, match=re.escape(str(path))):
        handbook(path)


# --- the command and the app -------------------------------------------------------------------


def test_the_command_writes_the_page_to_standard_output_or_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["handbook"]) == 0
    printed = capsys.readouterr().out
    assert main(["handbook", "--out", str(tmp_path / "h.html")]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "h.html").read_text("utf-8") == printed == Engine().handbook()


def test_a_file_that_cannot_be_written_is_one_plain_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["handbook", "--out", str(tmp_path)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_needs_no_index_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from agent.cli import main; main(['handbook', '--out', sys.argv[1]]);"
        "bad = {'chromadb', 'onnxruntime', 'langchain', 'langchain_core', 'openai', 'tokenizers',"
        " 'sqlalchemy', 'alembic', 'streamlit'}; sys.exit(' '.join(bad & set(sys.modules)) or 0)"
    )
    out = str(tmp_path / "h.html")
    done = subprocess.run(
        [sys.executable, "-c", code, out], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "data").exists()


def test_the_app_shows_the_handbook(engine: Engine) -> None:
    at = AppTest.from_file(MAIN, default_timeout=60).run()
    at.switch_page("page_handbook.py").run()
    assert not at.exception
    assert all(html.escape(c.text) in text_of(at) for c in handbook().citations())


@pytest.fixture
def asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> dict[str, Answer]:
    """Answers by question, in place of an index."""
    held: dict[str, Answer] = {}
    monkeypatch.setattr(engine, "index", lambda *_: None)
    monkeypatch.setattr(engine, "ask", lambda question, after: held[question])
    return held


def on_ask(*questions: str) -> AppTest:
    at = AppTest.from_file(MAIN, default_timeout=60).run()
    at.query_params["q"] = list(questions)
    return at.switch_page("page_ask.py").run()


def test_an_answer_offers_the_conversation_that_practises_it(
    engine: Engine, asked: dict[str, Answer]
) -> None:
    quoted = (cite(MISTAKES[0]),)
    asked["mistakes?"] = Answer(question="mistakes?", refused=False, lead="One:", quotes=quoted)
    at = on_ask("mistakes?", "mistakes?")
    assert not at.exception
    first = next(b for b in at.button if b.label == "Begin with Halim")
    first.click().run()
    assert [s.scenario_id for s in engine.store.summaries("local")] == ["ask-for-exposure"]


def test_a_refusal_of_nothing_near_offers_none(asked: dict[str, Answer]) -> None:
    asked["Paris?"] = Answer(question="Paris?", refused=True, lead="The material does not say.")
    at = on_ask("Paris?")
    assert not at.exception
    assert not [b for b in at.button if b.label.startswith("Begin")]


def test_a_debrief_leads_to_what_the_article_says(engine: Engine) -> None:
    session = engine.start("declare-vision")
    session.reply("Hello.", at=0)
    session.end()
    shown = text_of(opened(session.transcript.id))
    care: Citation | None = link("care")
    assert care is not None
    assert html.escape(view.address(care)) in shown
    assert "Why it matters" in shown
