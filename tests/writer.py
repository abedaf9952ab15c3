"""Run as a process of its own: send replies, and say which were stored.

    python tests/writer.py DATABASE CONVERSATION NAME COUNT

Prints a JSON line [conversation, reply] for each reply after it was stored. COUNT 0 goes on until
the process is killed; a conversation that has ended is followed by a new one.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from agent.domain import Claim, Reading
from agent.errors import ConflictError
from agent.session import ScriptedCritic, ScriptedVoice, Session
from agent.store import SqlStore
from prompts import load_scenarios


def main() -> None:
    database, conversation, name, count = sys.argv[1:]
    store = SqlStore(Path(database))
    print(json.dumps(["ready", ""]), flush=True)
    for number in range(int(count)) if int(count) else itertools.count():
        text = f"{name} names day{number}word{number}."
        conversation = send(store, conversation, text)
        print(json.dumps([conversation, text]), flush=True)


def send(store: SqlStore, conversation: str, text: str) -> str:
    """Send a reply until it is stored; return the conversation that took it."""
    reading = Reading(claims=(Claim(move="not_knowing", words=text),), overall=3)
    parts: dict[str, Any] = {"critic": ScriptedCritic(reading), "voice": ScriptedVoice()}
    while True:
        session = Session.resume(conversation, "ana", store=store, **parts)
        if session.transcript.over:
            scenario = load_scenarios()["declare-vision"]
            session = Session.start(scenario, "ana", store=store, **parts)
        try:
            session.reply(text)
            return session.transcript.id
        except ConflictError:
            continue


if __name__ == "__main__":
    main()
