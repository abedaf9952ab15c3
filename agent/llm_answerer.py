"""The answerer that asks a model: a few passages go in, and of what comes back only what they hold.

A sentence stays where each of its quotes is found in its passage and the sentence says no more
than they do (`agent.supported`). Where none stays, the question is refused as the local answerer
refuses it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from agent.domain import Answer, Usage
from agent.errors import Unusable
from agent.llm_critic import SHOWN, both
from agent.model import Completion, Message, Model, schema_of
from agent.supported import Run, run_of, unsupported, without_verdict
from knowledge.answer import NOT_SAID, Answerer, Place
from knowledge.passages import Passage, sentences
from knowledge.ranking import Ranking
from knowledge.refusal import attack_in
from prompts.render import data, part, prompt_hash, render

PROMPT: Final = "answer"
LONGEST: Final = 4_000  # tokens; a model that thinks first needs most of them
PASSAGES: Final = 5  # of each library
MOST_WORDS: Final = 120  # of an answer
MOST: Final = 30  # sentences of an answer, and quotes of a sentence, that are read

_IDS: Final = re.compile(r"\s*[\[(]P\d+(?:[,;] *P\d+)*[\])]")
_SIGNS: Final = re.compile(r"[*`#]+")
_POINTS_BACK: Final = re.compile(
    r"(?i)(?:but |and |yet |so )?(?:this|that|these|those|they|it|he|she|such|thus|therefore)\b"
)


class Quoted(BaseModel):
    """Words of a passage, by its id in the prompt. No bounds: endpoints refuse them."""

    model_config = ConfigDict(extra="forbid")

    passage: str
    words: str


class Sentence(BaseModel):
    """A sentence of the answer and what it rests on."""

    model_config = ConfigDict(extra="forbid")

    text: str
    quotes: list[Quoted]


class Wire(BaseModel):
    """What a model is asked for; what is read is more permissive, see `read_answer`."""

    model_config = ConfigDict(extra="forbid")

    said: bool
    sentences: list[Sentence]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence as a model gave it, its quotes as (id, words)."""

    text: str
    quotes: tuple[tuple[str, str], ...]


class LLMAnswerer:
    """Answers questions from the passages that `answerer` finds, in a model's words.

    Raises BackendError, of which Unusable where an answer cannot be read, also after one repair.
    """

    def __init__(self, model: Model, answerer: Answerer, *, longest: int = LONGEST) -> None:
        self._model, self._answerer, self._longest = model, answerer, longest

    @cached_property
    def name(self) -> str:
        """The model and the hash of the prompt; an answer keeps it."""
        return f"{self._model.name} {PROMPT}-{prompt_hash(PROMPT, self._schema)}"

    def answer(self, question: str, after: str | None = None) -> Answer:
        """Answer a question; `after` is the question before it. Raises InputError too."""
        rankings = self._answerer.rankings(question, after)
        if attack_in(question, rankings[0]):
            return Answer(question=question, refused=True, lead=NOT_SAID)
        if after and attack_in(after, rankings[0]):
            after = None
        shown = passages_of(rankings)
        if not shown:
            return self._answerer.refuse(question, rankings)
        said, usage = self._ask(self.messages(question, after, shown))
        kept = self._kept(said, shown)
        if kept:
            lead = " ".join(text for text, _ in kept)
            quotes = self._answerer.cite(dict.fromkeys(p for _, runs in kept for p in places(runs)))
            answer = Answer(question=question, refused=False, lead=lead, quotes=quotes)
        else:
            answer = self._answerer.refuse(question, rankings)
        return answer.model_copy(update={"answerer": self.name, "usage": usage})

    def rank(self, question: str, after: str | None = None) -> Ranking:
        """Return how the passages rank for a question."""
        return self._answerer.rank(question, after)

    def messages(
        self, question: str, after: str | None, shown: Mapping[str, Passage]
    ) -> tuple[Message, ...]:
        """Return what the model is told: the passages and the question, as data."""
        listed = [f"{name}\n{data(self._described(p))}" for name, p in shown.items()]
        values = {
            "schema": self._schema,
            "passages": "\n\n".join(listed),
            "after": data(after) if after else "(none)",
            "question": data(question),
        }
        return render(PROMPT, values)

    def _described(self, passage: Passage) -> str:
        under = f"\nHeading: {passage.heading}" if passage.heading else ""
        return f"Document: {self._answerer.title(passage.source)}{under}\nText: {passage.text}"

    @cached_property
    def _schema(self) -> str:
        return json.dumps(schema_of(Wire))

    def _ask(self, messages: Sequence[Message]) -> tuple[list[Said], Usage]:
        """Return what was said, asked for once more where it cannot be read. Raises Unusable."""
        first = self._complete(messages)
        said, problem = read_answer(first.text)
        if said is not None:
            return said, first.usage
        repair = part(PROMPT, "repair", {"problem": problem})
        again = (*messages, ("assistant", first.text[:SHOWN]), ("user", repair))
        second = self._complete(again)
        said, problem = read_answer(second.text)
        if said is None:
            raise Unusable(
                f"The answer of {self._model.name} could not be read, also not when it was asked "
                "again. Nothing was stored. Ask again, name another model, or set "
                "REHEARSAL_ANSWERER=local."
            )
        return said, both(first.usage, second.usage)

    def _complete(self, messages: Sequence[Message]) -> Completion:
        return self._model.complete(messages, schema=Wire, longest=self._longest)

    def _kept(
        self, said: Sequence[Said], shown: Mapping[str, Passage]
    ) -> list[tuple[str, list[Run]]]:
        """Return the sentences that hold, with the words they rest on, up to the most words.

        What points back at a sentence that was taken out goes with it.
        """
        kept: list[tuple[str, list[Run]]] = []
        left, whole = MOST_WORDS, True
        for text, runs in _sentences(said, shown):
            titles = {self._answerer.title(run.passage.source) for run in runs}
            leans = not whole and _POINTS_BACK.match(text)
            whole = not leans and unsupported(text, runs, titles) is None
            if not whole or text in (earlier for earlier, _ in kept):
                continue
            left -= len(text.split())
            if left < 0:
                break
            kept.append((text, runs))
        return kept


def passages_of(rankings: Sequence[Ranking]) -> dict[str, Passage]:
    """Return the passages to show a model by their ids there; headings alone come last."""
    found: list[Passage] = []
    for ranking in rankings:
        found += sorted(ranking.passages, key=lambda p: p.kind == "heading")[:PASSAGES]
    return {f"P{n}": passage for n, passage in enumerate(found, 1)}


def places(runs: Sequence[Run]) -> list[Place]:
    """Return the whole sentences of the material that quoted words lie in."""
    return [(run.passage, span) for run in runs for span in run.spans]


def read_answer(text: str) -> tuple[list[Said] | None, str]:
    """Return the sentences in an answer, none where it says so, or None and what is wrong."""
    try:
        answer = json.loads(text[text.find("{") : text.rfind("}") + 1])
        if not isinstance(answer["said"], bool) or not isinstance(answer["sentences"], list):
            raise TypeError("`said` is true or false, `sentences` is a list")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return None, f"It is not JSON in the schema: {type(error).__name__}: {error}"[:300]
    rows = answer["sentences"][:MOST] if answer["said"] else []
    return [_said(row) for row in rows if isinstance(row, dict)], ""


def _said(row: dict[str, Any]) -> Said:
    quotes = row.get("quotes")
    listed = quotes[:MOST] if isinstance(quotes, list) else []
    pairs = [(q.get("passage"), q.get("words")) for q in listed if isinstance(q, dict)]
    named = tuple((str(name).strip(" []()").upper(), str(words)) for name, words in pairs)
    return Said(without_verdict(_bare(str(row.get("text") or ""))), named)


def _bare(text: str) -> str:
    """Return a text on one line, without the ids of passages and signs of markup."""
    return " ".join(_SIGNS.sub("", _IDS.sub("", text)).split())


def _sentences(
    said: Sequence[Said], shown: Mapping[str, Passage]
) -> Iterator[tuple[str, list[Run]]]:
    """Give each sentence by itself with the words it quotes, none where one is not found."""
    for one in said:
        found = [run_of(words, shown[name]) for name, words in one.quotes if name in shown]
        runs = [run for run in found if run is not None]
        exact = len(runs) == len(one.quotes)
        for span in sentences(one.text):
            yield one.text[span.start : span.end], runs if exact else []
