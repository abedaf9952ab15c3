"""PDF → blocks of text. A page knows glyphs and where they stand; paragraphs are made again here.

Lines are joined into a paragraph until the distance, the size or the weight changes; a line larger
than most, or bold on its own, is a heading. What stands at the edge of most pages (running titles,
page numbers) is left out.
"""

import io
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot
from statistics import quantiles
from typing import Any

from agent.errors import SourceError
from knowledge.blocks import Block, heading, in_one_line
from knowledge.build import Progress
from knowledge.sources import Page

LARGER = 1.12  # of the size of most letters: from there a line is a heading
FAR = 1.3  # of the usual distance between lines: beyond it a paragraph begins
SHORT = 0.6  # of a full line: a shorter one that ends a sentence ends its paragraph
LONGEST_HEADING = 150  # characters
EDGE = 0.08  # of a page's height, at its head and at its foot: what stands there may be a title
READABLE = 0.7  # share of letters, digits, spaces and common marks in a text that can be read

_BULLET = re.compile(r"[•‣▪▫◦●○■□➢➤✓–\-*\x7f\uf0a7\uf0b7\uf0d8\uf0fc](?:\s+|$)")
_NUMBERED = re.compile(r"\(?\d{1,2}[.)]\s+\S")
_PAGE_NUMBER = re.compile(r"(?i)\W*(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*")
_LIGATURES = {chr(0xFB00 + n): s for n, s in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st"))}
_ENDS = '.!?…:”"'


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: `y` grows upward, `size` is of its first letters, both in points.

    `edge`: it stands at the head or at the foot of the page.
    """

    text: str
    page: str
    y: float
    size: float
    bold: bool
    edge: bool = False


@dataclass(frozen=True, slots=True)
class _Usual:
    """What most lines of a document are like: size and distance in points, width in characters."""

    size: float
    distance: float
    width: float


def blocks(data: bytes, progress: Progress | None = None) -> tuple[list[Block], str]:
    """Return the blocks of a PDF, and a remark on pages that hold no text.

    Raises SourceError when it is broken, encrypted, has no text, or its text cannot be read.
    """
    reader = _opened(data)
    names, pages = _names(reader), []
    for number, name in enumerate(names):
        pages.append(_lines(reader, number, name))
        if progress:
            progress(number + 1, len(names))
    if not any(pages):
        raise SourceError(
            f"it has {len(names)} {'page' if len(names) == 1 else 'pages'} and no text: they are "
            "pictures or scans. Run it through text recognition (OCR) and add the result."
        )
    lines = [line for page in _without_edges(pages) for line in page]
    _check_readable(lines)
    return list(_blocks(lines)), _remark(pages)


def _opened(data: bytes) -> Any:
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what matters is said here
    try:
        reader = PdfReader(io.BytesIO(data))
        locked = reader.is_encrypted and not reader.decrypt("")
        if not locked and len(reader.pages) > 0:
            return reader
    except FileNotDecryptedError:
        locked = True
    except Exception as error:  # a broken file can raise nearly anything
        locked = "cryptography" in str(error)  # AES, which pypdf leaves to another package
        if not locked:
            raise SourceError(
                "it is not a whole PDF. Open it in a PDF reader, save it anew and add that."
            ) from error
    if locked:
        raise SourceError("it is encrypted. Save a copy without a password and add that.")
    raise SourceError("it has no pages. Look whether it is the right file.")


def _names(reader: Any) -> list[str]:
    """Return what each page is called: its printed number where the file has it."""
    count = len(reader.pages)
    try:
        labels = list(reader.page_labels)
    except Exception:  # a damaged table of labels is no reason to refuse the text
        labels = []
    if len(labels) != count or not all(label.strip() for label in labels):
        labels = [str(n + 1) for n in range(count)]
    return [f"page {label}" for label in labels]


def _lines(reader: Any, number: int, name: str) -> list[Line]:
    """Return the lines of a page in the order they are read; none where it cannot be read."""
    pieces: list[tuple[str, float, float, bool]] = []

    def visit(text: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        if text:
            y = float(tm[4] * cm[1] + tm[5] * cm[3] + cm[5])
            points = float(size) * hypot(tm[0], tm[1]) * hypot(cm[0], cm[1])
            pieces.append((text, y, points, _is_bold(font)))

    try:
        page = reader.pages[number]
        page.extract_text(visitor_text=visit)
        foot, head = float(page.mediabox.bottom), float(page.mediabox.top)
    except Exception:  # a broken page can raise nearly anything; it is counted as empty
        return []
    margin = EDGE * (head - foot)
    lines = _put_together(pieces, name)
    return [replace(x, edge=not foot + margin < x.y < head - margin) for x in lines]


def _is_bold(font: Any) -> bool:
    name = str((font or {}).get("/BaseFont", "")).lower()
    return any(word in name for word in ("bold", "black", "heavy"))


def _put_together(pieces: Iterable[tuple[str, float, float, bool]], page: str) -> Iterator[Line]:
    line: Line | None = None
    for text, y, size, bold in pieces:
        first, *others = text.split("\n")
        parts = [(first, False), *((other, True) for other in others)]
        for part, begins in parts:
            if begins and line:
                yield from _clean(line)
                line = None
            if line is None and part.strip():
                line = Line(part, page, y, size, bold)
            elif line:
                line = replace(
                    line, text=line.text + part, bold=line.bold and (bold or part.isspace())
                )
    if line:
        yield from _clean(line)


def _clean(line: Line) -> Iterator[Line]:
    text = line.text
    for ligature, letters in _LIGATURES.items():
        text = text.replace(ligature, letters)
    mark = _BULLET.match(text.strip())
    if mark:  # before the marks that are no text are dropped
        text = "- " + text.strip()[mark.end() :]
    text = in_one_line(text)
    if text:
        yield replace(line, text="- " if text == "-" else text)


def _without_edges(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Leave out page numbers, and what stands at the edge of more than half of the pages."""
    counts = Counter(key for page in pages for key in {_key(x) for x in page if x.edge})
    often = {key for key, count in counts.items() if count > max(2, len(pages) / 2)}

    def belongs(line: Line) -> bool:
        number = _PAGE_NUMBER.fullmatch(line.text) is not None
        return not line.edge or not (number or _key(line) in often)

    return [[line for line in page if belongs(line)] for page in pages]


def _key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxl]+\b", "#", line.text.lower())


def _check_readable(lines: Sequence[Line]) -> None:
    """Refuse text whose fonts do not say which letters their glyphs are."""
    text = "".join(line.text for line in lines)
    read = sum(c.isalnum() or c.isspace() or c in ".,;:!?'’‘“”\"()-–—/%&" for c in text)
    named = len("".join(re.findall(r"(?:/g\d+|\(cid:\d+\)|\ufffd)", text)))
    if not text or (read - named) / len(text) < READABLE:
        raise SourceError(
            "its fonts do not say which letters they show, so its text cannot be read. Print it "
            "to a new PDF or run it through text recognition (OCR), and add the result."
        )


def _remark(pages: Sequence[Sequence[Line]]) -> str:
    empty = sum(not page for page in pages)
    if not empty:
        return ""
    hold, were = ("holds", "was") if empty == 1 else ("hold", "were")
    return f"{empty} of {len(pages)} pages {hold} no text (pictures or scans) and {were} left out."


def _blocks(lines: Sequence[Line]) -> Iterator[Block]:
    usual = _usual(lines)
    paragraph: list[Line] = []
    for line in _with_marks(lines):
        if paragraph and _begins(paragraph[-1], line, usual):
            yield _block(paragraph, usual)
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield _block(paragraph, usual)


def _with_marks(lines: Iterable[Line]) -> Iterator[Line]:
    """Put a bullet that stands on a line of its own before the line after it."""
    waiting = False
    for line in lines:
        if line.text == "- ":
            waiting = True
            continue
        marked = waiting and not line.text.startswith("- ")
        yield replace(line, text=f"- {line.text}") if marked else line
        waiting = False


def _usual(lines: Sequence[Line]) -> _Usual:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    size = sizes.most_common(1)[0][0]
    body = [line for line in lines if abs(line.size - size) < 0.1]
    pairs = pairwise(body)
    steps = Counter(round(a.y - b.y) for a, b in pairs if a.page == b.page and a.y > b.y)
    lengths = [len(line.text) for line in body]
    width = quantiles(lengths, n=10)[-1] if len(lengths) > 1 else lengths[0]
    return _Usual(size, steps.most_common(1)[0][0] if steps else size * 1.2, width)


def _begins(before: Line, line: Line, usual: _Usual) -> bool:
    """Tell whether a line begins a paragraph."""
    if line.text.startswith("- ") or _NUMBERED.match(line.text):
        return True
    if abs(before.size - line.size) > 0.1 * usual.size or before.bold != line.bold:
        return True
    ended = before.text[-1] in _ENDS
    if before.page != line.page or line.y > before.y + usual.distance / 2:  # a page or a column
        return ended or not line.text[0].islower()
    far = before.y - line.y > FAR * max(usual.distance, line.size)
    return far or (ended and len(before.text) < SHORT * usual.width)


def _block(lines: Sequence[Line], usual: _Usual) -> Block:
    text = ""
    pages: list[Page] = []
    for line in lines:
        if text.endswith("\xad") or (re.search(r"[^\W\d_]-$", text) and line.text[0].islower()):
            text = text[:-1]
        elif text:
            text += " "
        if not pages or pages[-1].name != line.page:
            pages.append(Page(len(text), line.page))
        text += line.text
    if _is_heading(text, lines[0], usual):
        return Block(heading(text), (Page(0, pages[0].name),))
    return Block(text, tuple(pages))


def _is_heading(text: str, first: Line, usual: _Usual) -> bool:
    if len(text) > LONGEST_HEADING or text.startswith("- "):
        return False
    return first.size >= LARGER * usual.size or (first.bold and text[-1] not in _ENDS + ",;")
