"""DOCX and PPTX → blocks of text. Word's own pages are not in the file; slides have numbers."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from agent.errors import SourceError
from knowledge.blocks import Block, cleaned, heading, in_one_line, item
from knowledge.sources import Page

MAX_UNPACKED = 500_000_000  # bytes of all parts of a file; more is no document
OLE = b"\xd0\xcf\x11\xe0"  # how a file of Office 97, or one with a password, begins

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"(?i)heading (\d)")
_LIST = re.compile(r"(?i)list")
_SKIPPED = ("DATE", "FOOTER", "HEADER", "SLIDE_NUMBER")  # placeholders on every slide


def word(data: bytes) -> list[Block]:
    """Return the blocks of a DOCX: text, lists, tables, text boxes, inserted text.

    Headers, footers, notes, comments and deleted text are left out. Raises SourceError.
    """
    check_package(data, "word/document.xml", "Word document (.docx)")
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        return list(_word_blocks(document))
    except Exception as error:  # a broken file can raise nearly anything
        raise _broken("Word document (.docx)", "Word") from error


def slides(data: bytes) -> list[Block]:
    """Return the blocks of a PPTX, each with its slide; speaker notes included.

    Text inside pictures, charts and SmartArt is not read. Raises SourceError.
    """
    check_package(data, "ppt/presentation.xml", "PowerPoint file (.pptx)")
    import pptx

    try:
        deck = pptx.Presentation(io.BytesIO(data))
        numbered = enumerate(deck.slides, start=1)
        return [
            Block(text, (Page(0, f"slide {number}"),))
            for number, slide in numbered
            for text in _slide_texts(slide)
        ]
    except Exception as error:  # a broken file can raise nearly anything
        raise _broken("PowerPoint file (.pptx)", "PowerPoint") from error


def check_package(data: bytes, part: str, what: str) -> None:
    """Refuse what is not a package with this part, or unpacks to too much. Raises SourceError."""
    if data.startswith(OLE):
        raise SourceError(
            f"it has a password, or is of an older Office. Save it as a {what} without a password "
            "and add that."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            size = sum(entry.file_size for entry in package.infolist())
            names = package.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _broken(what, "its program") from error
    if part not in names:
        raise SourceError(f"it is not a {what}. Look whether it is the right file.")
    if size > MAX_UNPACKED:
        raise SourceError(f"it unpacks to {size:,} bytes; {MAX_UNPACKED:,} can be taken.")


def _broken(what: str, program: str) -> SourceError:
    return SourceError(
        f"it is not a whole {what}. Open it in {program}, save it anew and add that."
    )


def _word_blocks(document: Any) -> Iterator[Block]:
    styles = {style.style_id: style.name or "" for style in document.styles}
    for element in document.element.body.iter(f"{_W}p", f"{_W}tr"):
        if _inside(element, _FALLBACK) or _inside(element, f"{_W}tr"):
            continue
        text = _row(element) if element.tag == f"{_W}tr" else _styled(element, styles)
        if text:
            yield Block(text)


def _inside(element: Any, tag: str) -> bool:
    return next(element.iterancestors(tag), None) is not None


def _row(row: Any) -> str:
    """Return a row of a table as an item of a list; a single cell as a paragraph."""
    cells = [
        in_one_line(" ".join(_text(p) for p in cell.iter(f"{_W}p")))
        for cell in row.iter(f"{_W}tc")
        if next(cell.iterancestors(f"{_W}tr")) is row
    ]
    kept = [cell for cell in cells if cell]
    return item(" | ".join(kept)) if len(kept) > 1 else "".join(kept)


def _styled(paragraph: Any, styles: dict[str, str]) -> str:
    text = cleaned(_text(paragraph)).strip()
    found = paragraph.find(f"{_W}pPr/{_W}pStyle")
    style = styles.get(found.get(f"{_W}val"), "") if found is not None else ""
    if not text or style.lower().startswith("toc"):
        return ""
    if match := _HEADING.match(style):
        return heading(text, int(match[1]) + 1)
    if style == "Title":
        return heading(text, 1)
    listed = paragraph.find(f"{_W}pPr/{_W}numPr") is not None or _LIST.match(style)
    return item(text) if listed else re.sub(r"\n{2,}", "\n", text)


def _text(paragraph: Any) -> str:
    """Return the words of a paragraph, inserted ones too, without those of text boxes in it."""
    parts = []
    for run in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen"):
        if run.getparent().tag != f"{_W}r" or next(run.iterancestors(f"{_W}p")) is not paragraph:
            continue  # the stops of a tabulator have the same name as a tabulator
        name = run.tag.removeprefix(_W)
        signs = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
        parts.append(run.text or "" if name == "t" else signs[name])
    return "".join(parts)


def _slide_texts(slide: Any) -> Iterator[str]:
    title = slide.shapes.title
    if title is not None and in_one_line(title.text_frame.text):
        yield heading(title.text_frame.text)
    for shape in slide.shapes:
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape_texts(shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text
        yield from (part for part in (in_one_line(line) for line in notes.split("\n")) if part)


def _shape_texts(shape: Any) -> Iterator[str]:
    """Give the texts of a shape and of those grouped in it; several paragraphs are a list."""
    if shape.is_placeholder and shape.placeholder_format.type.name in _SKIPPED:
        return
    if hasattr(shape, "shapes"):
        for inner in shape.shapes:
            yield from _shape_texts(inner)
    elif getattr(shape, "has_table", False):
        for row in shape.table.rows:
            cells = [in_one_line(cell.text_frame.text) for cell in row.cells]
            yield item(" | ".join(c for c in cells if c)) if any(cells) else ""
    elif shape.has_text_frame:
        lines = [in_one_line(p.text) for p in shape.text_frame.paragraphs]
        kept = [line for line in lines if line]
        yield "\n".join(map(item, kept)) if len(kept) > 1 else "".join(kept)
