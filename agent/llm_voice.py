"""LLMVoice: the counterpart's words from a model, each sentence checked before it is shown.

It words the brief and no more: what is still hidden is not in the brief, so it is in no prompt.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

from agent.domain import Brief, Scenario, Speech, Usage
from agent.spoken import Mouth, Unfit, sentences
from prompts.render import data, part, prompt_hash, render
from prompts.spoken import Spoken, load_spoken

if TYPE_CHECKING:
    from agent.model import Message, Model
    from agent.session import Show, Voice

PROMPT: Final = "counterpart"
ATTEMPTS: Final = 2
LONGEST: Final = 2_000  # tokens, with those a model thinks in; the words are cut off long before
NOTHING: Final = "- (nothing yet)"


class LLMVoice:
    """The voice of a model. Where its words do not hold, `fallback` speaks, and the record says so.

    An endpoint that fails is not that case: its BackendError passes.
    """

    def __init__(self, model: "Model", fallback: "Voice") -> None:
        self._model, self._fallback = model, fallback

    @cached_property
    def name(self) -> str:
        """The model, and the hash of what it is told."""
        return f"{self._model.name} {PROMPT}-{prompt_hash(PROMPT, load_spoken().model_dump_json())}"

    def prepare(self, scenario: Scenario) -> None:
        """Load the words around the prompt, and what the fallback needs."""
        load_spoken()
        self._fallback.prepare(scenario)

    def speak(self, brief: Brief, show: "Show | None" = None) -> Speech:
        """Return what the counterpart says now, shown by the sentence.

        Raises BackendError where the endpoint fails.
        """
        began = time.perf_counter()
        wrong: list[str] = []
        speech = None
        while speech is None and len(wrong) < ATTEMPTS:
            try:
                words = self._said(brief, wrong, show or _unseen)
                speech = Speech(text=words, voice=self.name)
            except Unfit as unfit:
                wrong.append(str(unfit))
        if speech is None:
            (show or _unseen)("")
            speech = self._fallback.speak(brief, show)
            speech = speech.model_copy(update={"instead": f"{self.name}: {'; '.join(wrong)}"})
        seconds = round(time.perf_counter() - began, 3)
        usage = Usage(tokens_in=None, tokens_out=None, seconds=seconds)
        return speech.model_copy(update={"usage": usage})

    def _said(self, brief: Brief, wrong: Sequence[str], show: "Show") -> str:
        """Return the words of one attempt. Raises Unfit."""
        spoken = load_spoken()
        asked = messages(brief, spoken)
        mouth = Mouth(brief, spoken, known="\n".join(text for _, text in asked))
        show("")
        again = _again(asked, wrong[-1]) if wrong else asked
        with _closed(self._model.stream(again, longest=LONGEST)) as pieces:
            for sentence in sentences(pieces, spoken.most_characters):
                show(mouth.say(sentence))
        if not mouth.words:
            raise Unfit("no words")
        return mouth.words


def messages(brief: Brief, spoken: Spoken) -> "tuple[Message, ...]":
    """Return what a model is told: the person and what they may say, then this moment."""
    first = brief.persona.name.split()[0]
    persona = brief.persona.model_dump(include={"name", "role", "history", "voice"})
    return render(
        PROMPT,
        {
            **persona,
            "first": first,
            "never": _listed(brief.persona.never),
            "facts": _listed(f"{t.asks[0]} “{t.say}”" for t in brief.topics if t.say),
            "knows": _listed(brief.knows),
            "said": data("\n".join(_history(brief, first))),
            "reply": data(brief.reply) if brief.reply else f"(They end the talk; {first} decides.)",
            "stance": spoken.stances[brief.stance],
            "moment": " ".join(moments(brief, spoken)),
            "decision": spoken.decisions.get(brief.cues[0], spoken.nothing_decided),
        },
    )


def _again(asked: "Sequence[Message]", wrong: str) -> "tuple[Message, ...]":
    """Add what was wrong; to the last message, as some endpoints refuse two of a role in a row."""
    *before, (role, text) = asked
    return (*before, (role, f"{text}\n\n{part(PROMPT, 'again', {'wrong': wrong})}"))


def moments(brief: Brief, spoken: Spoken) -> list[str]:
    """Return what the person does now, in plain words: the first cue, and what may follow it."""
    cue, after = brief.cues[0], brief.after[:1]
    if cue in spoken.decisions:
        return ["This is the end of the talk. Answer what they said with your decision."]
    names = ["reveal" if cue.startswith("reveal.") else cue, *after]
    return [spoken.moments[name] for name in names]


def _history(brief: Brief, first: str) -> Iterator[str]:
    """Yield each turn on one line, so that none can look like several."""
    for who, text in brief.history:
        yield f"{first if who == 'counterpart' else 'The other person'}: {' '.join(text.split())}"


def _listed(lines: "Sequence[str] | Iterator[str]") -> str:
    return "\n".join(f"- {' '.join(line.split())}" for line in lines) or NOTHING


def _unseen(_words: str) -> None:
    """Show nobody."""


@contextmanager
def _closed(pieces: Iterator[str]) -> Iterator[Iterator[str]]:
    """Let go of the endpoint at once where the rest is not wanted."""
    try:
        yield pieces
    finally:
        close = getattr(pieces, "close", None)
        if close:
            close()
