"""HTML → its title and its text in Markdown: what a reader sees, without menus and scripts."""

from collections.abc import Iterator
from typing import Any, Final

from agent.errors import SourceError
from knowledge.blocks import Block, heading, in_one_line, item, joined

_SKIPPED: Final = frozenset(
    """aside audio button canvas dialog embed footer head iframe input math nav noscript object
    script select style svg template textarea video""".split()  # noqa: SIM905
)
_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS: Final = frozenset(
    """address article blockquote body caption dd details div dl dt fieldset figcaption figure form
    header hr li main ol p pre section summary table tbody td tfoot th thead tr
    ul""".split()  # noqa: SIM905
)
_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_MENU: Final = 3  # a list of at least so many items, each nothing but a link, is a menu


def article(data: bytes) -> tuple[str, str]:
    """Return the title of a page and its text. Raises SourceError when nothing can be read."""
    import lxml.etree
    import lxml.html

    parser = lxml.html.HTMLParser(encoding=_encoding(data), remove_comments=True, remove_pis=True)
    try:
        page = lxml.html.document_fromstring(data, parser=parser)
    except (lxml.etree.LxmlError, ValueError) as error:
        raise SourceError("it cannot be read as HTML. Save the page anew and add that.") from error
    title = in_one_line(page.findtext(".//head/title") or "")
    walk = _Walk()
    walk.visit(_main(page))
    walk.flush()
    return title, joined(map(Block, walk.blocks))[0]


def _encoding(data: bytes) -> str | None:
    """Return UTF-8 where the bytes are; otherwise the page's own word on it is believed."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None if b"charset" in data[:4096].lower() or data[:2] in _BOMS else "windows-1252"
    return "utf-8"


def _main(page: Any) -> Any:
    """Return the part of a page that its author calls the main one, or all of it."""
    for tag in ("main", "article"):
        found = page.findall(f".//{tag}")
        if len(found) == 1:
            return found[0]
    return page


class _Walk:
    """Goes through a page and puts its text into blocks."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._begun: list[str] = []
        self._in_item = False

    def visit(self, element: Any) -> None:
        """Take in an element and all it holds."""
        tag = str(element.tag)
        if _is_hidden(element, tag) or _is_menu(element, tag):
            return
        if tag in _HEADINGS or (tag == "tr" and not _holds_blocks(element)):
            self.flush()
            self.blocks += _whole(element, tag)
            return
        if tag in _BLOCKS:
            self.flush()
        self._in_item = self._in_item or tag == "li"
        self._begun.append("\n" if tag == "br" else element.text or "")
        for child in element:
            self.visit(child)
            self._begun.append(child.tail or "")
        if tag in _BLOCKS:
            self.flush()
        if tag == "li":
            self._in_item = False

    def flush(self) -> None:
        """End the block that was begun."""
        text = in_one_line("".join(self._begun))
        self._begun = []
        if text:
            self.blocks.append(item(text) if self._in_item else text)
            self._in_item = False


def _is_hidden(element: Any, tag: str) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    hidden = "display:none" in style or "visibility:hidden" in style
    return tag in _SKIPPED or hidden or element.get("hidden") is not None


def _is_menu(element: Any, tag: str) -> bool:
    """Tell whether a list is of links and of nothing else, as menus are."""
    if tag not in ("ul", "ol") or len(element) < _MENU:
        return False
    return all(_only_links(entry) for entry in element)


def _only_links(element: Any) -> bool:
    linked = "".join(in_one_line(a.text_content()) for a in element.iter("a"))
    return bool(linked) and linked == in_one_line(element.text_content())


def _holds_blocks(row: Any) -> bool:
    return any(
        e.tag in _BLOCKS | {*_HEADINGS} for e in row.iter() if e.tag not in ("tr", "td", "th")
    )


def _whole(element: Any, tag: str) -> Iterator[str]:
    """Give a heading, or a row of a table as an item."""
    if tag in _HEADINGS:
        text = in_one_line(element.text_content())
        if text:
            yield heading(text, int(tag[1]))
        return
    cells = [in_one_line(cell.text_content()) for cell in element]
    kept = [cell for cell in cells if cell]
    if kept:
        yield item(" | ".join(kept)) if len(kept) > 1 else kept[0]
