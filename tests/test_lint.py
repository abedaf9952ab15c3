"""Faults planted in copies of the shipped files: each is found; the shipped files have none."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import counterpart
from agent.cli import main
from agent.domain import Line, Move, Scenario, Stance, Transcript
from agent.encoder import default_encoder
from prompts import FOLDER, load_scenarios
from prompts.document import parse
from prompts.lint import lint
from prompts.lint_likeness import Vectors, leaks
from prompts.lint_words import load_style, never_phrases
from prompts.reach import AS_WRITTEN, open_from, slots_for, when
from prompts.remarks import Remark
from prompts.scenario_file import checked
from tests.conftest import after, judged

SHIPPED = sorted((FOLDER / "scenarios").glob("*.yaml"))
SOURCE = FOLDER / "scenarios" / "negotiate-promise.yaml"
DATA = parse(SOURCE.read_text("utf-8")).data
PLANTED = yaml.safe_load((Path(__file__).parent / "leaks.yaml").read_text("utf-8"))
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return Vectors(default_encoder().encode)


@pytest.fixture
def linted(vectors: Vectors) -> Callable[[Change], list[Remark]]:
    def linted(change: Change) -> list[Remark]:
        data = copy.deepcopy(DATA)
        change(data)
        text = json.dumps(data, ensure_ascii=False, indent=1)  # JSON is YAML
        return lint(text, vectors.of, load_style())

    return linted


def general(say: str, **more: Any) -> Change:
    return lambda d: d["lines"]["general"].append({"say": say, **more})


def react(move: str, say: str, **more: Any) -> Change:
    return lambda d: d["lines"]["react"][move].append({"say": say, **more})


def under(kind: str, which: str, say: str, **more: Any) -> Change:
    return lambda d: d["lines"][kind][which].append({"say": say, **more})


def closed_only_general(data: dict[str, Any]) -> None:
    data["lines"]["general"] = [
        {"say": f"The van has {n} wheels left on it.", "stance": "closed"} for n in range(6)
    ]


def last(*names: str) -> str:
    """Return the place of a line that is planted after those of a moment."""
    held: Any = DATA["lines"]
    for name in names:
        held = held[name]
    return f"lines.{'.'.join(names)}.{len(held) + 1}"


GENERAL = last("general")
ERRORS: list[tuple[str, Change, str, str]] = [
    ("since too high", general("The lift is out.", since=4), GENERAL, "since 4 of 3"),
    ("until first", general("The lift is out.", since=2, until=1), GENERAL, "before since"),
    (
        "pressure is met closed",
        react("pressure", "Put your coat on.", stance="open"),
        last("react", "pressure"),
        "never said",
    ),
    (
        "a hint with nothing left to hint at",
        under("press", "concern", "There is more under the stairs.", since=3),
        last("press", "concern"),
        "never said",
    ),
    (
        "a yes before all is out",
        lambda d: d["lines"]["accept"].append({"say": "Grand, do that so.", "until": 2}),
        last("accept"),
        "never said",
    ),
    (
        "repaired and still closed",
        lambda d: d["lines"]["repair"].append({"say": "Fine, sit.", "stance": "closed"}),
        last("repair"),
        "never said",
    ),
    (
        "no quote to fill the slot with",
        lambda d: d["lines"]["silence"].append("Nothing after “{words}”, then."),
        last("silence"),
        "{words}",
    ),
    (
        "a slot in a fact",
        lambda d: d["facts"][0].update(say="By {time}, I was told."),
        "facts.who-set-date",
        "{time}",
    ),
    (
        "a slot in an opening",
        lambda d: d["openings"].append("So, {time} it is, and where are the vans?"),
        "openings.4",
        "{time}",
    ),
    ("fact too late", lambda d: d["facts"][3].update(since=7), "facts.dock-road-boiler", "since 7"),
    (
        "a fact's id twice",
        lambda d: d["facts"][1].update(id="who-set-date"),
        "facts.who-set-date",
        "id stands twice",
    ),
    (
        "a verbatim leak",
        general("Fergal Daly asked could he see one thing washed in the place."),
        GENERAL,
        "stage 2",
    ),
    (
        "a leak in a fact",
        lambda d: d["facts"][0].update(say="The board sits on Tuesday the seventh of October."),
        "facts.who-set-date",
        "stage 1",
    ),
    (
        "a leak in an opening",
        lambda d: d["openings"].append(
            "In June I'd nothing to show Fergal Daly, not one hospital."
        ),
        "openings.4",
        "stage 2",
    ),
    (
        "one letter apart",
        general("I'm not cross. I'm counting!".replace("!", "…")),
        GENERAL,
        "lines.general.2",
    ),
    ("an exclamation mark", general("Mind the step!"), GENERAL, "exclamation"),
    ("praise", general("That's a great question, so it is."), GENERAL, "praise"),
    ("praise in passing", general("Well. Good point, mind the step."), GENERAL, "praise"),
    ("therapy", general("I hear you. Mind the step."), GENERAL, "therapy"),
    ("coaching", general("You want a bit of mindset for that."), GENERAL, "coaching"),
    ("jargon", general("That was a speech act if I ever saw one."), GENERAL, "names of moves"),
    ("a word of never", general("There's a stakeholder on the stairs."), GENERAL, "persona.never"),
    ("no model", lambda d: d["models"].pop("terms"), "models.terms", "missing"),
    (
        "listens for a move against",
        lambda d: d.update(listens_for=["promise", "hype"]),
        "listens_for",
        "hype",
    ),
    ("closes on a good move", lambda d: d.update(closes_on=["care"]), "closes_on", "care"),
    ("decides on nothing", lambda d: d.update(decides_on=["care"]), "decides_on", "care"),
    (
        "no such moment",
        lambda d: d["lines"].update(farewell=["Mind yourself."]),
        "lines.farewell",
        "unknown moment",
    ),
    ("a blank name", lambda d: d["persona"].update(name=" "), "persona.name", "empty"),
    (
        "a colon without quotes",
        lambda d: d["lines"]["general"].append({"Well": "so it is"}),
        GENERAL,
        "quotation marks",
    ),
    (
        "a wrong stance",
        general("Mind the step.", stance="warm"),
        f"{GENERAL}.stance.0",
        "'warm'",
    ),
    (
        "a moment that is no list",
        lambda d: d["lines"].update(general="Mind the step."),
        "lines.general",
        "a list",
    ),
]
WARNINGS: list[tuple[str, Change, str, str]] = [
    (
        "open before they can be",
        general("Pour yourself one.", stance="open", until=0),
        GENERAL,
        "hardly ever",
    ),
    (
        "stance on a reveal",
        lambda d: d["concern"][0]["reveal"].append(
            {"say": "Upstairs they meet in October, and I'm first.", "stance": "open"}
        ),
        "concern.1.reveal.3",
        "not looked at",
    ),
    (
        "thin for a listened-for move",
        lambda d: d["lines"]["react"].update(offer=d["lines"]["react"]["offer"][:3]),
        "lines.react.offer",
        "open with 2 or 3 stages out",
    ),
    ("thin general", closed_only_general, "lines.general", "guarded with 0 to 3 stages"),
    (
        "a reworded line",
        general("I'm not a bit cross, I'm counting."),
        GENERAL,
        "nearly the same as lines.general.2",
    ),
    (
        "openings alike",
        lambda d: d["openings"].append("Sit down, the chair's free. Fourteen by the thirtieth?"),
        "openings.4",
        "openings.1",
    ),
    ("a quote without marks", react("promise", "So: {words}."), last("react", "promise"), "quote"),
    ("two questions", react("care", "Is it? And who says?"), last("react", "care"), "two things"),
    ("a worn word", general("We'd want some synergy for that."), GENERAL, "office"),
]


@pytest.mark.parametrize(
    ("change", "place", "words"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS]
)
def test_a_planted_fault_is_an_error_in_its_place(
    linted: Callable[[Change], list[Remark]], change: Change, place: str, words: str
) -> None:
    found = [r for r in linted(change) if r.level == "error"]
    assert any(r.place == place and words in r.reason for r in found), found
    assert all(r.line for r in found)


@pytest.mark.parametrize(
    ("change", "place", "words"), [w[1:] for w in WARNINGS], ids=[w[0] for w in WARNINGS]
)
def test_a_planted_weakness_is_a_warning_in_its_place(
    linted: Callable[[Change], list[Remark]], change: Change, place: str, words: str
) -> None:
    found = [r for r in linted(change) if r.level == "warning"]
    assert any(r.place == place and words in r.reason for r in found), found


def test_all_faults_of_a_file_are_named_at_once(
    linted: Callable[[Change], list[Remark]],
) -> None:
    def change(data: dict[str, Any]) -> None:
        data["trust"] = 9
        data["titel"] = data.pop("title")
        data["lines"]["empty"] = data["lines"]["empty"][:1]
        data["lines"]["general"][0] = {"say": "x", "stance": "warm"}

    places = {r.place for r in linted(change) if r.level == "error"}
    assert {"trust", "title", "titel", "lines.empty", "lines.general.1.stance.0"} <= places


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_a_shipped_file_has_no_errors(path: Path, vectors: Vectors) -> None:
    found = lint(path.read_text("utf-8"), vectors.of, load_style())
    assert [r for r in found if r.level == "error"] == []


def test_a_remark_names_the_line_of_the_file(vectors: Vectors) -> None:
    text = SOURCE.read_text("utf-8").replace("I'm not cross. I'm counting.", "Great question.")
    found = [r for r in lint(text, vectors.of, load_style()) if "praise" in r.reason]
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "Great question" in row)
    assert [r.line for r in found] == [line]


def test_a_line_that_can_only_be_said_at_another_end_is_not_too_alike(
    linted: Callable[[Change], list[Remark]],
) -> None:
    line = "Not today. If you'd asked me for less I might have, but not all of that."
    alike = [r for r in linted(under("decline", "concern", line)) if "nearly the same" in r.reason]
    assert alike == []


# --- leaks: how many of those a writer might let slip are seen ---------------------------------


def seen(part: str, vectors: Vectors) -> Iterator[bool]:
    scenarios = load_scenarios()
    for name, stages in PLANTED[part].items():
        scenario = scenarios[name]
        for stage, texts in stages.items():
            for text in texts:
                slip = Line(id="general.99", on="general", say=text, since=stage - 1)
                slipped = scenario.model_copy(update={"lines": (*scenario.lines, slip)})
                found = [r for r in leaks(slipped, vectors) if r.place == "lines.general.99"]
                yield any(f"stage {stage}," in r.reason for r in found)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "least"), [("set_on", 0.85), ("held_out", 0.75)])
def test_most_planted_leaks_are_seen(part: str, least: float, vectors: Vectors) -> None:
    caught = list(seen(part, vectors))
    assert sum(caught) / len(caught) >= least


@pytest.mark.slow
def test_few_shipped_lines_are_taken_for_leaks(vectors: Vectors) -> None:
    found = [r for s in load_scenarios().values() for r in leaks(s, vectors)]
    said = sum(len(s.lines) + len(s.facts) for s in load_scenarios().values())
    assert len(found) / said < 0.01


# --- what the lint takes the engine to do, held against the engine -----------------------------


def course(scenario: Scenario, seed: int, *, pressed: bool) -> Iterator[tuple[Transcript, Any]]:
    """Yield each transcript of a random conversation with the brief that follows it."""
    chance = random.Random(seed)
    moves = [m for m in Move if pressed or m != Move.PRESSURE]
    talk = Transcript(id="t", owner="o", scenario=scenario, opening=scenario.openings()[0])
    while not talk.over:
        made = chance.sample(moves, chance.choice([0, 1, 1, 2, 3]))
        words = {m: f"{m} hospital {chance.randrange(99)} swabs soon on Monday" for m in made}
        reply = ". ".join(words.values()) or chance.choice(["Well.", "I see what you mean there."])
        overall = chance.choice([2, 3, 4]) if any(m.good for m in made) else chance.randrange(3)
        critique = judged(reply, overall, **words)
        state = counterpart.advance(talk, critique)
        yield talk, (state, counterpart.brief(talk, state, reply))
        talk = after(talk, critique, state)


@pytest.mark.parametrize("pressed", [False, True])
def test_no_line_is_asked_for_where_the_lint_says_it_never_is(
    scenarios: dict[str, Scenario], pressed: bool
) -> None:
    for scenario in scenarios.values():
        bare = [Line(id=ln.id, on=ln.on, say=ln.say) for ln in scenario.lines]
        free = scenario.model_copy(update={"lines": tuple(bare)})
        for seed in range(25):
            for _, (state, brief) in course(free, seed, pressed=pressed):
                assert brief.own_words.keys() <= slots_for(brief.cues[0])
                for line in brief.lines:
                    asked = line.on in (brief.cues[0], *brief.after)
                    if asked and not line.on.startswith(AS_WRITTEN):
                        at = when(line, free)
                        assert state.stance in at.stances, line.on
                        assert at.first <= state.disclosed <= at.last, line.on


def test_nobody_is_open_sooner_than_the_lint_says(scenarios: dict[str, Scenario]) -> None:
    for scenario in scenarios.values():
        soonest = len(scenario.concern)
        for seed in range(40):
            for _, (state, brief) in course(scenario, seed, pressed=False):
                if state.stance == Stance.OPEN and not brief.cues[0].startswith("reveal"):
                    soonest = min(soonest, state.disclosed if state.outcome is None else soonest)
        assert soonest >= open_from(scenario)


# --- what is no scenario, and the command ------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([*Scenario.model_fields, "openings"])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_whatever_stands_under_a_key_is_refused_in_words(change: dict[str, Any]) -> None:
    data = {**copy.deepcopy(DATA), **change}
    result = checked(data)
    assert result.scenario or result.problems
    assert all(problem.reason for problem in result.problems)


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "a: " + "{" * 900, "? [a]: b\n", "a: &a [*a]\n", "- x"]
)
def test_a_text_that_is_no_scenario_is_one_error(text: str, vectors: Vectors) -> None:
    found = lint(text, vectors.of)
    assert found and all(r.level == "error" for r in found)


def test_the_words_of_never_are_read_and_its_deeds_are_not(scenario: Scenario) -> None:
    never = (
        "says synergy, win-win or going forward",
        "raises her voice",
        "says “my dear” to anyone",
    )
    persona = scenario.persona.model_copy(update={"never": never})
    assert {p for p, _ in never_phrases(persona)} == {
        "synergy",
        "win-win",
        "going forward",
        "my dear",
    }


def test_the_command_ends_in_1_on_errors_and_in_0_with_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SOURCE.read_text("utf-8").replace("id: negotiate-promise", "id: mine")
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    assert main(["lint", str(path)]) == 0
    assert "1 file: 0 to mend" in capsys.readouterr().out
    path.write_text(text.replace("That's half of something.", "Well done!"), "utf-8")
    assert main(["lint", str(tmp_path), "--json"]) == 1
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    error = next(row for row in rows if row["level"] == "error")
    assert error["file"] == str(path) and error["place"] == "lines.general.3"
    assert set(error) == {"file", "line", "level", "place", "reason"}


def test_an_id_that_is_taken_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "copy.yaml"
    path.write_text(SOURCE.read_text("utf-8"), "utf-8")
    assert main(["lint", str(path)]) == 1
    assert "'negotiate-promise' is taken" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_one_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "/no/such.yaml"]) == 1
    assert "/no/such.yaml cannot be read" in capsys.readouterr().err
