"""Whether the material answers a question: a small logistic model over a ranking's features.

The weights are data (refusal.json), fitted by `python -m knowledge.calibrate` on the development
questions. There are two models: one for material that has written questions, one for material
that has none. Wordings of attacks are refused before that, by rule (attacks.yaml).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.ranking import Ranking, settings
from knowledge.words import content_words, stems

FAMILIAR = 0.45  # cosine below which a question is strange to the material
SAID_ALREADY = 0.8  # share of a claim's words in one sentence that make it the material's own
ABOUT_A_SOURCE = frozenset(
    [
        *("article", "author", "confirm", "exact", "exactly", "find", "institute", "igl", "line"),
        *("passage", "place", "quote", "quotation", "said", "sentence", "show", "source", "state"),
        *("states", "text", "word", "words", "write", "writes"),
    ]
)
PLAIN = ("sentence", "passage", "words")  # features without written questions

_NUMBER = re.compile(
    r"(?i)\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twenty|fifty|hundred|half"
    r"|decades?|years?|complimentary|first|second)\b"
)
_ASKS_NUMBER = re.compile(
    r"(?i)\b(?:how (?:many|much|long|often|old|big|tall|far)|what (?:percentage|share|price|year"
    r"|date|number|time)|which year|when (?:was|is|does|did)|cost|price|salary|exactly)\b"
)
_ASKS_NAME = re.compile(
    r"(?i)\b(?:who (?:is|was|founded|wrote|won)|name of"
    r"|which (?:city|cities|country|company|companies|corporation|books?|university)|where is)\b"
)


@dataclass(frozen=True, slots=True)
class Attack:
    """A wording that is refused by rule; `unless_said` lets the material's own claims through."""

    name: str
    pattern: re.Pattern[str]
    unless_said: bool


@lru_cache(maxsize=1)
def attacks() -> tuple[Attack, ...]:
    """Return the wordings of attacks.yaml."""
    rows = yaml.safe_load(Path(__file__).with_name("attacks.yaml").read_text("utf-8"))
    return tuple(
        Attack(r["name"], re.compile(r["pattern"], re.I | re.S), r.get("unless_said", False))
        for r in rows
    )


def models() -> Mapping[str, Mapping[str, Any]]:
    """Return the two fitted models: weights by feature, intercept, threshold."""
    found: Mapping[str, Mapping[str, Any]] = settings()["models"]
    return found


def attack_in(question: str, ranking: Ranking) -> str | None:
    """Return the name of the attack a question is worded as, or None."""
    for attack in attacks():
        if attack.pattern.search(question) and not (attack.unless_said and is_said(ranking)):
            return attack.name
    return None


def is_said(ranking: Ranking) -> bool:
    """Tell whether the words of a claim about the source are those of its best sentence."""
    claimed = [word for word in content_words(ranking.asked) if word not in ABOUT_A_SOURCE]
    held = {stem for s in ranking.sentences[:1] for stem in stems(s.text)}
    said = [all(stem in held for stem in stems(word)) for word in claimed]
    return bool(said) and sum(said) / len(said) >= SAID_ALREADY


def features(ranking: Ranking) -> dict[str, float]:
    """Return what speaks for and against an answer in the material; each about -1 to 1."""
    top = ranking.sentences[:4]
    terms = content_words(ranking.asked)
    best = {
        n: max((s.parts[n] for s in top), default=0.0) for n in ("sentence", "passage", "words")
    }
    held = " ".join(s.text for s in top)
    plain = {
        **best,
        "unknown": len(ranking.unknown) / len(terms) if terms else 1.0,
        "no_number": float(bool(_ASKS_NUMBER.search(ranking.asked) and not _NUMBER.search(held))),
        "asks_number": float(bool(_ASKS_NUMBER.search(ranking.asked))),
        "asks_name": float(bool(_ASKS_NAME.search(ranking.asked))),
    }
    if not ranking.routes:  # its development questions are too few to weigh more than these
        return {name: plain[name] for name in PLAIN}
    return plain | _routed(ranking)


def probability(ranking: Ranking) -> float:
    """Return how likely it is that the material answers the question, 0 to 1."""
    if not ranking.sentences:
        return 0.0
    model = models()[model_name(ranking)]
    found = features(ranking)
    total = sum(weight * found[name] for name, weight in model["weights"].items())
    return 1 / (1 + math.exp(-(model["intercept"] + total)))


def model_name(ranking: Ranking) -> str:
    """Return which model reads a ranking."""
    return "with_questions" if ranking.routes else "plain"


def is_answered(ranking: Ranking) -> bool:
    """Tell whether the material answers the question, by the threshold of the model."""
    if not ranking.sentences:
        return False
    return probability(ranking) >= float(models()[model_name(ranking)]["threshold"])


def _routed(ranking: Ranking) -> dict[str, float]:
    whole = ranking.routes[0]
    familiar = max(whole.nearest_said, max(s.parts["sentence"] for s in ranking.sentences[:4]))
    return {
        "strange": max(0.0, FAMILIAR - familiar),
        "route": max(whole.said.values(), default=0.0),
        "balance": whole.balance,
        "part_balance": min(route.balance for route in ranking.routes),
        "nearest_said": whole.nearest_said,
        "nearest_not_said": whole.nearest_not_said,
    }
