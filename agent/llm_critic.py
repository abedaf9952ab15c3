"""The critic that asks a model: the words for each move first, then the verdict.

What it returns are claims. What is admitted of them is for `agent.rubric` to say, as with any
critic.
"""

import json
import math
import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pydantic import ConfigDict, create_model

from agent.domain import Claim, Move, Reading, Usage
from agent.errors import Unusable
from agent.model import Completion, Message, Model, schema_of
from agent.rubric import admit
from agent.session import LONGEST
from agent.words import echoes, plain
from prompts.render import data, part, prompt_hash, render

if TYPE_CHECKING:
    from prompts import Rubric

PROMPT: Final = "critic"
ANSWER: Final = 4_000  # tokens; a model that thinks first needs most of them
SHOWN: Final = 4_000  # characters of an answer that are shown to the model again
MOST: Final = 100  # claims of one answer
SAME: Final = {"'": "['‘’]", '"': '["“”]', "-": "[-–—‑]"}  # each may stand for the others
ALIKE: Final = {variant: group for group in SAME.values() for variant in group.strip("[]")}

# No defaults and no bounds: endpoints refuse them. What is read is more permissive, see `claims_of`
_FIELDS: Final[dict[str, Any]] = {move.value: (list[str], ...) for move in Move} | {
    "left_with": (str, ...),
    "overall": (int, ...),
}
Wire: Final = create_model("Reading", __config__=ConfigDict(extra="forbid"), **_FIELDS)


class LLMCritic:
    """Reads a reply with a model. Safe to share between threads.

    Raises BackendError, of which Unusable where the answer cannot be read, also after one repair.
    """

    def __init__(self, model: Model, rubric: "Rubric", *, longest: int = ANSWER) -> None:
        self._model, self._rubric, self._longest = model, rubric, longest

    @cached_property
    def name(self) -> str:
        """The model and the hash of the prompt; a critique keeps it."""
        return f"{self._model.name} {PROMPT}-{prompt_hash(PROMPT, self._moves, self._schema)}"

    def read(self, history: Sequence[tuple[str, str]], reply: str) -> Reading:
        """Return what the model claims about `reply`; words not in it are claims all the same."""
        messages = self.messages(history, reply)
        first = self._ask(messages)
        reading, problems = read_answer(first.text, reply)
        usage = first.usage
        if problems:
            repair = part(PROMPT, "repair", {"problems": "\n".join(f"- {p}" for p in problems)})
            second = self._ask((*messages, ("assistant", first.text[:SHOWN]), ("user", repair)))
            repaired, _ = read_answer(second.text, reply)
            reading, usage = repaired or reading, both(usage, second.usage)
        if reading is None:
            raise Unusable(
                f"The answer of {self._model.name} could not be read, also not when it was asked "
                "again. Nothing was stored. Send the reply again, name another model, or set "
                "REHEARSAL_CRITIC=local."
            )
        heard = [plain(text) for who, text in history if who == "counterpart"]
        own = tuple(claim for claim in reading.claims if not echoes(claim.words, heard))
        return Reading(claims=own, overall=reading.overall, usage=usage)

    def messages(self, history: Sequence[tuple[str, str]], reply: str) -> tuple[Message, ...]:
        """Return what the model is told: the rubric, the conversation and the reply."""
        turns = [f"The {who} said:\n{data(text)}" for who, text in history]
        values = {
            "moves": self._moves,
            "schema": self._schema,
            "history": "\n\n".join(turns) or "(nothing was said yet)",
            "reply": data(reply),
        }
        return render(PROMPT, values)

    def _ask(self, messages: Sequence[Message]) -> Completion:
        return self._model.complete(messages, schema=Wire, longest=self._longest)

    @cached_property
    def _schema(self) -> str:
        return json.dumps(schema_of(Wire))

    @cached_property
    def _moves(self) -> str:
        """The twenty moves, in the words of the rubric."""
        lines = []
        for move, text in self._rubric.moves.items():
            side = "" if text.good else " (works against the speaker)"
            but = f"; not when {text.not_when}" if text.not_when else ""
            lines.append(f"- {move.value}{side}: {text.present}{but}. Such as: “{text.example}”")
        return "\n".join(lines)


def read_answer(text: str, reply: str) -> tuple[Reading | None, list[str]]:
    """Return the reading in an answer, or None, and what is wrong with it for the model to mend."""
    try:
        answer = json.loads(text[text.find("{") : text.rfind("}") + 1])
        overall = whole_number(answer["overall"])
        claims = claims_of(answer, reply)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return None, [f"It is not JSON in the schema: {type(error).__name__}: {error}"[:300]]
    reading = Reading(claims=claims, overall=overall)
    wrong = [claim for claim in claims if not in_the_reply(claim, reply)]
    return reading, [
        f"{claim.move}: {json.dumps(claim.words[:300], ensure_ascii=False)} is not in the reply"
        for claim in wrong
    ]


def in_the_reply(claim: Claim, reply: str) -> bool:
    """Tell whether a claim's words stand in the reply, as the gate will ask."""
    admitted = admit(reply, claim)
    return getattr(admitted, "reason", None) != "not in the reply"


def whole_number(value: Any) -> int:
    """Return a score as a whole number; the gate clamps it. Raises ValueError, TypeError."""
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError("overall is not a number")
    return round(number)


def claims_of(answer: dict[str, Any], reply: str) -> tuple[Claim, ...]:
    """Return the claims in an answer; a move nobody knows is a claim too.

    A list of words is expected; a single text is taken for one, nothing for none.
    """
    claims: list[Claim] = []
    for name, value in answer.items():
        known = name in Wire.model_fields
        listed = [value] if known and isinstance(value, str) else value
        if name in ("left_with", "overall") or not isinstance(listed, list):
            continue
        room = MOST - len(claims)
        claims += [claim_of(name, words, reply) for words in listed[:room] if words]
    return tuple(claims)


def claim_of(move: str, words: Any, reply: str) -> Claim:
    """Return a claim whose words are the reply's own where they differ in signs and spaces only."""
    said = str(words).strip()[:LONGEST]
    near = said not in reply and len(said) <= len(reply)
    found = re.search(pattern_of(said), reply) if near else None
    if found is None:
        return Claim(move=move[:LONGEST], words=said)
    return Claim(move=move[:LONGEST], words=found[0], start=found.start())


def pattern_of(words: str) -> str:
    """Return a pattern for words with any kind of quotation mark, dash and space."""
    signs = {sign: ALIKE.get(sign, re.escape(sign)) for sign in set(words)}
    return r"\s+".join("".join(signs[sign] for sign in word) for word in words.split())


def both(one: Usage, other: Usage) -> Usage:
    """Return what two answers took together; unknown where one of them is."""

    def added(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    return Usage(
        tokens_in=added(one.tokens_in, other.tokens_in),
        tokens_out=added(one.tokens_out, other.tokens_out),
        seconds=round(one.seconds + other.seconds, 3),
    )
