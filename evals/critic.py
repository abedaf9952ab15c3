"""`python -m evals critic`: the critic against labelled replies, its attacks, its last report.

A reply is read by the critic and passes the rubric's gate, as in a conversation.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from agent import rubric
from agent.domain import Critique, Move
from agent.errors import BackendError
from agent.local_critic import default_critic
from agent.session import Critic
from evals import attacks, scorers
from evals.kept import KeptCritic, Read, counting, print_used

HERE: Final = Path(__file__).parent
CV_REPORT: Final = HERE / "reports" / "critic_cv.json"
MOVES: Final = tuple(move.value for move in Move)
GOOD: Final = frozenset(move.value for move in Move if move.good)
KEPT: Final = HERE.parent / "build" / "evals"
ATTACK_STEP: Final = 11  # every so many of the project's own replies: 128 of 1,408

Case = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--cases", nargs="+", type=Path, metavar="FILE", help="replies, JSONL")
    parser.add_argument("--critic", choices=["local", "llm"], default="local", help="which reads")
    parser.add_argument("--limit", type=int, metavar="N", help="so many of the replies, spread out")
    parser.add_argument(
        "--kept", type=Path, default=KEPT, metavar="DIR", help="where readings of llm are kept"
    )
    parser.add_argument("--workers", type=int, default=4, metavar="N", help="llm: calls at a time")
    for side in ("in", "out"):
        parser.add_argument(
            f"--price-{side}", type=float, default=0.0, metavar="X", help="of a million tokens"
        )
    parser.add_argument("--cv", action="store_true", help="print the last cross-validation")
    parser.add_argument("--attacks", action="store_true", help="change replies, count what moves")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return the report. Raises SystemExit on unusable arguments."""
    if args.cv:
        return stored()
    if not args.cases and not args.attacks:
        raise SystemExit("Name the replies to score with --cases, or ask for --cv or --attacks.")
    cases = spread(load(args.cases) if args.cases else own_cases(), args.limit)
    critic: Critic = default_critic()
    used: dict[str, Any] = {}
    if args.critic == "llm":
        critic, cases, used = asked(args, cases)
    measure, show = (attacked, print_attacks) if args.attacks else (measured, print_table)
    report = measure(critic, cases) | used
    show(report)
    if used:
        print_used(used["used"], "a reply", "readings", ", {asked} of them now")
    return report


def spread(cases: list[Case], limit: int | None) -> list[Case]:
    """Return so many of the cases, as far apart as they can be; all of them without a limit."""
    if not limit or limit >= len(cases):
        return cases
    return [cases[n * len(cases) // limit] for n in range(limit)]


def asked(
    args: argparse.Namespace, cases: list[Case]
) -> tuple[KeptCritic, list[Case], dict[str, Any]]:
    """Read all with the model the settings name; return the critic, what was read, what it took.

    Raises SystemExit when no reply could be read, or none would be from here on.
    """
    from agent.llm_critic import LLMCritic
    from agent.model import model_of
    from agent.settings import load_settings
    from prompts import load_rubric

    try:
        critic = KeptCritic(LLMCritic(model_of(load_settings()), load_rubric()), args.kept)
        reads = [read for case in cases for read in readings_of(case, args.attacks)]
        critic.read_all(reads, args.workers, counting("read"))
    except BackendError as error:
        raise SystemExit(f"{error} What was read until now is kept in {args.kept}.") from error
    whole = [case for case in cases if all(critic.has(*r) for r in readings_of(case, args.attacks))]
    if not whole:
        raise SystemExit(f"No reply could be read: {next(iter(critic.failures.values()))}")
    return critic, whole, {"used": critic.used(reads, args.price_in, args.price_out)}


def readings_of(case: Case, attacking: bool) -> Iterator[Read]:
    """Give what is read for a case: its reply, and with attacks each change of it."""
    yield case["history"], case["reply"]
    if attacking:
        for change in attacks.ATTACKS.values():
            yield case["history"], change(case)


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


def read(critic: Critic, case: Case, reply: str | None = None) -> Critique:
    """Return what the rubric admits of a case's reply, or of another reply in its place."""
    text = case["reply"] if reply is None else reply
    return rubric.critique(text, critic.read(case["history"], text), critic.name)


def scored(critic: Critic, case: Case) -> scorers.Scored:
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


def measured(critic: Critic, cases: Sequence[Case]) -> dict[str, Any]:
    """Return the report on labelled replies; `seen` of them are in the training data."""
    items = [scored(critic, case) for case in cases]
    trained_on = {case["reply"] for case in load(own_files())}
    seen = sum(case["reply"] in trained_on for case in cases)
    return scorers.critic_scores(items, MOVES, GOOD) | {"critic": critic.name, "seen": seen}


def attacked(critic: Critic, cases: Sequence[Case]) -> dict[str, Any]:
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
