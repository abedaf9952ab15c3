"""One built index: vectors in Chroma, words and sources in SQLite beside it. Written once.

An index is a folder that is never changed after it is complete; `library.Library` decides which
one is current. Searched are entries: each passage with its heading, and each written question
that a passage answers. The vectors of sentences and of all else that was encoded are kept by text
in SQLite, so that an answer need not encode them, nor the next build.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import LibraryError, NotFound
from knowledge.passages import Passage, Span
from knowledge.sources import Asked, Page, Source
from knowledge.vectors import Encoder, Vectors
from knowledge.words import TOKENIZER, match_query

FORMAT = 1  # of the folder, and of how a text becomes passages
COLLECTION = "passages"
REBUILD = "Run `rehearsal index` to build it again; conversations are not touched."

SCHEMA = f"""
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE sources (id TEXT PRIMARY KEY, title TEXT NOT NULL, sha256 TEXT NOT NULL,
  added_at TEXT NOT NULL, text TEXT NOT NULL, extra TEXT NOT NULL);
CREATE TABLE passages (number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, source TEXT NOT NULL
  REFERENCES sources (id), heading TEXT NOT NULL, text TEXT NOT NULL, start INTEGER NOT NULL,
  "end" INTEGER NOT NULL, kind TEXT NOT NULL, sentences TEXT NOT NULL);
CREATE INDEX passages_by_place ON passages (source, start);
CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE vocabulary (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (text, content='', tokenize='{TOKENIZER}');
CREATE VIRTUAL TABLE terms USING fts5vocab (words, 'row');
"""
_SOURCES = """SELECT id, title, sha256, added_at,
  (SELECT count(*) FROM passages WHERE passages.source = sources.id) FROM sources ORDER BY rowid"""
_PASSAGE = 'SELECT id, source, heading, text, start, "end", kind, sentences FROM passages'


def connect(folder: Path, *, write: bool = False) -> sqlite3.Connection:
    """Open the words of an index. Raises sqlite3.Error."""
    mode = "rwc" if write else "ro"
    uri = f"{(folder / 'words.sqlite3').resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def chroma(folder: Path) -> Any:
    """Open the vectors of an index; no default model, nothing sent anywhere."""
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    return chromadb.PersistentClient(path=str((folder / "chroma").resolve()), settings=settings)


def key_of(text: str) -> bytes:
    """Return the key under which the vector of a text is kept."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]


def engine_of(encoder: Encoder) -> dict[str, str]:
    """Return what must be equal for two indexes' vectors to compare."""
    return {
        "format": str(FORMAT),
        "model": encoder.model_id,
        "sha256": encoder.sha256,
        "dimension": str(encoder.dimension),
    }


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source as an index knows it; `added_at` is an ISO time in UTC."""

    id: str
    title: str
    sha256: str
    added_at: str
    passages: int


class Index:
    """A complete index, open for reading. Safe to use from several threads."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Open the index. Raises LibraryError when it is damaged or of another encoder."""
        self.name = folder.name
        self._lock = threading.RLock()
        self._client: Any = None
        self._db: sqlite3.Connection | None = None
        try:
            self._db = connect(folder)
            self.about = dict(self._db.execute("SELECT key, value FROM about"))
            self._client = chroma(folder)
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
        except Exception as error:  # Chroma raises its own kinds, and bare ones from Rust
            self.close()
            message = f"The index in {folder} cannot be read ({error}). {REBUILD}"
            raise LibraryError(message) from error
        self._refuse_another(encoder)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            if self._db is not None:
                self._db.close()
            self._client = self._db = None

    def nearest(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return the k passages nearest to a vector with their cosine, best first."""
        with self._lock:
            if self._client is None:
                raise LibraryError("The index was closed while it was being read. Try again.")
            wanted = min(4 * k + 20, self._collection.count())
            if not wanted:
                return []
            found = self._collection.query(
                query_embeddings=[vector.tolist()], n_results=wanted, include=["distances"]
            )
        best: dict[str, float] = {}
        for entry, distance in zip(found["ids"][0], found["distances"][0], strict=True):
            best.setdefault(entry.split("?")[0], 1.0 - float(distance))
        return list(best.items())[:k]

    def matching(self, text: str, k: int) -> list[tuple[str, float]]:
        """Return the k passages that share words with a text, with their BM25, best first."""
        query = match_query(text)
        if not query:
            return []
        rows = self._rows(
            "SELECT p.id, -bm25(words) AS score FROM words JOIN passages p ON p.number = "
            "words.rowid WHERE words MATCH ? ORDER BY score DESC, p.number LIMIT ?",
            (query, k),
        )
        return [(str(row[0]), float(row[1])) for row in rows]

    def passage(self, name: str) -> Passage:
        """Return a passage by its id. Raises NotFound."""
        rows = self._rows(f"{_PASSAGE} WHERE id = ?", (name,))
        if not rows:
            raise NotFound(f"There is no passage {name!r} in the material.")
        return _passage(rows[0])

    def passages_at(self, source: str, span: Span) -> list[Passage]:
        """Return the passages of a source that share characters with a span, in their order."""
        where = 'WHERE source = ? AND start < ? AND "end" > ? ORDER BY start'
        rows = self._rows(f"{_PASSAGE} {where}", (source, span.end, span.start))
        return [_passage(row) for row in rows]

    def sources(self) -> list[Source]:
        """Return the sources in the order they were given."""
        rows = self._rows("SELECT id, title, text, added_at, extra FROM sources ORDER BY rowid")
        return [_source(*row) for row in rows]

    def titles(self) -> list[SourceStatus]:
        """Return what is known of the sources, without their texts, in the order given."""
        return [SourceStatus(*row) for row in self._rows(_SOURCES)]

    def words_at(self, source: str, span: Span) -> str | None:
        """Return the characters of a stored source at a span; None for an unknown source."""
        query = "SELECT substr(text, ?, ?) FROM sources WHERE id = ?"
        rows = self._rows(query, (span.start + 1, span.end - span.start, source))
        return str(rows[0][0]) if rows else None

    def passage_count(self) -> int:
        """Return the number of passages."""
        return int(self._rows("SELECT count(*) FROM passages")[0][0])

    def document_count(self, term: str) -> int:
        """Return in how many passages a stem occurs."""
        rows = self._rows("SELECT doc FROM terms WHERE term = ?", (term,))
        return int(rows[0][0]) if rows else 0

    def vocabulary(self) -> frozenset[str]:
        """Return every word of the material and its written questions, in lower case."""
        return frozenset(row[0] for row in self._rows("SELECT word FROM vocabulary"))

    def vectors(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors of those texts that were encoded for this index."""
        found = {}
        for text in texts:
            rows = self._rows("SELECT vector FROM vectors WHERE key = ?", (key_of(text),))
            if rows:
                found[text] = np.frombuffer(rows[0][0], dtype=np.float16).astype(np.float32)
        return found

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            if self._db is None:
                raise LibraryError("The index was closed while it was being read. Try again.")
            return self._db.execute(query, values).fetchall()

    def _refuse_another(self, encoder: Encoder) -> None:
        expected = engine_of(encoder)
        found = dict(self._collection.metadata or {})
        wrong = [k for k, v in expected.items() if found.get(k) != v or self.about.get(k) != v]
        if wrong:
            self.close()
            raise LibraryError(
                f"The index was built with {found.get('model')} (format {found.get('format')}) "
                f"and this is {encoder.model_id} (format {FORMAT}): {', '.join(wrong)} differ, so "
                f"the vectors do not compare. The index was left as it is. {REBUILD}"
            )


def read_about(folder: Path) -> tuple[dict[str, str], tuple[SourceStatus, ...], int]:
    """Return what an index says of itself, its sources and its number of passages.

    Loads no vectors and not Chroma. Raises sqlite3.Error.
    """
    with closing(connect(folder)) as db:
        about = dict(db.execute("SELECT key, value FROM about"))
        held = tuple(SourceStatus(*row) for row in db.execute(_SOURCES))
        (count,) = db.execute("SELECT count(*) FROM passages").fetchone()
    return about, held, int(count)


def extra_of(source: Source) -> str:
    """Return the written questions and the pages of a source as JSON."""
    asked = [[a.question, *([s.start, s.end] for s in a.spans)] for a in source.asked]
    pages = [[page.start, page.name] for page in source.pages]
    return json.dumps({"asked": asked, "not_said": source.not_said, "pages": pages})


def _source(name: str, title: str, text: str, added_at: str, extra: str) -> Source:
    more = json.loads(extra)
    asked = tuple(Asked(q, tuple(_spans(pairs))) for q, *pairs in more["asked"])
    pages = tuple(Page(*pair) for pair in more.get("pages", ()))
    return Source(name, title, text, added_at, asked, tuple(more["not_said"]), pages)


def _passage(row: tuple[Any, ...]) -> Passage:
    id_, source, heading, text, start, end, kind, spans = row
    found = tuple(_spans(json.loads(spans)))
    return Passage(id_, source, heading, text, start, end, kind, found)


def _spans(pairs: Sequence[Sequence[int]]) -> Iterator[Span]:
    return (Span(start, end) for start, end in pairs)
