"""What is read out of a document, before it is a source: blocks of text with their pages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.sources import Page

# control characters and halves of surrogate pairs; a tab and a line end are text
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")


ITEM = "- "  # how an item of a list begins


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph or list in Markdown; `pages` begin at offsets into its text."""

    text: str
    pages: tuple[Page, ...] = ()


def joined(blocks: Iterable[Block]) -> tuple[str, tuple[Page, ...]]:
    """Return the blocks as one text and its pages; a blank line divides all but items of a list."""
    parts: list[str] = []
    pages: list[Page] = []
    length, before = 0, ""
    for block in blocks:
        if parts:
            listed = before.startswith(ITEM) and block.text.startswith(ITEM)
            parts.append("\n" if listed else "\n\n")
            length += len(parts[-1])
        for page in block.pages:
            if not pages or pages[-1].name != page.name:
                pages.append(Page(length + page.start, page.name))
        parts.append(block.text)
        length, before = length + len(block.text), block.text
    return "".join(parts), tuple(pages)


def cleaned(text: str) -> str:
    """Return text without what is no text, each line end as one and each space as one."""
    kept = _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in kept.split("\n"))
    return "\n".join(lines)


def in_one_line(text: str) -> str:
    """Return text with its line ends as spaces."""
    return " ".join(cleaned(text).split())


def heading(text: str, level: int = 2) -> str:
    """Return a heading in Markdown, 1 the highest of six levels."""
    return f"{'#' * min(max(level, 1), 6)} {in_one_line(text)}"


def item(text: str) -> str:
    """Return an item of a list in Markdown."""
    return f"{ITEM}{in_one_line(text)}"
