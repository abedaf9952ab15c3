"""The words of the field as frozen values. No I/O, no clock, no randomness.

Source of the terms: Institute for Generative Leadership, "The Manager to Executive Transition"
(see knowledge/material); speech acts after Austin, Searle, and Winograd and Flores.
"""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Score = int  # 0-4, see prompts/rubric.yaml


class Value(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Move(StrEnum):
    """What one reply does; described in prompts/rubric.yaml."""

    DECLARATION = "declaration"
    CARE = "care"
    OPEN_QUESTION = "open_question"
    REFLECTION = "reflection"
    INVITATION = "invitation"
    REQUEST = "request"
    OFFER = "offer"
    PROMISE = "promise"
    TERMS = "terms"
    GROUNDED_ASSESSMENT = "grounded_assessment"
    NOT_KNOWING = "not_knowing"
    EXPERIMENT = "experiment"
    NEXT_STEP = "next_step"
    VALUE_LINK = "value_link"
    EFFORT_PUSH = "effort_push"
    PRESCRIPTION = "prescription"
    DEFENCE = "defence"
    VAGUENESS = "vagueness"
    PRESSURE = "pressure"
    HYPE = "hype"

    @property
    def good(self) -> bool:
        """Whether the move works for the speaker."""
        return self not in MOVES_AGAINST


MOVES_AGAINST = frozenset(
    {
        Move.EFFORT_PUSH,
        Move.PRESCRIPTION,
        Move.DEFENCE,
        Move.VAGUENESS,
        Move.PRESSURE,
        Move.HYPE,
    }
)


class Capability(StrEnum):
    """What a whole conversation shows; the ten of the source article, in its order."""

    CONNECT = "connect"
    LISTEN = "listen"
    CARE = "care"
    COMMIT = "commit"
    CURIOUS = "curious"
    CENTRE = "centre"
    NOT_KNOWING = "not_knowing"
    INNOVATE = "innovate"
    VALUE = "value"
    CONTRIBUTE = "contribute"


class Quote(Value):
    """A run of a reply, as offsets: `reply[start:end]`."""

    start: int = Field(ge=0)
    end: int

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.end <= self.start:
            raise ValueError("a quote has at least one character")
        return self

    def of(self, text: str) -> str:
        """Return the quoted words."""
        return text[self.start : self.end]


class Claim(Value):
    """What a critic says a reply does; untrusted until the rubric admits it.

    `start` is where the critic saw the words, or None when it only gave the words. `sure` is False
    for a claim between the lower and the finding threshold of the critic's model.
    """

    move: str
    words: str
    start: int | None = None
    confidence: float = 1.0
    sure: bool = True


class Usage(Value):
    """What answers of a model took; tokens are None where the endpoint does not say."""

    tokens_in: int | None
    tokens_out: int | None
    seconds: float


class Reading(Value):
    """All that a critic claims about one reply; `overall` may be out of range or a lie.

    `usage` is what it took, where a model was asked.
    """

    claims: tuple[Claim, ...] = ()
    overall: int = 0
    usage: Usage | None = None


class Finding(Value):
    """A move and the words that make it. Confidence is 0-1."""

    move: Move
    quote: Quote
    confidence: float = Field(default=1.0, ge=0, le=1)


class TurnedAway(Value):
    """A claim the rubric refused, and why."""

    claim: Claim
    reason: Literal["unknown move", "no words", "not in the reply", "not a number"]


class Critique(Value):
    """What the rubric admits of a reading. `critic` names the engine and its version.

    `possible` moves nothing: it is shown as a question. `turned_away` keeps each refused claim.
    """

    reply: str
    findings: tuple[Finding, ...] = ()
    possible: tuple[Finding, ...] = ()
    turned_away: tuple[TurnedAway, ...] = ()
    overall: Score = Field(ge=0, le=4)
    critic: str
    usage: Usage | None = None

    def moves(self) -> frozenset[Move]:
        """Return the moves found."""
        return frozenset(f.move for f in self.findings)

    def words(self, finding: Finding) -> str:
        """Return the exact words of a finding."""
        return finding.quote.of(self.reply)


class Citation(Value):
    """Words of a source and where they stand: `source_text[start:end] == text`.

    `passage` and `source` are ids.
    """

    passage: str
    source: str
    heading: str = ""
    text: str
    start: int = Field(ge=0)
    end: int


class Answer(Value):
    """An answer and the words it rests on.

    When `refused`, `quotes` is empty and `nearest` holds what the material does say nearby.
    `lead` is one or two plain sentences built only from what is quoted. Where a model worded it,
    `answerer` names the model with its prompt's hash and `usage` is what it took.
    """

    question: str
    refused: bool
    lead: str
    quotes: tuple[Citation, ...] = ()
    nearest: tuple[Citation, ...] = ()
    answerer: str = ""
    usage: Usage | None = None


class Stance(StrEnum):
    """Where the other person is; it sets the tone of what they say."""

    GUARDED = "guarded"
    TESTING = "testing"
    OPEN = "open"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a conversation ends."""

    ACCEPT = "accept"
    COUNTER = "counter"
    DECLINE = "decline"
    WALK_OUT = "walk_out"


class Missing(StrEnum):
    """What stands between the counterpart and a yes."""

    COMMITMENT = "commitment"  # nothing on the table to decide
    CONCERN = "concern"  # what this person is really worried about has not come out
    TRUST = "trust"
    TERMS = "terms"  # no date and no test


class Line(Value):
    """Words the counterpart may say, and the moment they are for.

    `on` is the cue (`react.promise`, `reveal.2`, `decline.terms`; see prompts/README.md). The line
    may be said while `since <= disclosed <= until` and in the named stances (none named: any).
    `about` lists words of the learner's that it fits. `say` may use {time}, {number}, {vague},
    {words} and {promise}: the learner's own words; it is only said when they are there.
    """

    id: str
    on: str
    say: str = Field(min_length=1, max_length=400)
    stance: tuple[Stance, ...] = ()
    since: int = 0
    until: int | None = None
    about: str = ""


class Stage(Value):
    """One layer of the concern. `gate` is the trust (0-10) it takes to come out.

    `name` and `knows` are for the debrief; `wants` says in plain words what would bring it out;
    `asks` are ways a learner might ask about it.
    """

    name: str
    gate: float = Field(ge=0, le=10)
    knows: str
    wants: str
    asks: tuple[str, ...] = Field(min_length=2)


class Fact(Value):
    """Something the counterpart can be asked about and will answer, once `since` stages are out."""

    id: str
    asks: tuple[str, ...] = Field(min_length=2)
    say: str = Field(min_length=1, max_length=400)
    since: int = 0


class Persona(Value):
    """The other person: who they are and how they talk."""

    name: str
    role: str
    history: str
    voice: str
    never: tuple[str, ...] = ()


class Scenario(Value):
    """One conversation of the transition; see prompts/README.md for how to write one."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str
    purpose: str
    difficulty: int = Field(ge=1, le=3)
    situation: str
    persona: Persona
    practises: tuple[Capability, ...] = Field(min_length=1)
    listens_for: tuple[Move, ...] = Field(min_length=2)
    closes_on: tuple[Move, ...] = Field(min_length=1)
    decides_on: tuple[Move, ...] = Field(min_length=1)
    needs_terms: bool
    trust: float = Field(ge=2, le=4)
    patience: int = Field(ge=3, le=8)
    accept_at: float = Field(ge=5, le=9)
    concern: tuple[Stage, ...] = Field(min_length=3, max_length=4)
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]
    models: dict[Move, tuple[str, ...]]
    ends: dict[Outcome, str]

    def openings(self) -> tuple[Line, ...]:
        """Return the different first words, in the order of the file."""
        return self.lines_on("opening")

    def lines_on(self, cue: str) -> tuple[Line, ...]:
        """Return the lines for one cue."""
        return tuple(line for line in self.lines if line.on == cue)


class Agreement(Value):
    """Something the learner put on the table: their move, their words, its terms if any.

    `apt` is False where the words touch nothing in this conversation: it cannot be decided on.
    """

    move: Move
    words: str
    exchange: int
    terms: str | None = None
    apt: bool = True
    standing: Literal["open", "accepted", "declined"] = "open"


class Step(Value):
    """Why trust moved: a move (or a rule) and by how much, with the words that did it."""

    why: str
    by: float
    words: str | None = None


class CounterpartState(Value):
    """Where the other person is. Trust 0-10; `hurt` is trust lost to pressure and not repaired.

    `steps` are this turn's movements of trust; `missing` is what a decision tested this turn
    lacked; `reason` is the first thing missing, or what the person walked out on.
    """

    trust: float = Field(ge=0, le=10)
    disclosed: int = 0
    stance: Stance = Stance.GUARDED
    patience: int = 0
    hurt: float = 0
    agreements: tuple[Agreement, ...] = ()
    steps: tuple[Step, ...] = ()
    tested: bool = False
    repeated: bool = False
    missing: tuple[Missing, ...] = ()
    outcome: Outcome | None = None
    reason: str | None = None


class Topic(Value):
    """Something the learner may ask about: a fact to state, or a matter not to be spoken of yet.

    `cue` is the fact's id, or a `dodge.N` cue.
    """

    cue: str
    asks: tuple[str, ...]
    say: str | None = None


class Brief(Value):
    """Everything a voice is told. What is still hidden is not in it.

    `cues` are what to do now, the most pressing first; `after` may follow it in the same breath.
    `knows` is what has come out so far, the stage coming out now included. `history` is what was
    said before the reply, as ("counterpart" | "learner", text); `said` the ids of lines used.
    """

    persona: Persona
    stance: Stance
    reply: str
    cues: tuple[str, ...]
    after: tuple[str, ...] = ()
    own_words: dict[str, str] = {}
    knows: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    lines: tuple[Line, ...] = ()
    said: tuple[str, ...] = ()
    history: tuple[tuple[str, str], ...] = ()
    turn: int = 0


class Speech(Value):
    """What the counterpart said, by which voice, from which authored lines.

    `instead` is set where authored lines stand in for a model's words: what was wrong with those.
    `usage` is what a model took.
    """

    text: str
    voice: str
    lines: tuple[str, ...] = ()
    usage: Usage | None = None
    instead: str | None = None


class Exchange(Value):
    """One reply with its critique, where it left the other person, and their words."""

    critique: Critique
    state: CounterpartState
    speech: Speech


class Ending(Value):
    """The learner ended the conversation: where the other person stands, and their last words."""

    state: CounterpartState
    speech: Speech


class Transcript(Value):
    """A conversation, owned by a learner."""

    id: str
    owner: str
    scenario: Scenario
    opening: Line
    exchanges: tuple[Exchange, ...] = ()
    ending: Ending | None = None

    @property
    def state(self) -> CounterpartState:
        """Where the other person is now."""
        if self.ending:
            return self.ending.state
        if self.exchanges:
            return self.exchanges[-1].state
        return CounterpartState(trust=self.scenario.trust, patience=self.scenario.patience)

    @property
    def over(self) -> bool:
        """Whether the conversation has its outcome."""
        return self.ending is not None or self.state.outcome is not None

    def history(self) -> tuple[tuple[str, str], ...]:
        """Return all that was said, as ("counterpart" | "learner", text) in order."""
        said = [("counterpart", self.opening.say)]
        for exchange in self.exchanges:
            said.append(("learner", exchange.critique.reply))
            said.append(("counterpart", exchange.speech.text))
        return tuple(said)

    def with_exchange(self, exchange: Exchange) -> "Transcript":
        """Return the conversation with one more exchange."""
        return self.model_copy(update={"exchanges": (*self.exchanges, exchange)})
