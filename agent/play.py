"""Hold a conversation on standard input and output: as JSON lines, or in a terminal."""

import argparse
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.domain import Transcript
from agent.engine import Engine
from agent.errors import InputError, RehearsalError
from agent.export import brief_row, exchange_row, state_row
from agent.session import Session
from agent.terminal import emit


def hold(engine: Engine, args: argparse.Namespace) -> int:
    """Hold a conversation as `rehearsal play` was told to; 0 it was held, 1 an engine failed."""
    show = _Json(engine) if args.json else _Plain(engine)
    replies = _replies(args, show)
    session = engine.start(args.scenario, args.opening)
    show.begin(session.transcript)
    status = 0
    try:
        _converse(session, replies, show)
        if not session.transcript.over:
            session.end()
            show.ending(session.transcript)
    except RehearsalError as error:
        show.refused(error)
        status = 1
    show.debrief(session.transcript)
    return status


def _converse(session: Session, replies: Iterable[str], show: "_Json | _Plain") -> None:
    """Send replies until they or the conversation end. A refused one changes nothing."""
    for text in replies:
        try:
            session.reply(text)
        except InputError as error:
            show.refused(error)
            continue
        show.exchange(session.transcript)
        if session.transcript.over:
            break


def _replies(args: argparse.Namespace, show: "_Json | _Plain") -> Iterator[str]:
    """Return the replies: of a file (read now), of standard input, or as they are typed.

    Only a line feed ends a reply: other characters that Python takes for line ends are text.
    """
    if args.replies and args.replies != "-":
        try:
            text = Path(args.replies).read_bytes().decode("utf-8-sig", "surrogateescape")
        except OSError as error:
            raise RehearsalError(
                f"{args.replies} cannot be read: {error}. Nothing was started."
            ) from error
        return (_unescaped(line) for line in text.split("\n") if line.strip())
    if args.replies is None and isinstance(show, _Plain) and sys.stdin.isatty():
        return iter(show.prompt, None)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(newline="\n")
    return (_unescaped(line.removesuffix("\n")) for line in sys.stdin)


def _unescaped(line: str) -> str:
    r"""Return the reply of a line: {"reply": …}, or text in which \n stands for a line end."""
    line = line.removesuffix("\r")
    if line.lstrip().startswith("{"):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict) and isinstance(row.get("reply"), str):
            return str(row["reply"])
    return line.replace("\\n", "\n")


class _Json:
    """One object a line, as evals and programs read it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, transcript: Transcript) -> None:
        brief = {"id": transcript.id, **brief_row(transcript.scenario)}
        emit({"opening": transcript.opening.say, "brief": brief})

    def refused(self, error: RehearsalError) -> None:
        emit({"error": {"kind": error.kind, "message": str(error)}})

    def exchange(self, transcript: Transcript) -> None:
        n = len(transcript.exchanges)
        words = self._engine.feedback(transcript, n - 1)
        emit(exchange_row(n, transcript.exchanges[-1], words))

    def ending(self, transcript: Transcript) -> None:
        if ending := transcript.ending:
            emit({"ending": {"state": state_row(ending.state), "words": ending.speech.text}})

    def debrief(self, transcript: Transcript) -> None:
        emit({"debrief": self._engine.debrief(transcript).model_dump(mode="json")})


class _Plain:
    """A conversation in a terminal."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._name = ""
        self._typed = False  # at our own prompt, where the reply stands already

    def begin(self, transcript: Transcript) -> None:
        s = transcript.scenario
        self._name = s.persona.name
        print(f"{s.title}\n\n{s.situation.strip()}\n\nYou meet {s.persona.name}, {s.persona.role}.")
        print("An empty line or Ctrl-D ends the conversation.\n")
        print(f"{self._name}: {transcript.opening.say}\n")

    def prompt(self) -> str | None:
        self._typed = True
        try:
            return input("You: ").strip() or None
        except EOFError:
            return None

    def refused(self, error: RehearsalError) -> None:
        print(f"\n  {error}\n")

    def exchange(self, transcript: Transcript) -> None:
        exchange = transcript.exchanges[-1]
        words = self._engine.feedback(transcript, len(transcript.exchanges) - 1)
        overall, rubric = exchange.critique.overall, self._engine.rubric
        print("" if self._typed else f"You: {exchange.critique.reply}\n")
        print(_quiet(f"  {overall} of 4: {rubric.overall[overall]}"))
        for f in exchange.critique.findings:
            print(_quiet(f"  [{rubric.moves[f.move].name}] {exchange.critique.words(f)}"))
        for label, note in words.rows():
            print(_quiet(f"  {label}: {note}"))
        print(_quiet(f"  ({self._name} is {exchange.state.stance})"))
        print(f"\n{self._name}: {exchange.speech.text}\n")

    def ending(self, transcript: Transcript) -> None:
        if transcript.ending:
            print(f"\n{self._name}: {transcript.ending.speech.text}\n")

    def debrief(self, transcript: Transcript) -> None:
        d = self._engine.debrief(transcript)
        print(f"How it ended: {d.reason}\n")
        for capability, score in d.scores.items():
            shown = "–" if score.score is None else score.score
            print(
                f"  {shown}  {self._engine.rubric.capabilities[capability].name}: {score.because}"
            )
        for stage in d.hidden:
            print(f"\n  Stayed hidden: {stage.knows}\n  What would bring it out: {stage.wants}")
        if d.next:
            print(f"\nNext: {d.next.scenario}. {d.next.why}")


def _quiet(text: str) -> str:
    """Set a note apart from what is said: dim on a terminal, unless NO_COLOR is set."""
    plain = os.environ.get("NO_COLOR") or not sys.stdout.isatty()
    return text if plain else f"\x1b[2m{text}\x1b[0m"
