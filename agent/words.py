"""Words of a reply that a person would take up: content words, times, numbers, soft words. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_LETTERS: Final = re.compile(r"[^\W_]+")
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_COMMON: Final = frozenset(
    """
    a about above after again all also am an and any are aren't as at back be because both been
    before being but by can can't cannot come could couldn't did didn't do does doesn't
    doing don't done down each else even ever every few for from get getting give go goes
    going gone good got had has have haven't having he he's her here hers him his how i i'd
    i'll i'm i've if in into is isn't it it's its just keep know let let's like look lot
    made make many maybe me might mine more most much must my need never no nor not now of
    off oh ok okay on once one only or other our ours out over own please put quite rather
    really right said same say see shall she should so some still such sure take than that
    that's the their them then there there's these they they're thing things think this
    those to too try up upon us use very want was wasn't way we we'd we'll we're we've well
    were what what's when where which while who why will with without won't would yes yet
    you you'd you'll you're you've your yours
    """.split()  # noqa: SIM905
)
ECHO: Final = 5  # words: so many of the other's in a row make no move of the learner's
ENOUGH_WORDS, LEAST_COMMON = 8, 0.08  # English replies: 0.2 and more; lists of figures: from 0.1
_SUFFIX: Final = re.compile(r"(?:ies|ing|edly|ed|ly|es|s)$")
_DAY: Final = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH: Final = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
TIMES: Final = re.compile(
    rf"\b(?:{_DAY}(?: (?:morning|noon|afternoon|evening|night))?"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b"
    rf"|(?:end of |mid-?|early |late )?{_MONTH}"
    r"|tomorrow(?: (?:morning|noon|afternoon|evening|night))?|tonight"
    r"|end of the (?:week|month|quarter|year)"
    r"|(?:two|three|four|five|six|eight|ten|twelve|\d{1,3}) (?:hours|days|weeks|months)"
    r"|\d{1,2}(?::\d\d| ?[ap]m)|Q[1-4])\b"
)
_NUMBER: Final = re.compile(
    r"(?<![\w.])(?:[$€£]\s?)?\d[\d,.]*\d?"
    r"(?: ?(?:%|percent|per cent|million|thousand|k|m)\b|%)?(?![\w])"
)
_VAGUE: Final = re.compile(
    r"\b(?:soon|asap|as soon as (?:possible|we can|I can)|shortly|at some point|in due course"
    r"|look into (?:it|that|this)|see what (?:I|we) can do|do (?:my|our) best"
    r"|try|hopefully|ideally"
    r"|sort (?:it|that|this) out|going forward|when (?:I|we) can|some time|sometime|somehow"
    r"|in the (?:near|coming) (?:future|weeks|months)|take care of (?:it|that)"
    r"|work on (?:it|that))\b",
    re.IGNORECASE,
)

_AHEAD: Final = re.compile(
    r"['\u2019]ll\b|\b(?:will|won['\u2019]?t|shall|gonna|going to|about to|commit\w*|promis\w*"
    r"|guarantee\w*|pledge|undertake|my word|count on (?:me|us)|on me|take (?:it |that |this )?on"
    r"|can|by|before|until|within|from now on|no later than)\b",
    re.IGNORECASE,
)
_BACK: Final = re.compile(
    r"\b(?:sorry|apolog\w*|regret|my (?:fault|mistake|miss)|(?:I|we) (?:was|were|did|didn['\u2019]t"
    r"|had|should have|shouldn['\u2019]t have|could have|missed|failed|let you down|got it wrong"
    r"|own|pushed|pressed|leaned on|threatened|cornered|spoke|said|came (?:in|at))"
    r"|(?:that|it) was (?:wrong|unfair|out of order|not fair|too much|a threat|uncalled for))\b",
    re.IGNORECASE,
)
_ORDERS: Final = re.compile(
    r"ignore (?:all|any|the|your|previous|these)|(?:system|developer) prompt|as an ai\b|"
    r"(?:give|score|rate|grade|award) (?:me|this|it) (?:a |as )?(?:4|four|full)|</?\w+>|rubric",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """Return the content words of a text, lower case and without their commonest endings."""
    words = (word.lower().replace("\u2019", "'") for word in _WORD.findall(text))
    return frozenset(_stem(word) for word in words if len(word) > 1 and word not in _COMMON)


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for _ in range(2):  # "meetings" as "meeting"
        stem = _SUFFIX.sub("", word)
        word = stem if len(stem) >= 3 else word
    return word


def plain(text: str) -> str:
    """Return a text's words in lower case, apart by one space."""
    return " ".join(_LETTERS.findall(text.lower()))


def echoes(words: str, heard: Sequence[str]) -> bool:
    """Tell whether words are the other person's own, said back; a few ("by Friday") may be.

    `heard` is `plain`.
    """
    said = plain(words)
    return len(said.split()) >= ECHO and any(f" {said} " in f" {text} " for text in heard)


def word_list(text: str) -> list[str]:
    """Return the words of a text in order, as they stand."""
    return _WORD.findall(text)


def time_in(text: str) -> str | None:
    """Return the first day, date or span of time named, as it stands."""
    found = TIMES.search(text)
    return found[0] if found else None


def number_in(text: str) -> str | None:
    """Return the first number that is not part of a time, as it stands."""
    times = [match.span() for match in TIMES.finditer(text)]
    for match in _NUMBER.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in times):
            return match[0]
    return None


def vague_in(text: str) -> str | None:
    """Return the first soft word or phrase, as it stands."""
    found = _VAGUE.search(text)
    return found[0] if found else None


def looks_back(text: str) -> bool:
    """Whether words speak of what the speaker did: an apology, "I pushed you", "that was wrong"."""
    return bool(_BACK.search(text))


def only_looks_back(text: str) -> bool:
    """Whether words speak of what was, an apology say, and of nothing to come."""
    return bool(_BACK.search(text)) and not (_AHEAD.search(text) or TIMES.search(text))


def reads_as_english(text: str) -> bool:
    """Whether a text has the commonest English words as English has; true of what is short."""
    found = [word.lower().replace("\u2019", "'") for word in _WORD.findall(text) if word.isalpha()]
    common = sum(1 for word in found if word in _COMMON)
    return len(found) < ENOUGH_WORDS or common >= LEAST_COMMON * len(found)


def orders_a_machine(text: str) -> bool:
    """Whether the words are for a scorer or a machine, not for a person."""
    return bool(_ORDERS.search(text))
