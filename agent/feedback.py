"""The words of a critique for one reply: one strength, one missed move, one stronger wording. Pure.

It never invents facts about the learner's situation: the stronger wording is either advice on the
learner's own words or a model reply of the same conversation, marked as such.
"""

from agent.domain import Critique, Finding, Missing, Move, Transcript, Value
from agent.mend import NearMiss, near_miss, shown
from agent.rubric import HIGHEST
from agent.words import reads_as_english
from prompts import Rubric, fill


class Feedback(Value):
    """What is said under one reply; None where there is nothing to say."""

    strength: str | None = None
    strength_move: Move | None = None
    missed: str | None = None
    missed_move: Move | None = None
    stronger: str | None = None
    stronger_is_model: bool = False
    questions: tuple[str, ...] = ()
    caution: str | None = None

    @property
    def stronger_label(self) -> str:
        """What to call the stronger wording: the learner's own words mended, or a model."""
        return "A model reply" if self.stronger_is_model else "A stronger wording"

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return what there is to say, as (label, text), in the order it is read."""
        rows = (
            ("What worked", self.strength),
            ("What was missed", self.missed),
            (self.stronger_label, self.stronger),
            ("A question", "\n".join(self.questions[:1])),
            ("Note", self.caution),
        )
        return tuple((label, text) for label, text in rows if text)


WHOLE = 5  # words of a possible finding that is worth a question
LOCAL = "moves_v"  # how the names of the local critic begin
NOT_ENGLISH = (
    "This does not read as English. The critic learned on English replies: its score is a guess."
)
WANTED: dict[Missing, Move] = {
    Missing.TERMS: Move.TERMS,
    Missing.CONCERN: Move.OPEN_QUESTION,
    Missing.TRUST: Move.REFLECTION,
}


def feedback(transcript: Transcript, n: int, rubric: Rubric) -> Feedback:
    """Return the critique's words for exchange `n` (0-based)."""
    critique = transcript.exchanges[n].critique
    best = _best(transcript, critique)
    missed = _missed(transcript, n)
    stronger, is_model = _stronger(transcript, n, missed, rubric)
    return Feedback(
        strength=_about(critique, best, rubric.moves[best.move].strength) if best else None,
        strength_move=best.move if best else None,
        missed=_missed_words(critique, missed, rubric) if missed else None,
        missed_move=missed,
        stronger=stronger,
        stronger_is_model=is_model,
        questions=tuple(_question(critique, f, rubric) for f in _askable(critique)),
        caution=None if _is_read(critique) else NOT_ENGLISH,
    )


def _is_read(critique: Critique) -> bool:
    """Whether the critic knows the language: the local one learned on English."""
    return not critique.critic.startswith(LOCAL) or reads_as_english(critique.reply)


def _best(transcript: Transcript, critique: Critique) -> Finding | None:
    """Return the good finding that counted most: what is listened for first, then the surest."""
    if critique.overall == 0:
        return None
    good = [f for f in critique.findings if f.move.good]
    listens = transcript.scenario.listens_for
    return max(good, key=lambda f: (f.move in listens, f.confidence), default=None)


def _missed(transcript: Transcript, n: int) -> Move | None:
    """Return the one move to speak of: what worked against the reply, else what it lacked most.

    What was said under the reply before is not said again; a reply at 4 lacks only what a decision
    still waits for.
    """
    exchange = transcript.exchanges[n]
    found = exchange.critique.moves()
    against = [f.move for f in exchange.critique.findings if not f.move.good]
    if against:
        return max(against, key=lambda m: (m == Move.PRESSURE, m in transcript.scenario.closes_on))
    lacks = exchange.state.missing
    wanted = [WANTED.get(lack, transcript.scenario.decides_on[0]) for lack in lacks]
    if exchange.critique.overall < HIGHEST:
        wanted += _called_for(transcript, n)
    told = _missed(transcript, n - 1) if n else None
    return next((m for m in wanted if m not in found and m != told), None)


def _called_for(transcript: Transcript, n: int) -> list[Move]:
    """Return what the moment calls for: what has not been done in the conversation comes first."""
    done = _done(transcript, n)
    listens = list(transcript.scenario.listens_for)
    if n == 0 and Move.OPEN_QUESTION not in listens:
        listens.append(Move.OPEN_QUESTION)
    return sorted(listens, key=lambda move: move in done)


def _done(transcript: Transcript, n: int) -> set[Move]:
    return {move for e in transcript.exchanges[:n] for move in e.critique.moves()}


def _near(critique: Critique, move: Move, rubric: Rubric) -> NearMiss | None:
    """Return what comes near a good move anywhere, or stands in the words that made a bad one."""
    found = next((f for f in critique.findings if f.move == move), None)
    within = None if move.good or found is None else (found.quote.start, found.quote.end)
    return near_miss(critique.reply, rubric.moves[move].near, within)


def _missed_words(critique: Critique, move: Move, rubric: Rubric) -> str:
    near = _near(critique, move, rubric)
    if near:
        return near.missed
    if move.good:
        return rubric.moves[move].missed
    finding = next(f for f in critique.findings if f.move == move)
    return _about(critique, finding, rubric.moves[move].missed)


def _about(critique: Critique, finding: Finding, text: str) -> str:
    return fill(text, {"words": shown(critique.words(finding))})


def _stronger(
    transcript: Transcript, n: int, missed: Move | None, rubric: Rubric
) -> tuple[str | None, bool]:
    critique = transcript.exchanges[n].critique
    if missed is None:
        return None, False
    near = _near(critique, missed, rubric)
    if near and near.mended:
        return near.mended, False
    models = transcript.scenario.models.get(missed, ())
    shown = sum(_missed(transcript, k) == missed for k in range(n))
    if shown < len(models):
        return models[shown], True
    return rubric.moves[missed].try_, False


def _askable(critique: Critique) -> list[Finding]:
    """Return the possible findings worth a question: good moves whose words are a whole thought."""
    long = [f for f in critique.possible if len(critique.words(f).split()) >= WHOLE]
    return sorted((f for f in long if f.move.good), key=lambda f: -f.confidence)[:1]


def _question(critique: Critique, finding: Finding, rubric: Rubric) -> str:
    name = rubric.moves[finding.move].name.lower()
    article = "an" if name[0] in "aeiou" else "a"
    kind = name if name.startswith(("what ", "conditions")) else f"{article} {name}"
    return f"Was “{shown(critique.words(finding))}” meant as {kind}?"
