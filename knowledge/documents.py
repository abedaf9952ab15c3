"""A file's name and bytes → its text, as the library keeps it: PDF, DOCX, PPTX, HTML, MD, TXT.

What was plain text stays as it is, with each line end as one character; everything else becomes
Markdown with its headings and lists. Nothing in a document is run or fetched. The parsers are
imported when a file needs them.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from agent.errors import SourceError
from knowledge.blocks import cleaned, in_one_line, joined
from knowledge.build import Progress
from knowledge.passages import passages
from knowledge.sources import Page

MAX_BYTES: Final = 50_000_000  # of a file
MAX_CHARACTERS: Final = 2_000_000  # of the text in it, some 1,000 pages of a book
MAX_TITLE: Final = 120  # characters

NOT_ADDED: Final = "It was not added; the material is as it was."
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_INSTEAD: Final = {
    ".doc": ".docx",
    ".docm": ".docx",
    ".odp": ".pptx",
    ".odt": ".docx",
    ".pages": ".docx",
    ".ppt": ".pptx",
    ".rtf": ".docx",
    ".key": ".pptx",
}


@dataclass(frozen=True, slots=True)
class Document:
    """What was read out of a file; `remark` says what of it was left out, if anything."""

    title: str
    text: str
    pages: tuple[Page, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    pages: tuple[Page, ...] = ()
    title: str = ""
    remark: str = ""


def read_document(name: str, data: bytes, progress: Progress | None = None) -> Document:
    """Return the text of a file. `progress` counts the pages of a PDF.

    Raises SourceError that names the file, says what is wrong with it and what to do.
    """
    try:
        reader = _reader(name)
        _check_size(len(data), MAX_BYTES, "bytes")
        if not data.strip(b"\0 \t\r\n"):
            raise SourceError("it is empty. Look whether it is the right file.")
        read = reader(data, progress)
        _check_size(len(read.text), MAX_CHARACTERS, "characters of text")
        if not any(c.isalnum() for c in read.text):
            raise SourceError("it has no words. Look whether it is the right file.")
    except SourceError as error:
        raise SourceError(f"{name}: {error} {NOT_ADDED}") from error
    return Document(read.title or _title(name, read.text), read.text, read.pages, read.remark)


def _reader(name: str) -> Callable[[bytes, Progress | None], _Read]:
    suffix = PurePath(name).suffix.lower()
    if suffix in READERS:
        return READERS[suffix]
    if suffix in _INSTEAD:
        raise SourceError(f"{suffix} files are not read. Save it as {_INSTEAD[suffix]} and add it.")
    known = ", ".join(READERS)
    raise SourceError(f"it is of none of the kinds that are read ({known}).")


def _check_size(size: int, most: int, what: str) -> None:
    if size > most:
        raise SourceError(
            f"it has {size:,} {what}; {most:,} can be taken. Divide it and add the parts."
        )


def _title(name: str, text: str) -> str:
    """Return the heading that a text begins with, or the name of its file."""
    first = next(iter(passages(text[:20_000], "")), None)
    stem = unicodedata.normalize("NFC", PurePath(name).stem)
    found = first.text if first is not None and first.kind == "heading" else stem
    return shortened(found) or "Untitled"


def shortened(title: str) -> str:
    """Return a title in one line, cut at a word where it is too long."""
    line = in_one_line(title)
    if len(line) <= MAX_TITLE:
        return line
    return line[: MAX_TITLE - 1].rsplit(" ", 1)[0] + "…"


def _pdf(data: bytes, progress: Progress | None) -> _Read:
    if b"%PDF-" not in data[:1024]:
        raise SourceError("it is not a PDF. Look whether it is the right file.")
    from knowledge import pdf

    blocks, remark = pdf.blocks(data, progress)
    text, pages = joined(blocks)
    return _Read(text, pages, remark=remark)


def _word(data: bytes, progress: Progress | None) -> _Read:
    from knowledge import office

    return _Read(*joined(office.word(data)))


def _slides(data: bytes, progress: Progress | None) -> _Read:
    from knowledge import office

    return _Read(*joined(block for block in office.slides(data) if block.text))


def _html(data: bytes, progress: Progress | None) -> _Read:
    from knowledge import web

    title, text = web.article(data)
    return _Read(cleaned(text), title=shortened(title))


def _plain(data: bytes, progress: Progress | None) -> _Read:
    encoding = next((e for bom, e in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            "it is not text in UTF-8. Save it as plain text with the encoding UTF-8 and add that."
        ) from error
    if "\0" in text:
        raise SourceError("it is not text (it holds NUL bytes). Look whether it is the right file.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _Read(re.sub("[\x01-\x08\x0b\x0e-\x1f\x7f]", "", text))


READERS: Final[dict[str, Callable[[bytes, Progress | None], _Read]]] = {
    ".pdf": _pdf,
    ".docx": _word,
    ".pptx": _slides,
    ".html": _html,
    ".htm": _html,
    ".md": _plain,
    ".markdown": _plain,
    ".txt": _plain,
}
