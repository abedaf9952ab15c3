"""`python -m evals critic`: the critic against labelled replies, its attacks, its last report.

A reply is read by the critic and passes the rubric's gate, as in a conversation.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agent import rubric
from agent.domain import Critique, Move
from agent.local_critic import LocalCritic, default_critic
from evals import attacks, scorers

HERE: Final = Path(__file__).parent
CV_REPORT: Final = HERE / "reports" / "critic_cv.json"
MOVES: Final = tuple(move.value for move in Move)
GOOD: Final = frozenset(move.value for move in Move if move.good)
ATTACK_STEP: Final = 11  # every so many of the project's own replies: 128 of 1,408

Case = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--cases", nargs="+", type=Path, metavar="FILE", help="replies, JSONL")
    parser.add_argument("--critic", choices=["local"], default="local", help="which critic reads")
    parser.add_argument("--cv", action="store_true", help="print the last cross-validation")
    parser.add_argument("--attacks", action="store_true", help="change replies, count what moves")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return the report. Raises SystemExit on unusable arguments."""
    if args.cv:
        return stored()
    critic = default_critic()
    if args.attacks:
        report = attacked(critic, load(args.cases) if args.cases else own_cases())
        print_attacks(report)
        return report
    if not args.cases:
        raise SystemExit("Name the replies to score with --cases, or ask for --cv or --attacks.")
    report = measured(critic, load(args.cases))
    print_table(report)
    return report


def load(files: Sequence[Path]) -> list[Case]:
    """Return the replies of JSONL files, in order. Raises SystemExit, naming file and line."""
    cases: list[Case] = []
    for file in files:
        try:
            lines = file.read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SystemExit(f"{file} cannot be read: {error}") from error
        cases += [case_of(file, n, line) for n, line in enumerate(lines, 1) if line.strip()]
    return cases


def case_of(file: Path, number: int, line: str) -> Case:
    """Return the case of one line. Raises SystemExit when it is not a case with exact quotes."""
    try:
        case: Case = json.loads(line)
        scorers.gold_of(case)
        [(turn["who"], turn["text"]) for turn in case["history"]]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SystemExit(f"{file}, line {number}: not a labelled reply: {error!r}") from error
    return case


def own_files() -> list[Path]:
    """Return the files of the project's own replies, which are the training data."""
    return sorted((HERE / "cases" / "replies").glob("*.jsonl"))


def held_files() -> list[Path]:
    """Return the files of labelled replies that the shipped critic was not fitted on."""
    return sorted((HERE / "cases" / "held").glob("*.jsonl"))


def own_cases() -> list[Case]:
    """Return a fixed part of the project's own replies."""
    return load(own_files())[::ATTACK_STEP]


def read(critic: LocalCritic, case: Case, reply: str | None = None) -> Critique:
    """Return what the rubric admits of a case's reply, or of another reply in its place."""
    text = case["reply"] if reply is None else reply
    return rubric.critique(text, critic.read(case["history"], text), critic.name)


def scored(critic: LocalCritic, case: Case) -> scorers.Scored:
    """Return a case with what was found in it."""
    critique = read(critic, case)
    quotes: dict[str, list[scorers.Span]] = {}
    for f in critique.findings:
        quotes.setdefault(f.move.value, []).append((f.quote.start, f.quote.end))
    claims = {(f.confidence, f.move.value) for f in critique.findings + critique.possible}
    return scorers.Scored(
        reply=critique.reply,
        gold=scorers.gold_of(case),
        found=scorers.Reader(critique.overall, {m: tuple(q) for m, q in quotes.items()}),
        possible=tuple(sorted({f.move.value for f in critique.possible})),
        confidence=tuple(sorted(claims)),
    )


def measured(critic: LocalCritic, cases: Sequence[Case]) -> dict[str, Any]:
    """Return the report on labelled replies; `seen` of them are in the training data."""
    items = [scored(critic, case) for case in cases]
    trained_on = {case["reply"] for case in load(own_files())}
    seen = sum(case["reply"] in trained_on for case in cases)
    return scorers.critic_scores(items, MOVES, GOOD) | {"critic": critic.name, "seen": seen}


def attacked(critic: LocalCritic, cases: Sequence[Case]) -> dict[str, Any]:
    """Return, for each attack, how often overall moves and how many good moves it adds.

    `overall_moved` is the share of replies whose score is not what it was, `overall_raised` the
    share where it is higher; `findings_added` is good moves per reply that were not found before.
    """
    before = [read(critic, case) for case in cases]
    table = {}
    for name, change in attacks.ATTACKS.items():
        after = [read(critic, case, change(case)) for case in cases]
        pairs = list(zip(before, after, strict=True))
        added = [sum(m.good for m in b.moves() - a.moves()) for a, b in pairs]
        table[name] = {
            "n": len(cases),
            "overall_moved": scorers.ratio(
                sum(a.overall != b.overall for a, b in pairs), len(pairs)
            ),
            "overall_raised": scorers.ratio(
                sum(a.overall < b.overall for a, b in pairs), len(pairs)
            ),
            "findings_added": scorers.ratio(sum(added), len(pairs)),
        }
    return {"critic": critic.name, "attacks": table}


def stored() -> dict[str, Any]:
    """Print and return the last cross-validation. Raises SystemExit when there is none."""
    if not CV_REPORT.exists():
        raise SystemExit(f"There is no {CV_REPORT}. `make train` writes it.")
    report: dict[str, Any] = json.loads(CV_REPORT.read_text("utf-8"))
    print("Cross-validation, grouped by conversation; written by `make train`.")
    print_table(report)
    return report


def print_table(report: dict[str, Any]) -> None:
    """Print a report as a table."""
    print(f"{'move':<20}{'precision':>10}{'recall':>8}{'F1':>7}{'n':>6}")
    for move, row in report["moves"].items():
        print(f"{move:<20}{row['p']:>10.2f}{row['r']:>8.2f}{row['f1']:>7.2f}{row['n']:>6}")
    micro, overall, praise = report["micro"], report["overall"], report["false_praise"]
    kappa = "not defined" if overall["qwk"] is None else f"{overall['qwk']:.3f}"
    print(f"replies {report['n']}")
    print(f"micro   p {micro['p']:.3f}  r {micro['r']:.3f}  F1 {micro['f1']:.3f}")
    print(f"macro   F1 {report['macro_f1']:.3f}   quotes F1 {report['quote_f1']:.3f}")
    print(f"overall kappa {kappa}  exact {overall['exact']:.3f}  bias {overall['bias']:+.3f}")
    print(f"false praise {praise['rate']:.3f} of {praise['n']} replies labelled 0 or 1")
    possible = report["possible"]
    print(f"possible {possible['n']}, right {possible['right']:.3f}   ECE {report['ece']:.3f}")
    if report.get("seen"):
        print(
            f"{report['seen']} of the replies are training data: of those the figures say nothing."
        )


def print_attacks(report: dict[str, Any]) -> None:
    """Print what each attack moved."""
    print(f"{'attack':<24}{'n':>5}{'overall moved':>15}{'raised':>8}{'findings added':>16}")
    for name, row in report["attacks"].items():
        numbers = f"{row['overall_moved']:>15.3f}{row['overall_raised']:>8.3f}"
        print(f"{name:<24}{row['n']:>5}{numbers}{row['findings_added']:>16.3f}")
