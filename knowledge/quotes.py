"""The article's words where a file of ours repeats them: found and checked when the file is read.

A field of type `Words` takes a run of the article as a string and holds it as a `Citation`, so
`article().text[c.start:c.end] == c.text` for every one that was read.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from agent.domain import Citation
from agent.errors import ScenarioError
from knowledge.passages import Passage, passages
from knowledge.sources import article
from prompts import read
from prompts.document import Document

LONGEST_SHOWN: Final = 60  # characters of a refused quote in its message

_Model = TypeVar("_Model", bound=BaseModel)


def cite(words: object) -> Citation:
    """Return where these words stand in the article.

    Raises:
        ValueError: no exact run, one that stands twice, cuts a word or leaves its passage.
    """
    if not isinstance(words, str) or not words.strip():
        raise ValueError("should be words of the article")
    text = article().text
    start, end = text.find(words), text.find(words) + len(words)
    if start < 0:
        raise ValueError(f"not an exact run of the article: {_short(words)}")
    if text.find(words, start + 1) >= 0:
        raise ValueError(f"stands more than once in the article, quote more of it: {_short(words)}")
    if _is_cut(text, start) or _is_cut(text, end):
        raise ValueError(f"begins or ends inside a word: {_short(words)}")
    here = next((p for p in _passages() if p.start <= start and end <= p.end), None)
    if here is None:
        raise ValueError(f"not within one passage of the article: {_short(words)}")
    return Citation(
        passage=here.id, source=here.source, heading=here.heading, text=words, start=start, end=end
    )


def _cite_any(words: object) -> Citation | None:
    return None if words is None else cite(words)


Words = Annotated[Citation, BeforeValidator(cite)]
MaybeWords = Annotated[Citation | None, BeforeValidator(_cite_any)]


def checked(kind: type[_Model], path: Path) -> _Model:
    """Read a YAML file whose quotes are the article's. Raises ScenarioError: file, place, reason.

    Places are keys and numbers from 1, joined by dots, with the line of the file.
    """
    document = read(path)
    try:
        return kind.model_validate(document.data)
    except ValidationError as problem:
        wrong = [f"{path}: {_place(document, e['loc'])}: {_reason(e)}" for e in problem.errors()]
        raise ScenarioError("\n".join(wrong)) from problem


def place(citation: Citation) -> str:
    """Say in words where a citation of the article stands: "paragraph 8", "point 3 of the list".

    Paragraphs are counted as the page with the article shows them, headings apart.
    """
    here = next(p for p in _passages() if p.id == citation.passage)
    if here.kind == "list":
        before = here.text[: citation.start - here.start]
        return f"point {before.count(chr(10)) + 1} of the list"
    upto = [p for p in _passages() if p.kind == here.kind and p.start <= here.start]
    return f"{here.kind} {len(upto)}"


@cache
def _passages() -> tuple[Passage, ...]:
    source = article()
    return tuple(passages(source.text, source.id))


def _is_cut(text: str, at: int) -> bool:
    """Tell whether there is a word on both sides of an offset."""
    return text[at - 1 : at].isalnum() and text[at : at + 1].isalnum()


def _short(words: str) -> str:
    return f"“{words[:LONGEST_SHOWN]}{'…' if len(words) > LONGEST_SHOWN else ''}”"


def _place(document: Document, loc: tuple[int | str, ...]) -> str:
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
    line = document.line(name)
    return f"{name} (line {line})" if line else name


def _reason(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")
