"""Writing an index into an empty folder: passages, words, vectors, in batches."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.index import COLLECTION, SCHEMA, chroma, connect, engine_of, extra_of, key_of
from knowledge.passages import Passage, passages
from knowledge.sources import Asked, Source
from knowledge.vectors import Encoder, Vectors
from knowledge.words import words

BATCH = 128  # entries encoded and added at once; Chroma takes 5,461 at most

Progress = Callable[[int, int], None]  # entries done, entries in all
Known = Callable[[Sequence[str]], dict[str, Vectors]]  # the vectors of texts encoded before


@dataclass(frozen=True, slots=True)
class Entry:
    """What is searched for a passage, and what else is encoded with it."""

    id: str
    text: str
    beside: tuple[str, ...] = ()


def write_index(
    folder: Path,
    sources: Sequence[Source],
    encoder: Encoder,
    known: Known,
    progress: Progress | None = None,
) -> None:
    """Write a new index. Raises OSError, sqlite3.Error, and what the encoder raises."""
    entries: list[Entry] = []
    about = {**engine_of(encoder), "built_at": datetime.now(UTC).isoformat(timespec="seconds")}
    client = chroma(folder)
    try:
        with closing(connect(folder, write=True)) as db:
            db.executescript(SCHEMA)
            for source in sources:
                entries += _write_source(db, source)
            db.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            collection = _collection(client, encoder)
            for done in _write_vectors(db, collection, entries, encoder, known):
                if progress:
                    progress(done, len(entries))
            db.commit()
    finally:
        client.close()


def sentence_texts(passage: Passage) -> list[str]:
    """Return what is encoded for each sentence: its words, in a list after its heading."""
    return [f"{passage.heading} {passage.sentence(s)}".strip() for s in passage.sentences]


def _collection(client: Any, encoder: Encoder) -> Any:
    return client.create_collection(
        COLLECTION,
        embedding_function=None,
        metadata=engine_of(encoder),
        configuration={"hnsw": {"space": "cosine"}},
    )


def _write_source(db: sqlite3.Connection, source: Source) -> list[Entry]:
    row = (source.id, source.title, source.sha256, source.added_at, source.text, extra_of(source))
    db.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?)", row)
    found = passages(source.text, source.id)
    for passage in found:
        _write_passage(db, passage)
    _write_vocabulary(db, (a.question for a in source.asked))
    entries = [Entry(p.id, f"{p.heading} {p.text}".strip(), _beside(p)) for p in found]
    entries += _asked_entries(found, source.asked)
    if entries:  # questions that no passage answers are encoded, but never found
        entries[-1] = Entry(entries[-1].id, entries[-1].text, entries[-1].beside + source.not_said)
    return entries


def _beside(passage: Passage) -> tuple[str, ...]:
    return tuple(sentence_texts(passage))


def _asked_entries(found: Sequence[Passage], asked: Iterable[Asked]) -> Iterator[Entry]:
    """Give an entry for each passage that a written question is answered in."""
    for number, question in enumerate(asked):
        starts = [span.start for span in question.spans]
        holders = [p for p in found if any(p.start <= start < p.end for start in starts)]
        yield from (Entry(f"{p.id}?{number}", question.question) for p in holders)


def _write_passage(db: sqlite3.Connection, p: Passage) -> None:
    spans = json.dumps([(s.start, s.end) for s in p.sentences])
    cursor = db.execute(
        "INSERT INTO passages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
        (p.id, p.source, p.heading, p.text, p.start, p.end, p.kind, spans),
    )
    text = f"{p.heading} {p.text}"
    db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (cursor.lastrowid, text))
    _write_vocabulary(db, [text])


def _write_vocabulary(db: sqlite3.Connection, texts: Iterable[str]) -> None:
    rows = ((word,) for text in texts for word in words(text))
    db.executemany("INSERT OR IGNORE INTO vocabulary VALUES (?)", rows)


def _write_vectors(
    db: sqlite3.Connection,
    collection: Any,
    entries: Sequence[Entry],
    encoder: Encoder,
    known: Known,
) -> Iterator[int]:
    """Encode and store in batches; give the number of entries done after each."""
    done = 0
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        texts = list(dict.fromkeys(t for e in batch for t in (e.text, *e.beside)))
        vectors = _encode(texts, encoder, known)
        rows = [(key_of(t), v.astype(np.float16).tobytes()) for t, v in vectors.items()]
        db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
        matrix = np.stack([vectors[e.text] for e in batch])
        collection.add(ids=[e.id for e in batch], embeddings=matrix)
        done += len(batch)
        yield done


def _encode(texts: list[str], encoder: Encoder, known: Known) -> dict[str, Vectors]:
    """Return the vectors, rounded to half precision as they are kept: old and new are equal."""
    vectors = known(texts)
    new = [text for text in texts if text not in vectors]
    if new:
        fresh = encoder.encode(new).astype(np.float16).astype(np.float32)
        vectors.update(zip(new, fresh, strict=True))
    return vectors
