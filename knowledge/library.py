"""The library: build an index, switch to it at once, search it.

    <folder>/writer.lock     held by the one process that writes
    <folder>/current         the name of the index in use; replaced in one step
    <folder>/indexes/<name>  indexes, each written once (see index.py)

A build that stops half-way leaves a folder that `current` does not name; the next build or open
removes it. Readers look at `current` before each search and reopen when it has changed, because
Chroma does not show another process's writes to a client that is already open. The index before
the current one is kept for readers in the middle of a search.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from agent.errors import IndexBusy, LibraryError, SourceError
from knowledge.build import Known, Progress, write_index
from knowledge.index import FORMAT, REBUILD, Index, SourceStatus, read_about
from knowledge.passages import Passage
from knowledge.shipped import shipped
from knowledge.sources import Source
from knowledge.vectors import Encoder

How = Literal["fused", "words", "vectors"]

RANK_CONSTANT = 60  # of reciprocal rank fusion; Cormack, Clarke and Büttcher 2009
DEPTH = 50  # passages of each list that are fused


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found. `score` orders the hits of one search and compares with no other search.

    `cosine` and `bm25` are None where that search did not find the passage.
    """

    passage: Passage
    score: float
    cosine: float | None = None
    bm25: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Whether there is an index and whether it is of these sources and this encoder."""

    exists: bool
    stale: bool = True
    why_stale: str = "there is no index"
    passages: int = 0
    model: str = ""
    built_at: str = ""
    sources: tuple[SourceStatus, ...] = ()

    def and_of(self, other: "Status") -> "Status":
        """Return the status of this index and another one together; `exists` is of this one."""
        return replace(
            self,
            stale=self.stale or other.stale,
            why_stale=self.why_stale or other.why_stale,
            passages=self.passages + other.passages,
            sources=self.sources + other.sources,
        )


class Library:
    """The indexed material in one folder. Readers may be many; a second writer gets IndexBusy."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Name the folder; nothing is read or created yet."""
        self.folder, self.encoder = Path(folder), encoder
        self._open: Index | None = None
        self._lock = threading.RLock()

    @classmethod
    def open_or_build(
        cls,
        folder: Path,
        encoder: Encoder,
        sources: Sequence[Source],
        progress: Progress | None = None,
    ) -> Self:
        """Return the library, built first when it is missing or stale.

        Raises IndexBusy when it has to be built and another process is doing so.
        """
        library = cls(folder, encoder)
        if library.status(sources).stale:
            library.build(sources, progress)
        return library

    def build(self, sources: Sequence[Source], progress: Progress | None = None) -> None:
        """Build an index of these sources and switch to it; until then the old one is whole.

        Vectors of texts that have not changed are taken over. Raises IndexBusy when another
        process is writing, SourceError when a source cannot be taken, LibraryError.
        """
        with self.writing():
            self.write(sources, progress)

    def write(self, sources: Sequence[Source], progress: Progress | None = None) -> None:
        """Do what `build` does, inside `writing`."""
        check_sources(sources)
        self._clean()
        folder = self.folder / "indexes" / secrets.token_hex(6)
        try:
            folder.mkdir(parents=True)
            write_index(folder, sources, self.encoder, self._known(), progress)
            self._switch(folder.name)
        except (OSError, sqlite3.Error) as error:
            shutil.rmtree(folder, ignore_errors=True)
            message = f"The index could not be written ({error}). The old one is unchanged."
            raise LibraryError(message) from error

    def add(self, source: Source, progress: Progress | None = None) -> None:
        """Put a source into the library, in place of one with the same id. Raises LibraryError."""
        others = [s for s in self.sources() if s.id != source.id]
        self.build([*others, source], progress)

    def remove(self, name: str, progress: Progress | None = None) -> None:
        """Take a source out of the library. Raises LibraryError."""
        self.build([s for s in self.sources() if s.id != name], progress)

    def close(self) -> None:
        """Let go of the files; the next search opens them again."""
        with self._lock:
            if self._open:
                self._open.close()
            self._open = None

    def search(self, query: str, k: int = 10, how: How = "fused") -> list[Hit]:
        """Return up to k passages for a query, best first. Raises LibraryError without an index."""
        vector = self.encoder.encode([query])[0] if how != "words" else None
        with self._lock:
            index = self.index()
            depth = max(k, DEPTH)
            near = dict(index.nearest(vector, depth)) if vector is not None else {}
            same = dict(index.matching(query, depth)) if how != "vectors" else {}
            scores = {"fused": fuse(list(near), list(same)), "words": same, "vectors": near}[how]
            best = sorted(scores.items(), key=lambda item: -item[1])[:k]
            return [Hit(index.passage(n), s, near.get(n), same.get(n)) for n, s in best]

    def passage(self, name: str) -> Passage:
        """Return a passage by its id. Raises NotFound."""
        with self._lock:
            return self.index().passage(name)

    def sources(self) -> list[Source]:
        """Return the sources in the index; none without an index."""
        with self._lock:
            return self.index().sources() if self.current() else []

    def index(self) -> Index:
        """Return the current index, reopened when another process switched to a new one.

        Raises LibraryError when there is none, or it is damaged or of another encoder.
        """
        name = self.current()
        if name is None:
            raise LibraryError(f"There is no index in {self.folder}. {REBUILD}")
        with self._lock:
            if self._open is None or self._open.name != name:
                self.close()
                self._open = Index(self.folder / "indexes" / name, self.encoder)
            return self._open

    def status(self, sources: Sequence[Source] | None = None) -> Status:
        """Tell what index there is; with `sources`, whether it is of just these. No vectors."""
        name = self.current()
        if name is None:
            return Status(exists=False)
        try:
            about, held, count = read_about(self.folder / "indexes" / name)
        except sqlite3.Error:
            return Status(exists=True, why_stale="the index cannot be read")
        why = self._why_stale(about, held, sources)
        model, built_at = about.get("model", ""), about.get("built_at", "")
        return Status(True, bool(why), why, count, model, built_at, held)

    def _why_stale(
        self,
        about: dict[str, str],
        held: tuple[SourceStatus, ...],
        sources: Sequence[Source] | None,
    ) -> str:
        if about.get("format") != str(FORMAT):
            return "the index has an older format"
        if about.get("sha256") != self.encoder.sha256:
            return "the sentence encoder has changed"
        now = {s.id: s.sha256 for s in sources or ()}
        if sources is not None and {s.id: s.sha256 for s in held} != now:
            return "the sources have changed"
        return ""

    def current(self) -> str | None:
        """Return the name of the index in use, readable or not; None without one."""
        try:
            return (self.folder / "current").read_text("ascii").split()[0]
        except (FileNotFoundError, IndexError):
            return None

    def _known(self) -> Known:
        """Return the look-up of vectors that need not be encoded: shipped, or in this index."""
        try:
            own = self.index().vectors
        except LibraryError:
            return lambda texts: shipped(self.encoder, texts)
        return lambda texts: shipped(self.encoder, texts) | own(texts)

    def _switch(self, name: str) -> None:
        """Make an index the current one in one step, and keep the name of the one before."""
        new = self.folder / "current.new"
        with new.open("w", encoding="ascii") as file:
            file.write(f"{name}\n{self.current() or ''}\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / "current")

    def _clean(self) -> None:
        """Remove indexes that are neither current nor the one before; the lock must be held."""
        with contextlib.suppress(FileNotFoundError):
            kept = set((self.folder / "current").read_text("ascii").split())
            for folder in (self.folder / "indexes").iterdir():
                if folder.name not in kept:
                    shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer. Raises IndexBusy when another process or thread is."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / "writer.lock").open("a")
        except OSError as error:
            message = f"{self.folder} cannot be written ({error}). Nothing was changed."
            raise LibraryError(message) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise IndexBusy(
                    "Another process is building the index. The present one stays in use; "
                    "try again when that is done."
                ) from error
            yield


def check_sources(sources: Sequence[Source]) -> None:
    """Refuse sources that cannot be kept as they are. Raises SourceError."""
    if len({source.id for source in sources}) < len(sources):
        raise SourceError("Two sources have the same id. The index was not changed.")
    for source in sources:
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in source.text):
            raise SourceError(
                f"“{source.title}” holds characters that are not text (NUL or half a surrogate "
                "pair). The index was not changed. Save it as UTF-8 text and add it again."
            )


def fuse(*rankings: Sequence[str]) -> dict[str, float]:
    """Return the reciprocal rank fusion of rankings, each best first: sum of 1 / (60 + rank)."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] = scores.get(name, 0.0) + 1.0 / (RANK_CONSTANT + rank)
    return scores
