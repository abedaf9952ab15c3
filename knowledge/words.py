"""Words as the index sees them: content words, stems by SQLite's own tokenizer, near spellings."""

import re
import sqlite3
import threading
from collections.abc import Iterable
from functools import lru_cache

TOKENIZER = "porter unicode61 remove_diacritics 2"  # of every FTS5 table here

MIN_LENGTH = 5  # characters of a word that may be a misspelling
LONG = 8  # characters from which two slips are taken, below it one

_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)*")
STOP_WORDS = frozenset(
    """a about all also am an and any are aren't as at be because been being but by can can't could
    did didn't do does doesn't doing don't dont done each even ever every for from get gets getting
    give given go goes going got had has hasn't have haven't having he her here hers him his how
    how's i i'd i'll i'm i've if im in into is isn't it it's its itself just let like me might more
    most much must my myself no nor not of off on one only or other our ours out over own please
    really s same say says she should shouldn't so some something such t tell than that that's the
    their theirs them then there there's these they they're thing things this those through to too
    under up us very want was wasn't we we're were weren't what what's whats when where where's
    which while who who's whom whose why will with won't would wouldn't yes you you're your
    yours""".split()  # noqa: SIM905 (two hundred lines otherwise)
)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, straight apostrophes inside kept."""
    return [match.group().replace("’", "'").lower() for match in _WORD.finditer(text)]


def content_words(text: str) -> list[str]:
    """Return the words that carry the sense, each once, in their order."""
    return list(dict.fromkeys(word for word in words(text) if word not in STOP_WORDS))


def match_query(text: str) -> str:
    """Return an FTS5 query for any of the content words; empty when there are none.

    Each word is quoted, so nothing in the text is read as a query operator.
    """
    terms = [part for word in content_words(text) for part in word.split("'") if len(part) > 1]
    return " OR ".join(f'"{term}"' for term in terms)


class _Stemmer:
    """SQLite's tokenizer, reached through a table in memory: the stems are those of the index."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(f"CREATE VIRTUAL TABLE t USING fts5(x, tokenize='{TOKENIZER}')")
        self._db.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")

    def __call__(self, text: str) -> tuple[str, ...]:
        with self._lock:
            self._db.execute("DELETE FROM t")
            self._db.execute("INSERT INTO t (x) VALUES (?)", (text,))
            rows = self._db.execute("SELECT term FROM v ORDER BY offset").fetchall()
        return tuple(row[0] for row in rows)


@lru_cache(maxsize=1)
def _stemmer() -> _Stemmer:
    return _Stemmer()


@lru_cache(maxsize=20_000)
def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text's words, in their order, as SQLite's porter tokenizer has them."""
    return _stemmer()(text)


def nearest_spelling(word: str, vocabulary: Iterable[str]) -> str | None:
    """Return the word of the vocabulary that `word` misspells, or None.

    One slip (a letter wrong, missing, doubled or swapped with its neighbour), two in a long word;
    the first letter is taken as right, and a tie is left alone.
    """
    from rapidfuzz.distance import OSA

    if len(word) < MIN_LENGTH:
        return None
    slips = 2 if len(word) >= LONG else 1
    near: dict[str, int] = {}
    for known in vocabulary:
        if known[0] == word[0] and abs(len(known) - len(word)) <= slips:
            distance = OSA.distance(word, known, score_cutoff=slips)
            if distance <= slips:
                near[known] = distance
    least = min(near.values(), default=0)
    best = [known for known, distance in near.items() if distance == least]
    return best[0] if len(best) == 1 else None
