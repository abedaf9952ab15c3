"""Scripted learners through the scenarios: the fidelity table of the counterpart.

Each learner's replies were written before any conversation and cannot see the answers. Shared
kinds are played in every scenario; the others were written for one scenario by somebody who knew
its brief and concern, not its gates.
"""

import argparse
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import yaml

from agent.domain import Ending, Exchange, Missing, Outcome, Scenario, Transcript
from agent.session import Critic, Session, Voice
from agent.words import content_words
from evals import curves
from prompts import load_scenarios

REPORTS: Final = Path(__file__).parent / "reports"
LEARNERS: Final = Path(__file__).parent / "cases" / "learners"
UNYIELDING: Final = ("vague", "flattering", "pressuring", "prescribing", "hype", "gaming")
ACCEPT_WITHIN, RECOVER_WITHIN = 8, 12
LEAKED: Final = 0.6  # share of a hidden stage's content words in one speech that counts as said


@dataclass(frozen=True)
class Played:
    """One conversation held by one learner."""

    kind: str
    script: str
    transcript: Transcript


class InMemory:
    """A store for a conversation that nobody will go on with."""

    def create(self, transcript: Transcript) -> None:
        """Keep nothing."""

    def load(self, owner: str, transcript_id: str) -> Transcript:
        """Refuse: nothing is kept."""
        raise NotImplementedError

    def append(self, owner: str, transcript_id: str, at: int, exchange: Exchange) -> None:
        """Keep nothing."""

    def keep_draft(self, owner: str, transcript_id: str, at: int, text: str) -> None:
        """Keep nothing."""

    def finish(self, owner: str, transcript_id: str, ending: Ending, at: int) -> None:
        """Keep nothing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `python -m evals counterpart`."""
    parser.add_argument("--voice", choices=["authored", "llm"], default="authored")
    parser.add_argument("--workers", type=int, default=8, help="conversations at once with a model")
    parser.add_argument("--scripts", type=int, metavar="N", help="the first N of a kind, a model's")
    parser.add_argument("--kept", type=Path, metavar="DIR", help="where a model's answers are kept")
    parser.add_argument("--scenario", nargs="*", metavar="ID", help="only these")
    parser.add_argument("--write", action="store_true", help="write the page in evals/reports")
    parser.add_argument("--show", action="store_true", help="print how each conversation ended")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Play all learners through the scenarios and return the table."""
    scenarios = [s for s in load_scenarios().values() if not args.scenario or s.id in args.scenario]
    if args.voice == "llm":
        from evals import spoken

        return spoken.run(scenarios, args)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        results = dict(zip((s.id for s in scenarios), pool.map(twice, scenarios), strict=True))
    played = {id_: first for id_, (first, _) in results.items()}
    again = {id_: second for id_, (_, second) in results.items()}
    report = {
        "all": figures([*chain(*played.values())], [*chain(*again.values())]),
        "scenarios": {id_: figures(some, again[id_]) for id_, some in played.items()},
    }
    print_table(report)
    if args.show:
        print_ends([*chain(*played.values())])
    if args.write:
        write(report, [*chain(*played.values())])
    return report


def write(report: Mapping[str, Any], played: Iterable[Played]) -> None:
    """Write the report page and its chart."""
    kinds: dict[str, list[Transcript]] = {}
    for p in played:
        kinds.setdefault(p.kind, []).append(p.transcript)
    (REPORTS / "counterpart.md").write_text(curves.page(report, kinds), "utf-8")
    (REPORTS / "counterpart.svg").write_text(curves.svg(kinds), "utf-8")


def learners_for(scenario: str) -> dict[str, dict[str, list[str]]]:
    """Return the scripts by kind and id: the shared ones and the scenario's own."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in ("shared", scenario):
        path = LEARNERS / f"{name}.yaml"
        if path.exists():
            found |= yaml.safe_load(path.read_text("utf-8"))
    return found


def twice(scenario: Scenario) -> tuple[list[Played], list[Played]]:
    """Return all conversations of one scenario, and the first of each kind held once more.

    Runs in a process of its own.
    """
    from agent.local_critic import LocalCritic
    from agent.local_voice import AuthoredVoice

    critic, voice, learners = LocalCritic(), AuthoredVoice(), learners_for(scenario.id)
    once_more = {kind: dict(list(scripts.items())[:1]) for kind, scripts in learners.items()}
    first = play_all(scenario, learners, critic, voice)
    return first, play_all(scenario, once_more, critic, voice)


def play_all(
    scenario: Scenario,
    learners: Mapping[str, Mapping[str, list[str]]],
    critic: Critic,
    voice: Voice,
) -> list[Played]:
    """Play every script; the openings take turns."""
    openings = len(scenario.openings())
    return [
        Played(kind, script, play(scenario, replies, critic, voice, n % openings + 1))
        for kind, scripts in learners.items()
        for n, (script, replies) in enumerate(scripts.items())
    ]


def play(
    scenario: Scenario, replies: Iterable[str], critic: Critic, voice: Voice, opening: int = 1
) -> Transcript:
    """Hold one conversation: until its outcome, or until the replies end and the learner leaves."""
    session = Session.start(
        scenario, "learner", critic=critic, voice=voice, store=InMemory(), opening=opening
    )
    for reply in replies:
        session.reply(reply)
        if session.transcript.over:
            return session.transcript
    session.end()
    return session.transcript


def figures(played: list[Played], again: list[Played]) -> dict[str, Any]:
    """Return the figures of the fidelity table, each a rate, with n for each."""
    tests: dict[str, tuple[list[Played], Callable[[Transcript], bool]]] = {
        "yield": (_of(played, *UNYIELDING), lambda t: t.state.outcome == Outcome.ACCEPT),
        "leak": (played, leaks),
        "accept": (_of(played, "exemplary"), accepted),
        "recover": (_of(played, "exemplary_after_bad_start"), recovered),
        "named_missing": (_of(played, "competent_generic"), names_what_is_missing),
        "near_miss_accepts": (_of(played, "near_miss"), accepted),
        "stuck": (played, stuck),
        "repeat": (played, repeats),
    }
    report: dict[str, Any] = {"n": len(played), "of": {}}
    for name, (some, holds) in tests.items():
        report[name] = _rate(sum(holds(p.transcript) for p in some), len(some))
        report["of"][name] = len(some)
    first = {_key(p): _shape(p.transcript) for p in played}
    same = sum(first[_key(p)] == _shape(p.transcript) for p in again)
    report["same_twice"], report["of"]["same_twice"] = _rate(same, len(again)), len(again)
    return report


def _of(played: list[Played], *kinds: str) -> list[Played]:
    return [p for p in played if p.kind in kinds]


def _rate(count: int, n: int) -> float | None:
    return round(count / n, 4) if n else None


def _key(played: Played) -> tuple[str, str, str]:
    return played.transcript.scenario.id, played.kind, played.script


def _shape(transcript: Transcript) -> list[Any]:
    return [(e.critique, e.state, e.speech) for e in transcript.exchanges] + [transcript.ending]


def accepted(transcript: Transcript) -> bool:
    """Whether it ended in a yes within eight replies."""
    yes = transcript.state.outcome == Outcome.ACCEPT
    return yes and len(transcript.exchanges) <= ACCEPT_WITHIN


def recovered(transcript: Transcript) -> bool:
    """Whether it ended in a yes or a smaller yes within twelve replies."""
    good = transcript.state.outcome in (Outcome.ACCEPT, Outcome.COUNTER)
    return good and len(transcript.exchanges) <= RECOVER_WITHIN


def names_what_is_missing(transcript: Transcript) -> bool:
    """Whether it ended short of a yes, with the missing thing named."""
    state = transcript.state
    short = state.outcome in (Outcome.COUNTER, Outcome.DECLINE)
    return short and state.reason in set(Missing)


def leaks(transcript: Transcript) -> bool:
    """Whether a stage came out before its gate, in state or in words."""
    concern, before = transcript.scenario.concern, 0
    for exchange in transcript.exchanges:
        out = exchange.state.disclosed
        if out > before and (out > before + 1 or exchange.state.trust < concern[before].gate):
            return True
        before = out
        said = content_words(exchange.speech.text)
        for number, stage in enumerate(concern[out:], start=out + 1):
            knows = content_words(stage.knows)
            early = any(line.startswith(f"reveal.{number}.") for line in exchange.speech.lines)
            if early or len(knows & said) >= LEAKED * len(knows):
                return True
    return False


def stuck(transcript: Transcript) -> bool:
    """Whether two replies at 4 in a row moved nothing."""
    states = curves.states_of(transcript)
    scores = [e.critique.overall for e in transcript.exchanges]
    return any(
        scores[n - 1] == scores[n] == 4
        and _where(states[n - 1]) == _where(states[n]) == _where(states[n + 1])
        for n in range(1, len(scores))
    )


def _where(state: Any) -> tuple[Any, ...]:
    return state.trust, state.disclosed, state.stance, state.outcome


def repeats(transcript: Transcript) -> bool:
    """Whether a line was said twice."""
    lines = [line for e in transcript.exchanges for line in e.speech.lines]
    lines += transcript.ending.speech.lines if transcript.ending else ()
    texts = [e.speech.text for e in transcript.exchanges]
    return len(set(lines)) < len(lines) or len(set(texts)) < len(texts)


def print_table(report: dict[str, Any]) -> None:
    """Print the table, a scenario a line, rates in per cent with n."""
    names = list(report["all"]["of"])
    print(f"{'':22}" + "".join(f"{name[:13]:>15}" for name in names))
    for id_, row in [*report["scenarios"].items(), ("all", report["all"])]:
        cells = [_cell(row[name], row["of"][name]) for name in names]
        print(f"{id_:22}" + "".join(f"{cell:>15}" for cell in cells))


def _cell(rate: float | None, n: int) -> str:
    return "–" if rate is None else f"{100 * rate:.0f} % ({n})"


def print_ends(played: list[Played]) -> None:
    """Print how each conversation ended."""
    for p in played:
        t = p.transcript
        print(
            f"{t.scenario.id:18} {p.kind:26} {p.script:24} {len(t.exchanges):2} replies  "
            f"trust {t.state.trust:4.1f}  out {t.state.disclosed}  {t.state.outcome} "
            f"({t.state.reason}) {[e.critique.overall for e in t.exchanges]}"
        )
