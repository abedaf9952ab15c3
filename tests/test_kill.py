import json
import random
import select
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from agent.session import ScriptedCritic, ScriptedVoice, Session
from agent.store import SqlStore
from prompts import load_scenarios

WRITER = Path(__file__).with_name("writer.py")
KILLS = 20


@pytest.mark.slow
def test_a_killed_process_loses_at_most_the_reply_in_flight(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    store = SqlStore(path)
    moments = random.Random(20261124)
    told_in_all = 0
    for n in range(KILLS):
        before = everything(store)
        told = killed_while_writing(path, begin(store), f"Writer {n}", moments.uniform(0, 0.25))
        after = everything(store)
        assert after.items() >= before.items(), "what was there before has changed"
        new = [reply for name, replies in after.items() if name not in before for reply in replies]
        assert sorted(new)[: len(new)] == sorted(set(new)), "a reply is there twice"
        for name, lines in groupby(told, key=lambda line: line[0]):
            assert after[name][: len(replies := [text for _, text in lines])] == replies
        assert len(told) <= len(new) <= len(told) + 1
        assert store.integrity() == ()
        told_in_all += len(told)
    assert told_in_all > KILLS, "the kills came before much was written"
    store.close()


def begin(store: SqlStore) -> str:
    parts: dict[str, Any] = {"critic": ScriptedCritic(), "voice": ScriptedVoice()}
    return Session.start(
        load_scenarios()["declare-vision"], "ana", store=store, **parts
    ).transcript.id


def everything(store: SqlStore) -> dict[str, list[str]]:
    """Return the replies of each conversation."""
    names = [summary.id for summary in store.summaries("ana")]
    return {n: [e.critique.reply for e in store.load("ana", n).exchanges] for n in names}


def killed_while_writing(
    path: Path, conversation: str, name: str, seconds: float
) -> list[tuple[str, str]]:
    """Return the (conversation, reply) that the process said were stored before it was killed."""
    command = [sys.executable, str(WRITER), str(path), conversation, name, "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        select.select([], [], [], seconds)
        process.kill()
        lines = process.stdout.read().split("\n")
    whole = lines[:-1]  # what follows the last line end was cut off
    return [(held, text) for held, text in map(json.loads, whole)]
