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
    from agent.engine import Engine

OWN = "own scenarios"  # a file of one's own that is left out does not stop the main job


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
    index_ = command("index", index, "build the index of the material where it is stale")
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
    answer = _engine().ask(args.question, after=args.after)
    if args.json:
        keep = {"text", "passage", "source", "start", "end"}
        rows = {
            name: [c.model_dump(include=keep) for c in citations]
            for name, citations in (("quotes", answer.quotes), ("nearest", answer.nearest))
        }
        emit({"refused": answer.refused, "lead": answer.lead, **rows})
        return 0
    print(answer.lead)
    for citation in answer.quotes or answer.nearest:
        print(f"\n  “{citation.text}”\n  {citation.source}, {citation.heading or citation.passage}")
    return 0


def index(args: argparse.Namespace) -> int:
    """Build the index, or say how it is."""
    from dataclasses import asdict

    from knowledge.sources import article

    engine = _engine()
    status = engine.library.status([article()]) if args.status else engine.index(_progress)
    if args.json:
        emit(asdict(status))
    elif status.stale:
        print(f"The index is not up to date: {status.why_stale}. `rehearsal index` builds it.")
    else:
        print(f"The index is up to date: {status.passages} passages.")
    return 0


def _progress(done: int, of: int) -> None:
    """Show how far a build has come, on a terminal only."""
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        print(f"\rIndexing the material: {done} of {of}", end=end, file=sys.stderr, flush=True)


def export(args: argparse.Namespace) -> int:
    """Write a conversation out."""
    from agent import export as form

    engine = _engine()
    transcript = engine.store.load(engine.settings.owner, args.id)
    words = [engine.feedback(transcript, n) for n in range(len(transcript.exchanges))]
    debrief = engine.debrief(transcript)
    if args.format == "json":
        text = form.as_json(transcript, words, debrief)
    else:
        make = form.as_markdown if args.format == "md" else form.as_html
        text = make(transcript, words, debrief, engine.rubric)
    if args.output is None:
        print(text, end="")
        return 0
    try:
        args.output.write_text(text, "utf-8")
    except OSError as error:
        raise RehearsalError(
            f"{args.output} cannot be written: {error}. Nothing is lost."
        ) from error
    return 0


def list_(args: argparse.Namespace) -> int:
    """List the learner's own conversations."""
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
            print(f"{row.id}  {row.title}  {row.replies} replies  {row.outcome or 'open'}")
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
    checks = {name: _checked(check) for name, check in _checks(_engine()).items()}
    if args.json:
        emit({name: {"works": ok, "says": says} for name, (ok, says) in checks.items()})
    else:
        for name, (ok, says) in checks.items():
            print(f"{'works ' if ok else 'FAILS '} {name:16} {says}")
    main_job = [ok for name, (ok, _) in checks.items() if name != OWN]
    return 0 if all(main_job) else 1


def _checks(engine: "Engine") -> dict[str, Any]:
    from agent import authoring

    return {
        "python": lambda: sys.version.split()[0],
        "scenarios": lambda: f"{len(engine.scenarios)} conversations, all valid",
        OWN: lambda: authoring.own(engine),
        "rubric": lambda: f"{len(engine.rubric.moves)} moves",
        "database": lambda: _database(engine),
        "critic": lambda: f"{engine.critic.name}: {_critic_answers()}",
        "encoder": lambda: f"{len(engine.library.encoder.encode(['one']))} vector made",
        "index": lambda: f"{engine.index().passages} passages in {engine.settings.library_dir}",
    }


def _database(engine: "Engine") -> str:
    problems = engine.store.integrity()
    if problems:
        raise RehearsalError("; ".join(problems))
    return f"{engine.settings.database}: whole"


def _critic_answers() -> str:
    from agent.local_critic import default_critic

    differing, of = default_critic().differing()
    if differing:
        raise RehearsalError(
            f"it reads {differing} of {of} replies otherwise than when it was made. Install again."
        )
    return f"reads {of} replies as it did when it was made"


def _checked(check: Any) -> tuple[bool, str]:
    try:
        return True, str(check())
    except Exception as error:  # a doctor reports whatever is wrong
        return False, f"{error}"


if __name__ == "__main__":
    sys.exit(main())
