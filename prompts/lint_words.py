"""Words that are not to be said: those of `style.yaml`, and those a persona never says. Pure."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from agent.domain import Persona, Scenario, Value
from agent.errors import ScenarioError
from prompts import read
from prompts.remarks import Level, Remark, Said, all_said, error, warning

STYLE: Final = Path(__file__).parent / "style.yaml"
LONGEST_PHRASE: Final = 4  # words of a phrase of `never` that is a word to avoid, not a deed
_SAYS: Final = re.compile(
    r"^(?:says?|uses?|mentions?|talks? of|calls? \w+)\s+(?:the )?(?:words?\s+)?", re.IGNORECASE
)
_PARTS: Final = re.compile(r"\s*(?:,|\bor\b|\band\b)\s*", re.IGNORECASE)
_QUOTED: Final = re.compile('[“"‘]([^”"’]+)[”"’]')
_WHEN: Final = re.compile(r"\s+(?:in|unless|when|without|except)\s.*$", re.IGNORECASE)


class Rule(Value):
    """A family of words that are not said, and why."""

    name: str
    level: Level
    why: str
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def found_in(self, text: str) -> list[str]:
        """Return the words of the family that a text has, as they stand in it."""
        found = self._pattern.finditer(text.replace("’", "'"))
        return list(dict.fromkeys(match[0].strip() for match in found))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        wanted = [*self.patterns, *map(_phrase, self.words)]
        return re.compile("|".join(f"(?:{pattern})" for pattern in wanted), re.IGNORECASE)


Style = tuple[Rule, ...]
RULES: Final = TypeAdapter(Style)


def load_style(path: Path = STYLE) -> Style:
    """Load the rules. Raises ScenarioError."""
    document = read(path)
    try:
        return RULES.validate_python(document.data["rules"])
    except (KeyError, ValidationError, re.error) as problem:
        raise ScenarioError(f"{path}: {problem}") from problem


def forbidden(scenario: Scenario, style: Style) -> Iterator[Remark]:
    """Yield what the person says against the style."""
    for said in all_said(scenario):
        for rule in style:
            for words in rule.found_in(said.say):
                remark = error if rule.level == "error" else warning
                yield remark(said.place, f"“{words}” ({rule.name}): {rule.why}")


def never(scenario: Scenario) -> Iterator[Remark]:
    """Yield lines with a word that the persona is said never to say."""
    phrases = list(never_phrases(scenario.persona))
    for said in all_said(scenario):
        yield from _broken(said, phrases)


def _broken(said: Said, phrases: Iterable[tuple[str, bool]]) -> Iterator[Remark]:
    for phrase, always in phrases:
        found = re.search(_phrase(phrase), said.say.replace("’", "'"), re.IGNORECASE)
        if found:
            remark = error if always else warning
            yield remark(said.place, f"“{found[0]}”: persona.never has it")


def never_phrases(persona: Persona) -> Iterator[tuple[str, bool]]:
    """Yield the words that `never` forbids: the quoted ones, and those after "says" and the like.

    With each, whether it holds always ("says x in earnest" does not). What somebody never does
    ("raises her voice") has no words to look for.
    """
    for entry in persona.never:
        quoted = _QUOTED.findall(entry)
        said = _SAYS.match(entry)
        rest = entry[said.end() :] if said and not quoted else ""
        parts = quoted or _PARTS.split(_WHEN.sub("", rest))
        for part in (part.strip(" .,;:") for part in parts):
            if part and (quoted or len(part.split()) < LONGEST_PHRASE):
                yield part, bool(quoted) or not _WHEN.search(rest)


def _phrase(words: str) -> str:
    """Return a pattern for whole words, with or without a plural."""
    return rf"(?<!\w){re.escape(words)}(?:e?s)?(?!\w)"
