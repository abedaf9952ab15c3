"""What the library holds: source texts, and the questions written to go with them."""

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from agent.errors import SourceError
from knowledge.passages import Span

MATERIAL = Path(__file__).parent / "material"
ARTICLE = "manager-to-executive-transition"  # the source that comes with the product


@dataclass(frozen=True, slots=True)
class Asked:
    """A question somebody might put, and the runs of the source that answer it."""

    question: str
    spans: tuple[Span, ...]


def now() -> str:
    """Return the time as it is kept: ISO, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page or slide begins in a text, and what to call it: "page 3", "slide 2"."""

    start: int
    name: str


@dataclass(frozen=True)
class Source:
    """A text in the library. `added_at` is an ISO time in UTC.

    `asked` are written questions with their answers: they help to find words that a learner puts
    quite differently. `not_said` are questions near the text that it does not answer. `pages` are
    in the order of the text; a text without pages has none.
    """

    id: str
    title: str
    text: str
    added_at: str = field(default_factory=now)
    asked: tuple[Asked, ...] = ()
    not_said: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """The checksum of all that the index is built from, the written questions included."""
        digest = hashlib.sha256(self.text.encode(errors="surrogatepass"))
        for asked in self.asked:
            places = " ".join(f"{span.start}:{span.end}" for span in asked.spans)
            digest.update(f"\0{asked.question}\0{places}".encode())
        for question in self.not_said:
            digest.update(f"\0\0{question}".encode())
        for page in self.pages:
            digest.update(f"\0\0\0{page.start}:{page.name}".encode())
        return digest.hexdigest()

    def page_at(self, offset: int) -> str:
        """Return the name of the page that a character stands on; empty without pages."""
        number = bisect_right(self.pages, offset, key=lambda page: page.start)
        return self.pages[number - 1].name if number else ""


@cache
def article() -> Source:
    """Return the source article with its written questions. Raises SourceError."""
    return read_source(MATERIAL / f"{ARTICLE}.txt", MATERIAL / f"{ARTICLE}.questions.yaml")


def read_source(path: Path, questions: Path | None = None) -> Source:
    """Read a UTF-8 text and its written questions; line ends and all else stay as stored.

    Raises SourceError when a file cannot be read, or when a question's words are not in the text.
    """
    try:
        text = path.read_bytes().decode()
        written = yaml.safe_load(questions.read_text("utf-8")) if questions else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path.name} cannot be read as text ({error}). The index was not changed."
        raise SourceError(message) from error
    asked = tuple(a for entry in written.get("said", ()) for a in _asked(text, entry, questions))
    title = next((line.strip() for line in text.splitlines() if line.strip()), path.stem)
    return Source(
        path.stem, title, text, asked=asked, not_said=tuple(written.get("not_said") or ())
    )


def exact_span(text: str, words: str, where: str) -> Span:
    """Return where `words` stand in `text`. Raises SourceError when they are no exact run of it."""
    start = text.find(words)
    if start < 0 or not words:
        raise SourceError(f"{where}: not an exact run of the source: {words[:80]!r}")
    return Span(start, start + len(words))


def _asked(text: str, entry: dict[str, Any], path: Path | None) -> list[Asked]:
    """Return the questions of one entry; `words` is one run of the text or several."""
    where = path.name if path else "questions"
    runs = [entry["words"]] if isinstance(entry["words"], str) else entry["words"]
    spans = tuple(exact_span(text, words, where) for words in runs)
    return [Asked(question, spans) for question in entry["asked"]]
