"""The local critic: a small ONNX model in agent/models/moves_v2, on one CPU thread.

It sees the reply and the last turns before it, and claims moves with the exact words that make
them. What is admitted of its claims is for `agent.rubric` to say.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from agent import decode, windows
from agent.domain import Claim, Reading
from agent.encoder import MODELS, load_engine, unreadable
from agent.errors import BackendError
from agent.words import echoes, orders_a_machine, plain

Turn = tuple[str, str] | Mapping[str, str]
OUTPUTS: Final = ["tags", "presence", "overall"]
NOWHERE: Final = 1  # the overall score of a reply without a single token


class LocalCritic:
    """Reads a reply with the model in `folder`. Safe to share between threads.

    Raises BackendError, at the first `read`, when the model's files cannot be used.
    """

    def __init__(self, folder: Path = MODELS / "moves_v2") -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any, decode.Decoding] | None = None

    @property
    def name(self) -> str:
        """The model's name and version; a critique keeps it."""
        return self._folder.name

    def read(self, history: Sequence[Turn], reply: str) -> Reading:
        """Return what the model claims about `reply`, the same for the same input.

        `history`: the turns before it, oldest first, as (who, text) or {"who", "text"}, where who
        is "counterpart" or "learner". Raises BackendError when the engine fails.
        """
        numbers = self._engine()[2]
        raw = self.raw(history, reply)
        if raw is None:
            return Reading(overall=NOWHERE)
        found, overall = decode.decode(reply, raw, numbers)
        heard = [plain(text) for who, text in map(pair, history) if who == "counterpart"]
        claims = tuple(
            Claim(
                move=f.move,
                words=reply[f.start : f.end],
                start=f.start,
                confidence=f.confidence,
                sure=f.sure,
            )
            for f in found
            if not echoes(words := reply[f.start : f.end], heard) and not orders_a_machine(words)
        )
        return Reading(claims=claims, overall=overall)

    def differing(self) -> tuple[int, int]:
        """Return how many of the model's golden replies it reads otherwise, and of how many.

        Raises BackendError when the model or its golden outputs cannot be used.
        """
        file = self._folder / "golden.json"
        try:
            rows = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise unreadable(file, error) from error
        pairs = [(self.read(r["history"], r["reply"]), Reading(**r["reading"])) for r in rows]
        return sum(_shape(ours) != _shape(theirs) for ours, theirs in pairs), len(rows)

    def raw(self, history: Sequence[Turn], reply: str) -> decode.Raw | None:
        """Return the model's logits for a reply, or None when it has no token."""
        tokenizer, session, _ = self._engine()
        tokens = windows.tokenize(tokenizer, [pair(turn) for turn in history], reply)
        if not len(tokens.ids):
            return None
        parts = []
        for span in windows.spans(reply, tokens):
            ids, segments, begin = windows.window_ids(tokens, span)
            tags, presence, overall = self._run(session, ids, segments)
            parts.append((span, tags[begin:-1], presence, overall))
        return decode.merged(tokens.offsets, parts)

    @staticmethod
    def _run(session: Any, ids: windows.Ints, segments: windows.Ints) -> list[decode.Floats]:
        feeds = {
            "input_ids": ids[None],
            "attention_mask": np.ones_like(ids)[None],
            "token_type_ids": segments[None],
        }
        try:
            return [output[0] for output in session.run(OUTPUTS, feeds)]
        except Exception as error:  # onnxruntime has no common base for what it raises
            raise BackendError(
                f"The local critic failed: {error}. Your reply was kept and changed nothing. "
                "Send it again; if it fails again, install the project anew."
            ) from error

    def _engine(self) -> tuple[Any, Any, decode.Decoding]:
        with self._lock:
            if self._loaded is None:
                config = self._config()
                tokenizer, session = load_engine(self._folder, config["sha256"])
                self._loaded = (tokenizer, session, decode.Decoding.from_config(config))
            return self._loaded

    def _config(self) -> dict[str, Any]:
        try:
            config: dict[str, Any] = json.loads((self._folder / "config.json").read_text("utf-8"))
            decode.Decoding.from_config(config)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise unreadable(self._folder, error) from error
        return config


def _shape(reading: Reading) -> list[Any]:
    """Return what must be equal to the letter; confidences differ between processors."""
    return [reading.overall, *((c.move, c.words, c.start, c.sure) for c in reading.claims)]


def pair(turn: Turn) -> tuple[str, str]:
    """Return a turn as (who, text)."""
    if isinstance(turn, Mapping):
        return turn["who"], turn["text"]
    return turn


@cache
def default_critic() -> LocalCritic:
    """Return the critic that the whole process shares."""
    return LocalCritic()
