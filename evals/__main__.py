"""`python -m evals …`: one command each, the same for everyone who measures."""

import argparse
import importlib
import json
import sys
from typing import Any

from evals import baseline

COMMANDS = {
    "critic": "replies against their labels, or --attacks, or the last --cv",
    "counterpart": "scripted learners through the scenarios: the fidelity table",
    "answers": "questions against the spans that answer them",
    "retrieval": "a collection in BEIR layout",
    "speed": "milliseconds a turn, a page, a query",
}


def main(argv: list[str] | None = None) -> int:
    """Run one evaluation, print its table, and with --json one object as the last line."""
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    given = sys.argv[1:] if argv is None else argv
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text)
        sub.add_argument("--json", action="store_true", help="print one JSON object last")
        sub.add_argument("--gate", action="store_true", help="fail where a kept figure fell")
        sub.add_argument("--keep", action="store_true", help="keep these figures as the baseline")
        if name in given[:1]:  # the others' imports would only cost time
            importlib.import_module(f"evals.{name}").add_arguments(sub)
    args = parser.parse_args(given)
    report = importlib.import_module(f"evals.{args.command}").run(args)
    fell = compared(args, report)
    if args.json:
        print(json.dumps(report, ensure_ascii=False))
    return 1 if fell and args.gate else 0


def compared(args: argparse.Namespace, report: dict[str, Any]) -> bool:
    """Print the figures beside those kept, where there are any; tell whether one fell."""
    command = baseline.command_of(args)
    if command is None:
        if args.gate or args.keep:
            raise SystemExit("--gate and --keep go with a run over all the standing cases.")
        return False
    if args.keep:
        baseline.keep(command, report)
    rows = baseline.compare(baseline.load().get(command, {}), baseline.figures_of(command, report))
    print(f"\n{baseline.table(rows)}")
    return any(row.fell for row in rows)


if __name__ == "__main__":
    sys.exit(main())
