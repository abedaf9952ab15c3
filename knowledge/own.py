"""A person's own material: their documents in a folder, and the index built from them.

    <folder>/documents/<id>.json   one document as it was read, with what is known of its file
    <folder>/current, indexes/     the index of all of them (see library.py)

The documents are the record and the index follows from them: where the two differ, the index is
built again. A change is written beside the old documents, the index is built and switched to, and
then the documents are put in place, each in one step; whatever stops it half-way leaves what was.

Which document a file is: the same bytes are the same document, under whatever name; the same name
with other bytes is a new version, which keeps the id; anything else is new, with an id made of
its name.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from agent.errors import IndexBusy, InputError, LibraryError, NotFound, SourceError
from knowledge.blocks import in_one_line
from knowledge.documents import MAX_BYTES, NOT_ADDED, read_document
from knowledge.library import Library, Status
from knowledge.shelf import READER, Held, OwnDocument, Shelf
from knowledge.sources import ARTICLE, Source, now
from knowledge.vectors import Encoder

LONGEST_ID = 60

Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much
Done = Literal["added", "replaced", "same", "refused"]


@dataclass(frozen=True, slots=True)
class File:
    """A file to add: its name (a path below the folder it was found in), its size if known."""

    name: str
    read: Callable[[], bytes]
    size: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file. `says` is a remark, or why it was refused and what to do."""

    file: str
    done: Done
    id: str = ""
    title: str = ""
    says: str = ""


class OwnMaterial:
    """The documents of a folder and their index. One writer at a time; a second gets IndexBusy."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Name the folder; nothing is read or created yet."""
        self.library = Library(folder, encoder)
        self._shelf = Shelf(folder / "documents")

    def read(self) -> Held:
        """Return the documents there are now. Raises nothing."""
        return self._shelf.read()

    def status(self) -> Status:
        """Tell how the index of the documents is; without documents it is not stale."""
        sources = self.read().sources
        if not sources and self.library.current() is None:
            return Status(exists=False, stale=False, why_stale="")
        return self.library.status(sources)

    def ready(self, progress: Progress | None = None) -> Status:
        """Build the index where it is missing or stale.

        While another process does so, the index there is stays in use. Raises IndexBusy where
        there is none, LibraryError.
        """
        status = self.status()
        if not status.stale:
            return status
        try:
            with self.library.writing():
                self._index(self.read().sources, progress)
        except IndexBusy:
            if self.library.status().stale:
                raise
        return self.status()

    def add(
        self,
        files: Iterable[File],
        in_place_of: str | None = None,
        progress: Progress | None = None,
    ) -> tuple[Outcome, ...]:
        """Add files, or a new version of a document; a file that cannot be taken stops no other.

        Raises IndexBusy, NotFound for an unknown `in_place_of`, LibraryError where nothing could be
        written; then all is as it was.
        """
        with self.library.writing():
            plan = _Plan(self.read().documents, in_place_of)
            outcomes = tuple(plan.take(file, progress) for file in files)
            if plan.changed:
                self._commit(plan.documents, plan.changed, progress)
        return outcomes

    def remove(self, name: str, progress: Progress | None = None) -> OwnDocument:
        """Take a document out and return it.

        Raises InputError for the article, NotFound, IndexBusy, LibraryError.
        """
        if name == ARTICLE:
            raise InputError("The article comes with the app and cannot be removed.")
        with self.library.writing():
            documents = {d.id: d for d in self.read().documents}
            gone = _known(documents, name)
            self._commit({k: d for k, d in documents.items() if k != name}, [], progress)
            self._shelf.remove(name)
        return gone

    def _commit(
        self,
        documents: Mapping[str, OwnDocument],
        changed: Sequence[str],
        progress: Progress | None,
    ) -> None:
        """Build the index of the documents, then put those that changed in their places."""
        try:
            self._shelf.clean()
            staged = self._shelf.stage(documents[name] for name in changed)
            self._index([d.source() for d in documents.values()], progress)
            self._shelf.put(staged)
        except OSError as error:
            message = f"The documents could not be written ({error}). The old ones are unchanged."
            raise LibraryError(message) from error

    def _index(self, sources: Sequence[Source], progress: Progress | None) -> None:
        def told(done: int, of: int) -> None:
            if progress:
                progress("Indexing", done, of)

        self.library.write(sources, told)


class _Plan:
    """What the documents will be once some files are added."""

    def __init__(self, documents: Iterable[OwnDocument], in_place_of: str | None) -> None:
        self.documents = {d.id: d for d in documents}
        self.changed: list[str] = []
        self._in_place_of = in_place_of
        if in_place_of is not None:
            _known(self.documents, in_place_of)

    def take(self, file: File, progress: Progress | None) -> Outcome:
        """Read a file and say what becomes of it."""
        shown = in_one_line(file.name)[-200:] or "a file without a name"
        try:
            return self._take(shown, _bytes_of(file, shown), progress)
        except SourceError as error:
            return Outcome(shown, "refused", says=str(error))

    def _take(self, name: str, data: bytes, progress: Progress | None) -> Outcome:
        digest = hashlib.sha256(data).hexdigest()
        for held in self.documents.values():
            if held.file_sha256 == digest and held.reader == READER:
                says = f"{name} is the same file as “{held.title}”. Nothing was changed."
                return Outcome(name, "same", held.id, held.title, says)
        id_ = self._in_place_of or self._id_of(name)
        if id_ in self.changed:
            raise SourceError(
                f"{name}: another file of this name was added just before. {NOT_ADDED} Give one of "
                "them another name."
            )

        def told(done: int, of: int) -> None:
            if progress:
                progress(f"Reading {name}", done, of)

        read = read_document(name, data, told)
        done: Done = "replaced" if id_ in self.documents else "added"
        self.documents.pop(id_, None)
        self.documents[id_] = OwnDocument(
            id=id_,
            title=read.title,
            file=name,
            size=len(data),
            file_sha256=digest,
            added_at=now(),
            remark=read.remark,
            pages=tuple((page.start, page.name) for page in read.pages),
            text=read.text,
        )
        self.changed.append(id_)
        return Outcome(name, done, id_, read.title, read.remark)

    def _id_of(self, name: str) -> str:
        """Return the id of the document with this file name, or a new one made of it."""
        same = [d.id for d in self.documents.values() if _name_key(d.file) == _name_key(name)]
        if same:
            return same[0]
        plain = unicodedata.normalize("NFKD", PurePath(name).stem).encode("ascii", "ignore")
        slug = re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")[:LONGEST_ID]
        slug = slug.strip("-") or "document"
        taken, number, free = {ARTICLE, *self.documents}, 1, slug
        while free in taken:
            number += 1
            free = f"{slug}-{number}"
        return free


def _name_key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _known(documents: dict[str, OwnDocument], name: str) -> OwnDocument:
    if name not in documents:
        there = ", ".join(documents) or "none"
        raise NotFound(f"There is no document {name!r}. There are: {there}. Nothing was changed.")
    return documents[name]


def _bytes_of(file: File, shown: str) -> bytes:
    if file.size > MAX_BYTES:
        raise SourceError(
            f"{shown}: it has {file.size:,} bytes; {MAX_BYTES:,} can be taken. {NOT_ADDED} Divide "
            "it and add the parts."
        )
    try:
        return file.read()
    except OSError as error:
        raise SourceError(f"{shown}: it cannot be read ({error}). {NOT_ADDED}") from error
