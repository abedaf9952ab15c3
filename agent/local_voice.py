"""AuthoredVoice: the counterpart's words from the lines written for it. No network, deterministic.

It answers what was asked from the facts, says the line that fits the moment and the learner's own
words best, and says no line twice.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from agent.domain import Brief, Line, Scenario, Speech, Topic
from agent.words import content_words
from prompts import fill, slots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.encoder import SentenceEncoder
    from agent.session import Show

ASKED: Final = (
    0.55  # cosine of a question to a way of asking, from which it counts as that question
)
_SENTENCE: Final = re.compile(r"[^.!?\n]*[.!?]*")
_ASKING: Final = re.compile(
    r"^(?:and |so |but |then |ok(?:ay)?,? )?(?:what|who|whose|when|where|which|why|how"
    r"|is|are|was|were|do|does|did|can|could|would|will|have|has|tell me"
    r"|walk me through|talk me through)\b",
    re.IGNORECASE,
)
ANSWERABLE: Final = ("react.", "general", "empty", "silence")
DECIDED: Final = ("accept", "counter.")
ON_THE_TABLE: Final = ("react.offer", "react.promise", "react.experiment", "react.request")
UNMOVED: Final = ("react.open_question", "general", "empty")  # only a question is there to answer
MOST_QUESTIONS: Final = 2


class AuthoredVoice:
    """The local voice. `encoder` finds which question was asked; by default it loads when used."""

    name = "authored_v1"

    def __init__(self, encoder: "SentenceEncoder | None" = None) -> None:
        self._encoder = encoder
        self._vectors: dict[tuple[str, ...], NDArray[Any]] = {}

    def prepare(self, scenario: Scenario) -> None:
        """Warm the vectors of all that can be asked in a scenario."""
        asks = (*(f.asks for f in scenario.facts), *(s.asks for s in scenario.concern))
        for some in asks:
            self._encoded(some)

    def speak(self, brief: Brief, show: "Show | None" = None) -> Speech:
        """Return what the counterpart says now: at most an answer, a line, and one that follows.

        Raises:
            BackendError: the sentence encoder cannot be loaded.
        """
        used = list(brief.said)
        parts = [_say(line, brief, used) for line in self._first(brief, used)]
        if not parts or not brief.cues[0].startswith(ANSWERABLE):
            line = _best(brief, brief.cues, used)
            parts += [_say(line, brief, used)] if line else []
        after = _best(brief, brief.after, used)
        if after:
            parts.append(_say(after, brief, used))
        if not parts:
            parts.append(_say(_any(brief, used), brief, used))
        return Speech(text=" ".join(parts), voice=self.name, lines=tuple(used[len(brief.said) :]))

    def _first(self, brief: Brief, used: Sequence[str]) -> list[Line]:
        """Return the line that takes up what was asked or offered, before what is to be said."""
        if not brief.cues[0].startswith((*ANSWERABLE, "reveal.", *DECIDED)):
            return []
        asked = questions(brief.reply)
        topic = self._topic(brief) if asked else None
        if topic and topic.say is not None and topic.cue not in used:
            return [Line(id=topic.cue, on="fact", say=topic.say)]
        line = _best(brief, _taking_up(brief, asked, topic, used), used)
        return [line] if line else []

    def _topic(self, brief: Brief) -> Topic | None:
        """Return what the learner asked about, if it is among the topics."""
        asked = questions(brief.reply)[-MOST_QUESTIONS:]
        if not brief.topics:
            return None
        vectors = self._loaded().encode(asked)
        scored = [
            (float((vectors @ self._encoded(topic.asks).T).max()), -n, topic)
            for n, topic in enumerate(brief.topics)
        ]
        score, _, topic = max(scored, key=lambda s: s[:2])
        return topic if score >= ASKED else None

    def _encoded(self, asks: tuple[str, ...]) -> "NDArray[Any]":
        if asks not in self._vectors:
            self._vectors[asks] = self._loaded().encode(asks)
        return self._vectors[asks]

    def _loaded(self) -> "SentenceEncoder":
        if self._encoder is None:
            from agent.encoder import default_encoder

            self._encoder = default_encoder()
        return self._encoder


def questions(text: str) -> list[str]:
    """Return the sentences of a text that ask something."""
    sentences = [s.strip() for s in _SENTENCE.findall(text[:4000]) if s.strip()]
    return [s for s in sentences if s.endswith("?") or _ASKING.match(s)]


def _taking_up(
    brief: Brief, asked: Sequence[str], topic: Topic | None, used: Sequence[str]
) -> tuple[str, ...]:
    """Return the cues of what may be said of a reply that no fact answers.

    Before what comes out: a word on what was offered, or, once in a conversation, that the
    question must wait. Else that this is not spoken of, was answered, or is not known.
    """
    cue = brief.cues[0]
    if cue.startswith("reveal."):
        waits = asked and not (topic and topic.cue == cue) and not _was_set_aside(used)
        offered = (c for c in brief.cues if c in ON_THE_TABLE)
        return (*offered, *(("aside",) if waits else ()))
    if not asked or not cue.startswith(ANSWERABLE):
        return ()
    if topic:
        return (topic.cue if topic.say is None else "asked_before",)
    return ("unknown",) if _left_asking(brief, asked) else ()


def _was_set_aside(used: Sequence[str]) -> bool:
    return any(line.startswith("aside.") for line in used)


def _left_asking(brief: Brief, asked: Sequence[str]) -> bool:
    """Whether the reply ends with a question, and did nothing else that could be taken up."""
    return brief.cues[0] in UNMOVED and brief.reply.strip().endswith(asked[-1])


def _say(line: Line, brief: Brief, used: list[str]) -> str:
    used.append(line.id)
    return fill(line.say, brief.own_words)


def _best(brief: Brief, cues: Sequence[str], used: Sequence[str]) -> Line | None:
    """Return the unused line of the first cue that has one: the closest to the learner's words."""
    for cue in cues:
        fitting = [ln for ln in brief.lines if ln.on == cue and _sayable(ln, brief, used)]
        if fitting:
            turned = brief.turn % len(fitting)
            order = fitting[turned:] + fitting[:turned]
            return max(order, key=lambda line: _closeness(line, brief))
    return None


def _sayable(line: Line, brief: Brief, used: Sequence[str]) -> bool:
    return line.id not in used and slots(line.say) <= brief.own_words.keys()


def _closeness(line: Line, brief: Brief) -> float:
    """Return how well a line takes up the learner's words: shared content words, own words used."""
    shared = content_words(f"{line.say} {line.about}") & content_words(brief.reply)
    later = 0.5 * (line.since > 0)
    return len(shared) + 1.5 * bool(slots(line.say)) + later + 0.5 * bool(line.stance)


def _any(brief: Brief, used: Sequence[str]) -> Line:
    """Return any line that asserts nothing, so that the person never falls silent."""
    last = next(
        (
            ln
            for ln in brief.lines
            if ln.on in ("general", "empty", "repeated", "silence") and _sayable(ln, brief, used)
        ),
        None,
    )
    return last or Line(
        id=f"pause.{brief.turn}", on="general", say=PAUSES[brief.turn % len(PAUSES)]
    )


PAUSES: Final = ("Hm.", "Go on.", "…")
