"""Texts with {slots}: the learner's own words, put in when a line is said."""

import re
from collections.abc import Mapping
from typing import Final

VARIABLES: Final = frozenset({"time", "number", "vague", "words", "promise"})
_SLOT: Final = re.compile(r"\{([^{}]*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in the {slots} of a text, in one pass: a value that contains {x} stays as it is.

    Raises:
        KeyError: a slot has no value.
    """
    return _SLOT.sub(lambda slot: values[slot[1]], text)


def slots(text: str) -> frozenset[str]:
    """Return the names of the {slots} in a text."""
    return frozenset(_SLOT.findall(text))
