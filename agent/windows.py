"""How a reply and what came before it become the token windows that the local critic reads.

Used unchanged by training and by the product, so that the two cannot differ. A reply that does
not fit one window is read in overlapping windows that begin and end at sentence bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_TOKENS = 320  # one window: [CLS] history [SEP] reply [SEP]
MAX_HISTORY = 72  # tokens kept of the history, the last ones
MAX_TURNS = 3  # turns kept of the history, the last ones
OVERLAP = 64  # tokens that two windows share at most
SENTENCE_ENDS = frozenset(".!?…\n")
CLS, SEP = 101, 102  # of the BERT vocabulary
NAMES = {"counterpart": "they", "learner": "me"}

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tokens:
    """A reply in tokens: `ids` (t,), and `offsets` (t, 2) into the reply's characters."""

    history: tuple[int, ...]
    ids: Ints
    offsets: Ints


def history_text(history: Sequence[tuple[str, str]]) -> str:
    """Return the last turns as one line: `they: … me: … they: …`."""
    return " ".join(f"{NAMES.get(who, who)}: {text}" for who, text in history[-MAX_TURNS:])


def tokenize(tokenizer: Any, history: Sequence[tuple[str, str]], reply: str) -> Tokens:
    """Return the tokens of a reply and of its history (`tokenizer` is a `tokenizers.Tokenizer`)."""
    before = tokenizer.encode(history_text(history), add_special_tokens=False).ids
    encoded = tokenizer.encode(reply, add_special_tokens=False)
    return Tokens(
        history=tuple(before[-MAX_HISTORY:]),
        ids=np.array(encoded.ids, dtype=np.int64),
        offsets=np.array(encoded.offsets, dtype=np.int64).reshape(-1, 2),
    )


def sentence_starts(reply: str, offsets: Ints) -> list[int]:
    """Return the indices of the tokens that begin a sentence, the first token included."""
    starts = [0]
    for index in range(1, len(offsets)):
        between = reply[offsets[index - 1][0] : offsets[index][0]]
        if any(mark in SENTENCE_ENDS for mark in between) and not _is_end(reply, offsets[index]):
            starts.append(index)
    return starts


def _is_end(reply: str, offset: Ints) -> bool:
    return reply[offset[0] : offset[1]] in SENTENCE_ENDS


def spans(reply: str, tokens: Tokens) -> list[tuple[int, int]]:
    """Return the windows over the reply's tokens, as (first, after last); one when all fit."""
    room = MAX_TOKENS - 3 - len(tokens.history)
    total = len(tokens.ids)
    starts = sentence_starts(reply, tokens.offsets)
    windows: list[tuple[int, int]] = []
    first = 0
    while first + room < total:
        middle = first + room // 2
        last = max((s for s in starts if middle < s <= first + room), default=first + room)
        windows.append((first, last))
        first = min((s for s in starts if last - OVERLAP <= s <= last), default=last - OVERLAP)
    return [*windows, (first, total)]


def window_ids(tokens: Tokens, span: tuple[int, int]) -> tuple[Ints, Ints, int]:
    """Return a window's token ids, its segment ids, and where the reply begins in it."""
    part = tokens.ids[span[0] : span[1]]
    head = [CLS, *tokens.history, SEP]
    ids = np.concatenate([np.array(head, dtype=np.int64), part, np.array([SEP], dtype=np.int64)])
    segments = np.zeros(len(ids), dtype=np.int64)
    segments[len(head) :] = 1
    return ids, segments, len(head)
