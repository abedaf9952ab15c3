"""The labelled replies as training examples, and their grouped folds."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from agent import windows
from agent.domain import Move
from evals.train.augment import Example, Span
from evals.train.base import ROOT, wheel_file

CASES = ROOT / "evals" / "cases" / "replies"
MOVES = tuple(move.value for move in Move)
# How many of a set are contrast pairs, its first ones; of E and F all.
PAIRED = {"G1": 120, "G2": 120, "G3": 120, "G6": 80, "I2": 120, "I3": 120}


@dataclass(frozen=True)
class Window:
    """One window of one reply with its targets: `tags` (t, 20) 0/1 for the reply's tokens."""

    case: int
    span: tuple[int, int]
    ids: np.ndarray
    segments: np.ndarray
    begin: int
    tags: np.ndarray


def load_cases(folder: Path = CASES) -> list[dict[str, Any]]:
    """Return all labelled replies, in the order of the sorted files."""
    files = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def load_tokenizer() -> Tokenizer:
    """Return the base model's tokenizer without truncation or padding."""
    tokenizer = Tokenizer.from_str(wheel_file("tokenizer.json").decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def turns(case: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a case's history as (who, text) pairs."""
    return [(turn["who"], turn["text"]) for turn in case["history"]]


def tags_of(spans: Sequence[Span], offsets: np.ndarray) -> np.ndarray:
    """Return (t, 20) of 0/1: which tokens stand in a quote of which move."""
    tags = np.zeros((len(offsets), len(MOVES)), dtype=np.float32)
    for move, start, end in spans:
        inside = (offsets[:, 0] < end) & (offsets[:, 1] > start)
        tags[inside, MOVES.index(move)] = 1
    return tags


def windows_of(tokenizer: Tokenizer, example: Example, index: int) -> list[Window]:
    """Return the windows of one example with their token targets."""
    tokens = windows.tokenize(tokenizer, example.history, example.reply)
    tags = tags_of(example.spans, tokens.offsets)
    made = []
    for span in windows.spans(example.reply, tokens):
        ids, segments, begin = windows.window_ids(tokens, span)
        made.append(Window(index, span, ids, segments, begin, tags[span[0] : span[1]]))
    return made


def is_paired(case: dict[str, Any]) -> bool:
    """Tell whether a case is one of a contrast pair: two replies to the same words."""
    name, number = case["id"].split("-")
    return name in "EF" or int(number) <= PAIRED.get(name, 0)


def share_of(case: dict[str, Any]) -> float:
    """Return a number from 0 to 1 by which a case's group is drawn into smaller sets."""
    return int(hashlib.sha256(group_of(case).encode()).hexdigest()[:8], 16) / 16**8


def group_of(case: dict[str, Any]) -> str:
    """Return what must stay on one side of a split: the scenario, or a free item's own history."""
    if case["scenario"] != "free":
        return str(case["scenario"])
    return "free:" + hashlib.sha256(json.dumps(case["history"]).encode()).hexdigest()[:16]


def folds_of(cases: list[dict[str, Any]], count: int = 3) -> np.ndarray:
    """Return each case's fold: groups, largest first, each to the fold that is smallest so far."""
    sizes: dict[str, int] = {}
    for case in cases:
        sizes[group_of(case)] = sizes.get(group_of(case), 0) + 1
    order = sorted(sizes, key=lambda g: (-sizes[g], hashlib.sha256(g.encode()).hexdigest()))
    filled, fold = [0] * count, {}
    for group in order:
        fold[group] = filled.index(min(filled))
        filled[fold[group]] += sizes[group]
    return np.array([fold[group_of(case)] for case in cases])
