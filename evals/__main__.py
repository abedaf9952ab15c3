"""`python -m evals …`: one command each, the same for everyone who measures."""

import argparse
import importlib
import json
import sys

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
        if name in given[:1]:  # the others' imports would only cost time
            importlib.import_module(f"evals.{name}").add_arguments(sub)
    args = parser.parse_args(given)
    report = importlib.import_module(f"evals.{args.command}").run(args)
    if args.json:
        print(json.dumps(report, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
