"""`rehearsal …`: the same calls as the app, for scripts and for a terminal."""

import argparse
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import RehearsalError
from agent.terminal import emit

if TYPE_CHECKING:
    from agent.domain import Citation
    from agent.engine import Engine


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 it worked, 1 it did not (one plain line says why), 2 wrong usage."""
    _speak_utf8()
    args = _parser().parse_args(argv)
    try:
        result: int = args.run(args)
    except RehearsalError as error:
        print(f"rehearsal: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was stored is kept.", file=sys.stderr)
        return 130
    return result


def _speak_utf8() -> None:
    """Read and write UTF-8 whatever the locale; what is no UTF-8 is refused later, as a reply."""
    for stream, errors in (
        (sys.stdin, "surrogateescape"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rehearsal", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, run: Any, text: str, *, as_json: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        if as_json:
            sub.add_argument("--json", action="store_true", help="JSON, one object a line")
        return sub

    command("scenarios", scenarios, "the conversations there are")
    play_ = command("play", play, "hold a conversation")
    play_.add_argument("scenario")
    play_.add_argument("--replies", metavar="FILE", help="one reply a line, or JSONL; - for stdin")
    play_.add_argument("--opening", type=int, default=1, metavar="N", help="which first words")
    ask_ = command("ask", ask, "ask the material a question")
    ask_.add_argument("question")
    ask_.add_argument("--after", metavar="QUESTION", help="the question before it")
    handbook_ = command("handbook", handbook, "the handbook as a page to print", as_json=False)
    handbook_.add_argument("--out", type=Path, metavar="FILE", help="standard output if left")
    index_ = command("index", index, "add documents to the material; build its index where stale")
    index_.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files and folders to add"
    )
    index_.add_argument("--replace", metavar="ID", help="the document that PATH takes the place of")
    index_.add_argument("--list", action="store_true", help="the documents there are")
    index_.add_argument("--remove", metavar="ID", help="take a document out")
    index_.add_argument("--status", action="store_true", help="only say how it is")
    export_ = command("export", export, "a conversation with its debrief", as_json=False)
    export_.add_argument("id")
    export_.add_argument("--format", choices=["md", "json", "html"], default="md")
    export_.add_argument("-o", "--output", type=Path, metavar="FILE")
    command("list", list_, "your own conversations")
    new_ = command("new-scenario", new_scenario, "start a conversation of your own", as_json=False)
    new_.add_argument("id", metavar="ID", help="small letters, digits and hyphens")
    new_.add_argument("--title", metavar="TEXT", help="what the card says; made of the id if left")
    lint_ = command("lint", lint, "look through scenario files for what is wrong or thin")
    lint_.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE|FOLDER",
        help="all there are when none is named",
    )
    command("serve", serve, "open the app on localhost", as_json=False)
    command("doctor", doctor, "what works here and what does not")
    return parser


def _engine() -> "Engine":
    """Put the parts together; imported here so that `rehearsal --help` comes at once."""
    from agent.engine import Engine

    return Engine()


def play(args: argparse.Namespace) -> int:
    """Hold a conversation, from a file, another program, or by hand."""
    from agent.play import hold

    return hold(_engine(), args)


def scenarios(args: argparse.Namespace) -> int:
    """List the conversations."""
    from agent import authoring

    return authoring.scenarios(_engine(), args)


def new_scenario(args: argparse.Namespace) -> int:
    """Write a file to start from."""
    from agent import authoring

    return authoring.new_scenario(_engine(), args)


def lint(args: argparse.Namespace) -> int:
    """Look through scenario files."""
    from agent import authoring

    return authoring.lint(_engine(), args)


def ask(args: argparse.Namespace) -> int:
    """Ask the material."""
    engine = _engine()
    answer = engine.ask(args.question, after=args.after)
    if args.json:
        keep = {"text", "passage", "source", "start", "end"}
        rows = {
            name: [c.model_dump(include=keep) | _where(engine, c) for c in citations]
            for name, citations in (("quotes", answer.quotes), ("nearest", answer.nearest))
        }
        practise = list(engine.practise(answer))
        more = {"practise": practise, "answerer": answer.answerer}
        emit({"refused": answer.refused, "lead": answer.lead, **rows, **more})
        return 0
    print(answer.lead)
    for citation in answer.quotes or answer.nearest:
        title, page = engine.where(citation)
        place = f", under “{citation.heading}”" if citation.heading else ""
        print(f"\n  “{citation.text}”\n  {title}{f', {page}' if page else ''}{place}")
    if answer.answerer and not answer.refused:
        print(f"\nWorded by {answer.answerer.split()[0]}; what is quoted is the material's own.")
    if names := engine.practise(answer):
        print(f"\nPractise: {', '.join(names)}")
    return 0


def _where(engine: "Engine", citation: "Citation") -> dict[str, str]:
    title, page = engine.where(citation)
    return {"title": title, "page": page}


def handbook(args: argparse.Namespace) -> int:
    """Write the handbook out."""
    _write(_engine().handbook(), args.out)
    return 0


def index(args: argparse.Namespace) -> int:
    """Add documents to the material, list or remove them, or build the index."""
    from agent import material

    return material.index(_engine(), args)


def export(args: argparse.Namespace) -> int:
    """Write a conversation out."""
    engine = _engine()
    _write(engine.written(engine.transcript(args.id), args.format), args.output)
    return 0


def _write(text: str, path: Path | None) -> None:
    """Write a text to a file, or to standard output. Raises RehearsalError."""
    if path is None:
        print(text, end="")
        return
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RehearsalError(f"{path} cannot be written: {error}. Nothing is lost.") from error


def list_(args: argparse.Namespace) -> int:
    """List the learner's own conversations."""
    from agent.debrief import OPEN, OUTCOMES
    from agent.domain import Outcome

    engine = _engine()
    rows = engine.store.summaries(engine.settings.owner)
    for row in rows:
        if args.json:
            emit(
                {
                    "id": row.id,
                    "scenario": row.scenario_id,
                    "title": row.title,
                    "started_at": row.started_at.isoformat(timespec="seconds"),
                    "replies": row.replies,
                    "outcome": row.outcome,
                }
            )
        else:
            ended = OUTCOMES[Outcome(row.outcome)] if row.outcome else OPEN
            print(f"{row.id}  {row.title}  {row.replies} replies  {ended}")
    if not rows and not args.json:
        print(
            "No conversations yet. `rehearsal scenarios` lists what `rehearsal play ID` can begin."
        )
    return 0


def serve(args: argparse.Namespace) -> int:
    """Run the app until it is stopped."""
    import ui

    settings = _engine().settings
    app = Path(ui.__file__).parent / "app.py"
    options = [
        f"--server.address={settings.host}",
        f"--server.port={settings.port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
    ]
    print(
        f"Executive Rehearsal: http://{settings.host}:{settings.port} (Ctrl-C stops it)", flush=True
    )
    command = [sys.executable, "-m", "streamlit", "run", str(app), *options]
    os.chdir(app.parents[1])
    os.execv(sys.executable, command)  # noqa: S606 (whoever stops this stops the server itself)


def doctor(args: argparse.Namespace) -> int:
    """Say what works here; 1 when the main job cannot run."""
    from agent.doctor import examine, main_job

    found = examine(_engine())
    if args.json:
        emit({name: {"works": works, "says": says} for name, (works, says) in found.items()})
    else:
        for name, (works, says) in found.items():
            print(f"{'works ' if works else 'FAILS '} {name:16} {says}")
    return 0 if main_job(found) else 1


if __name__ == "__main__":
    sys.exit(main())
