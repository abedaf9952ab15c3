"""The folder of a person's own documents: one JSON file each, put in place in one step."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.sources import Page, Source

READER = 1  # of what is read out of a file; another number reads files anew that are added again


class OwnDocument(BaseModel):
    """A document of one's own. `size` is of the file in bytes, `added_at` an ISO time in UTC.

    `pages` are offsets into the text with their names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str
    file: str
    size: int
    file_sha256: str
    added_at: str
    reader: int = READER
    remark: str = ""
    pages: tuple[tuple[int, str], ...] = ()
    text: str

    def source(self) -> Source:
        """Return the document as the library takes it."""
        pages = tuple(Page(start, name) for start, name in self.pages)
        return Source(self.id, self.title, self.text, self.added_at, pages=pages)


class Held(NamedTuple):
    """The documents in the order they were added, their sources, and those that cannot be read."""

    documents: tuple[OwnDocument, ...]
    sources: tuple[Source, ...]
    left_out: tuple[str, ...]


class Shelf:
    """The documents in a folder. It may not be there yet; whoever writes holds the lock."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is read or created yet."""
        self._folder = folder
        self._held: tuple[object, Held] | None = None

    def read(self) -> Held:
        """Return what the folder holds now. Raises nothing."""
        try:
            paths = sorted(p for p in self._folder.iterdir() if p.suffix == ".json")
            seen = [(p, p.stat().st_mtime_ns, p.stat().st_size) for p in paths]
        except OSError:
            paths, seen = [], []
        held = self._held
        if held is None or held[0] != seen:
            held = self._held = (seen, _load(paths))
        return held[1]

    def stage(self, documents: Iterable[OwnDocument]) -> dict[Path, Path]:
        """Write documents beside their places; return where each is to go. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        staged = {}
        for document in documents:
            path = self._path(document.id)
            new = path.with_suffix(".json.new")
            with new.open("w", encoding="utf-8") as file:
                file.write(document.model_dump_json())
                file.flush()
                os.fsync(file.fileno())
            staged[new] = path
        return staged

    def put(self, staged: Mapping[Path, Path]) -> None:
        """Put staged documents in their places, each in one step. Raises OSError."""
        for new, path in staged.items():
            new.replace(path)

    def remove(self, name: str) -> None:
        """Remove a document, if it is there. Raises OSError."""
        self._path(name).unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove what was staged and never put in place. Raises OSError."""
        if self._folder.is_dir():
            for path in self._folder.glob("*.json.new"):
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _load(paths: Iterable[Path]) -> Held:
    found, left_out = [], []
    for path in paths:
        try:
            document = OwnDocument.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            document = None
        if document is not None and document.id == path.stem:
            found.append(document)
        else:
            left_out.append(f"{path} cannot be read. Delete it and add the file again.")
    found.sort(key=lambda d: (d.added_at, d.id))
    return Held(tuple(found), tuple(d.source() for d in found), tuple(left_out))
