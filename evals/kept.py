"""A critic whose readings are kept in a file, so that a run goes on where it was broken off.

A reading is kept under the critic's name (the model and the hash of its prompt) and what was read:
another model or another prompt is read anew. An answer that failed is not kept.
"""

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from agent.domain import Reading, Usage
from agent.errors import BackendError, KeyRefused, LimitReached, NoModel
from agent.local_critic import Turn, pair
from agent.session import Critic

Read = tuple[Sequence[Turn], str]  # a history and the reply to it
_Asked = TypeVar("_Asked")
_Told = TypeVar("_Told")
STOPS = (KeyRefused, LimitReached, NoModel)  # what fails once fails every time


class KeptCritic:
    """Reads with a critic what it has not read before. Safe to share between threads.

    `failures` holds, for each reply that could not be read, why.
    """

    def __init__(self, critic: Critic, folder: Path) -> None:
        self._critic, self.name = critic, critic.name
        self._file = folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', self.name)}.jsonl"
        self._lock = threading.Lock()
        self._kept = dict(stored(self._file))
        self.asked = 0
        self.waited = 0.0
        self.failures: dict[str, str] = {}

    def read(self, history: Sequence[Turn], reply: str) -> Reading:
        """Return the kept reading, or read and keep it. Raises BackendError."""
        key = self.key(history, reply)
        if key not in self._kept:
            reading = self._critic.read([pair(turn) for turn in history], reply)
            self._keep(key, reading)
        return self._kept[key]

    def read_all(
        self, reads: Iterable[Read], workers: int, progress: Callable[[int, int], None]
    ) -> None:
        """Read, several at a time, what has not been read; raise what would stop every one."""
        missing = {self.key(*read): read for read in reads if not self.has(*read)}
        began = time.perf_counter()
        side_by_side(self._try, list(missing.items()), workers, progress)
        self.waited += time.perf_counter() - began

    def has(self, history: Sequence[Turn], reply: str) -> bool:
        """Tell whether a reading is kept."""
        return self.key(history, reply) in self._kept

    def key(self, history: Sequence[Turn], reply: str) -> str:
        """Return what a reading is kept under."""
        read = [self.name, [pair(turn) for turn in history], reply]
        return sha256(json.dumps(read).encode()).hexdigest()

    def used(self, reads: Iterable[Read], price_in: float, price_out: float) -> dict[str, Any]:
        """Return what these readings took, whenever they were made; money for a million tokens."""
        keys = {key for read in reads if (key := self.key(*read)) in self._kept}
        usages = [usage for key in keys if (usage := self._kept[key].usage)]
        return {
            "n": len(keys),
            "asked": self.asked,
            "failed": len(self.failures),
            "waited": round(self.waited, 1),
            **taken(usages, price_in, price_out),
        }

    def _try(self, item: tuple[str, Read]) -> None:
        key, read = item
        try:
            self.read(*read)
        except STOPS:
            raise
        except BackendError as error:
            self.failures[key] = f"{type(error).__name__}: {error}"

    def _keep(self, key: str, reading: Reading) -> None:
        line = json.dumps({"key": key, "reading": reading.model_dump(mode="json")})
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"\n{line}")  # a newline before: a killed run may have left half a line
            self._kept[key] = reading
            self.asked += 1


def side_by_side(
    ask: Callable[[_Asked], _Told],
    asked: Sequence[_Asked],
    workers: int,
    progress: Callable[[int, int], None],
) -> list[_Told]:
    """Ask several at a time and return what was told, in order; what one raises stops the rest."""
    told: list[_Told] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for one in pool.map(ask, asked):
                told.append(one)
                progress(len(told), len(asked))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return told


def counting(done_so_far: str) -> Callable[[int, int], None]:
    """Return what shows how far a run has come, on a terminal only: "read 3 of 9"."""

    def progress(done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == of else ""
            print(f"\r{done_so_far} {done} of {of}", end=end, file=sys.stderr, flush=True)

    return progress


def print_used(used: Mapping[str, Any], one: str, many: str, now: str) -> None:
    """Print what the answers of a model took; `one` and `many` name them, `now` those asked now."""
    print(
        f"used    {used['tokens_in']:,} tokens in, {used['tokens_out']:,} out, cost "
        f"{used['cost']:.4f} for {used['n']} {many}{now.format(asked=used['asked'])} in "
        f"{used['waited']:.1f} s"
    )
    if used["n"]:
        print(f"{one} p50 {used['seconds']['p50']:.2f} s  p95 {used['seconds']['p95']:.2f} s")
    if used["failed"]:
        print(f"{used['failed']} {many} failed and are in no figure; run it again to try them.")


def taken(usages: Sequence[Usage], price_in: float, price_out: float) -> dict[str, Any]:
    """Return what answers took in all, and how long one did; money for a million tokens."""
    tokens_in = sum(usage.tokens_in or 0 for usage in usages)
    tokens_out = sum(usage.tokens_out or 0 for usage in usages)
    seconds = sorted(usage.seconds for usage in usages)
    return {
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "seconds": {"p50": _at(seconds, 0.5), "p95": _at(seconds, 0.95)},
        "cost": (tokens_in * price_in + tokens_out * price_out) / 1e6,
    }


def _at(values: Sequence[float], share: float) -> float | None:
    """Return the value under which that share of the sorted values lies; None of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def stored(file: Path) -> Iterable[tuple[str, Reading]]:
    """Give the readings of a file; a line that a killed run left unfinished is passed over."""
    if not file.exists():
        return
    for line in file.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
            yield row["key"], Reading.model_validate(row["reading"])
        except (ValueError, KeyError, TypeError):
            continue
