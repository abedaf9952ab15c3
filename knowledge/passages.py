"""Source text → passages with stable ids and character offsets. Pure: no files, no clock.

A passage is a paragraph, a list or a heading of a plain or Markdown text, and always an exact run
of it: `source[passage.start:passage.end] == passage.text`. Its sentences are exact runs too, so
whatever is quoted can be checked against the source. Furniture of a web page (comment forms, bare
button labels) is left out; what the page offers is content and stays.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "paragraph", "list"]

MAX_PASSAGE = 1_500  # characters; a longer block is divided between two sentences or items
MAX_HEADING = 90  # characters of a plain line without an end mark that is taken as a heading

_ITEM = re.compile(r"[ \t]*(?:[-*+•‣]|\(?\d{1,3}[.)])[ \t]+(?=\S)")
_MARKDOWN_HEADING = re.compile(r"#{1,6}[ \t]+(?P<title>.*?)[ \t]*#*[ \t]*$")
_RULE = re.compile(r"[ \t]*(?:-{3,}|={3,}|\*{3,}|_{3,}|`{3,}\w*|~{3,}\w*)[ \t]*$")
_END_MARKS = ".!?…:;,"
_FURNITURE = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i)(?:no|\d+) comments?(?: yet)?\.?",
        r"(?i)leave a (?:reply|comment)\.?(?: cancel reply)?",
        r"(?i)this site uses akismet\b.*",
        r"(?i)learn how your comment data is processed\.?",
        r"(?i)your email address will not be published\..*",
        r"(?i)required fields are marked\b.*",
        r"(?i)(?:click|tap) here[.!]?",
        r"(?i)(?:read|learn|load|show) more(?: …|\.\.\.)?",
        r"(?i)(?:share|tweet|print|email) this\b[^.]*",
        r"(?i)(?:accept|reject|manage)(?: all)? cookies",
        # a button: an order to the reader in title case, with no full stop
        r"(?:Get|Book|Claim|Download|Join|Register|Sign Up|Start|Subscribe|Take)"
        r"(?: [A-Z][\w’'-]*){1,6}[!»›→]*",
    )
)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of a text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of a source: `source_text[start:end] == text`.

    `id` depends on the source and the text alone, so it stays when other passages change.
    `sentences` are offsets into the source; in a list each item begins a sentence.
    """

    id: str
    source: str
    heading: str
    text: str
    start: int
    end: int
    kind: Kind
    sentences: tuple[Span, ...]

    def sentence(self, span: Span) -> str:
        """Return the words of one of the sentences."""
        return self.text[span.start - self.start : span.end - self.start]


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together, before they become passages; offsets into the source."""

    kind: Kind
    sentences: tuple[Span, ...]
    heading: str = ""


def passages(text: str, source: str) -> list[Passage]:
    """Return the passages of a plain or Markdown text, in its order.

    `source` is the id under which the text is kept. An empty text has no passages.
    """
    seen: Counter[str] = Counter()
    found = []
    for block in _with_headings(text, _blocks(text)):
        found += [_passage(text, source, part, seen) for part in _divide(block)]
    return found


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the sentences of `text[start:end]` as offsets into `text`, without outer space."""
    import sentencex

    run = text[start:end]
    spans = []
    for boundary in sentencex.get_sentence_boundaries("en", run):
        span = _trim(text, start + boundary["start_index"], start + boundary["end_index"])
        if span is not None:
            spans.append(span)
    return spans


def is_furniture(line: str) -> bool:
    """Tell whether a line or sentence belongs to the page and not to what it says."""
    return any(pattern.fullmatch(line.strip()) for pattern in _FURNITURE)


def _passage(text: str, source: str, block: _Block, seen: Counter[str]) -> Passage:
    start, end = block.sentences[0].start, block.sentences[-1].end
    words = text[start:end]
    digest = hashlib.sha256(f"{source}\n{words}".encode(errors="surrogatepass")).hexdigest()[:12]
    seen[digest] += 1
    name = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return Passage(name, source, block.heading, words, start, end, block.kind, block.sentences)


def _trim(text: str, start: int, end: int) -> Span | None:
    """Return the span without the space at its ends, or None when nothing is left."""
    run = text[start:end]
    start += len(run) - len(run.lstrip())
    end -= len(run) - len(run.rstrip())
    return Span(start, end) if start < end else None


def _lines(text: str) -> Iterator[Span]:
    """Give each line without its line end."""
    start = 0
    for line in text.splitlines(keepends=True):
        yield Span(start, start + len(line.rstrip("\r\n")))
        start += len(line)


def _groups(text: str) -> Iterator[list[Span]]:
    """Give runs of lines that are not blank; a Markdown heading or a list stands by itself."""
    group: list[Span] = []
    for line in _lines(text):
        words = text[line.start : line.end]
        blank = not words.strip() or _RULE.match(words) is not None
        heading = _MARKDOWN_HEADING.match(words) is not None
        changes = bool(group) and bool(_ITEM.match(words)) and not _is_list(text, group)
        if group and (blank or heading or changes):
            yield group
            group = []
        if heading:
            yield [line]
        elif not blank and not is_furniture(words):
            group.append(line)
    if group:
        yield group


def _is_list(text: str, group: list[Span]) -> bool:
    return _ITEM.match(text, group[0].start, group[0].end) is not None


def _blocks(text: str) -> Iterator[_Block]:
    """Give the blocks of the text; lists that only a blank line divides become one."""
    waiting: _Block | None = None
    for group in _groups(text):
        block = _block(text, group)
        if block is None:
            continue
        if waiting and waiting.kind == block.kind == "list":
            waiting = _Block("list", waiting.sentences + block.sentences)
            continue
        if waiting:
            yield waiting
        waiting = block
    if waiting:
        yield waiting


def _block(text: str, group: list[Span]) -> _Block | None:
    start, end = group[0].start, group[-1].end
    if match := _MARKDOWN_HEADING.match(text[start:end]):
        title = _trim(text, start + match.start("title"), start + match.end("title"))
        return _Block("heading", (title,)) if title else None
    kind: Kind = "list" if _is_list(text, group) else "paragraph"
    parts = _items(text, group) if kind == "list" else [Span(start, end)]
    kept = tuple(s for p in parts for s in sentences(text, p.start, p.end) if _says(text, s))
    if not kept:
        return None
    if kind == "paragraph" and len(group) == 1 and _is_title(text[kept[0].start : kept[-1].end]):
        kind = "heading"
    return _Block(kind, kept)


def _says(text: str, span: Span) -> bool:
    words = text[span.start : span.end]
    return any(c.isalnum() for c in words) and not is_furniture(words)


def _is_title(words: str) -> bool:
    return len(words) <= MAX_HEADING and words[-1] not in _END_MARKS


def _items(text: str, group: list[Span]) -> list[Span]:
    """Return the items of a list without their marks; a line with no mark continues an item."""
    items: list[Span] = []
    for line in group:
        match = _ITEM.match(text, line.start, line.end)
        if match:
            items.append(Span(match.end(), line.end))
        else:
            items[-1] = Span(items[-1].start, line.end)
    return items


def _with_headings(text: str, blocks: Iterable[_Block]) -> Iterator[_Block]:
    """Put the heading on each block: the section's, or the lead-in of a list.

    The first heading is the title of the text, not the heading of everything after it.
    """
    heading, titled = "", False
    before: _Block | None = None
    for block in blocks:
        own = heading
        if block.kind == "list" and before and before.kind == "paragraph":
            last = before.sentences[-1]
            lead_in = text[last.start : last.end]
            own = lead_in if lead_in.endswith(":") else heading
        yield _Block(block.kind, block.sentences, "" if block.kind == "heading" else own)
        if block.kind == "heading":
            span = block.sentences[0]
            title = not titled and before is None
            heading = "" if title else text[span.start : block.sentences[-1].end]
            titled = True
        before = block


def _divide(block: _Block) -> Iterator[_Block]:
    """Divide a block that is too long between two of its sentences."""
    part: list[Span] = []
    for span in block.sentences:
        if part and span.end - part[0].start > MAX_PASSAGE:
            yield _Block(block.kind, tuple(part), block.heading)
            part = []
        part.append(span)
    yield _Block(block.kind, tuple(part), block.heading)
