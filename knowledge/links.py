"""From a move or a capability to the words of the article that speak of it, where it does."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml

from agent.domain import Citation
from knowledge.passages import passages
from knowledge.sources import article

FILE: Final = Path(__file__).with_name("links.yaml")


@cache
def words_by_id() -> dict[str, str | None]:
    """Return the article's words for each move and capability id; None where it is silent."""
    found: dict[str, str | None] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


@cache
def link(name: str) -> Citation | None:
    """Return where the article speaks of a move or capability. Raises ValueError: not its words."""
    words = words_by_id().get(name)
    if words is None:
        return None
    source = article()
    start = source.text.index(words)
    end = start + len(words)
    here = next(p for p in passages(source.text, source.id) if p.start <= start and end <= p.end)
    return Citation(
        passage=here.id,
        source=source.id,
        heading=here.heading or "",
        text=words,
        start=start,
        end=end,
    )
