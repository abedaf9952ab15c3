"""Values → escaped HTML. Pure. Nothing a person or a model wrote is ever read as markup."""

import html
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from agent.domain import Citation, Critique, Finding, Move, Scenario, Stance
from agent.feedback import Feedback
from prompts import Rubric

STANCES: Final = {
    Stance.GUARDED: ("guarded", "keeps a distance"),
    Stance.TESTING: ("testing", "checks whether you mean it"),
    Stance.OPEN: ("open", "speaks freely"),
    Stance.CLOSED: ("closed", "has stopped listening"),
}
LEVELS: Final = {1: "1 of 3", 2: "2 of 3", 3: "3 of 3"}
MINUTES: Final = {1: 10, 2: 15, 3: 20}  # by difficulty: about eight to twelve replies


def escaped(text: str) -> str:
    """Return text as HTML that shows exactly that text."""
    return html.escape(text, quote=True)


def block(body: str, kind: str = "") -> str:
    """Return HTML in the container that carries the app's look; `body` is HTML already."""
    return f'<div class="{f"er {kind}".strip()}">{body}</div>'


def heading(text: str, level: int = 2, under: str = "", *, here: bool = False) -> str:
    """Return a heading, with a line of text under it; `here` is where the page is moved to."""
    more = f'<p class="lead">{escaped(under)}</p>' if under else ""
    place = ' id="here"' if here else ""
    return block(f"<h{level}{place}>{escaped(text)}</h{level}>{more}", "section" * (level == 2))


def between(text: str) -> str:
    """Return a quiet line across the page."""
    return f'<p class="er between">{escaped(text)}</p>'


def paragraph(text: str, kind: str = "pre") -> str:
    """Return a paragraph with its white space kept."""
    return block(f'<p class="{kind}" dir="auto">{escaped(text)}</p>')


def notice(text: str, *, calm: bool = False) -> str:
    """Return what happened, said at once to a screen reader unless it is calm."""
    role = "status" if calm else "alert"
    kind = "notice calm" if calm else "notice"
    return f'<div class="er {kind}" role="{role}"><p class="pre">{escaped(text)}</p></div>'


def card(scenario: Scenario, practises: Iterable[str]) -> str:
    """Return one conversation to choose; `practises` are names of capabilities."""
    who = f"{scenario.persona.name}, {scenario.persona.role}"
    rows = {
        "With": who,
        "Practises": ", ".join(practises),
        "Difficulty": LEVELS[scenario.difficulty],
        "Takes": f"about {MINUTES[scenario.difficulty]} minutes",
    }
    facts = "".join(f"<dt>{k}</dt><dd>{escaped(v)}</dd>" for k, v in rows.items())
    return block(
        f"<h2>{escaped(scenario.title)}</h2>"
        f'<p class="purpose">{escaped(scenario.purpose)}</p><dl class="facts">{facts}</dl>',
        "card",
    )


def entry(title: str, under: str) -> str:
    """Return one line of a list: a title and a quiet line under it."""
    return block(f'<b>{escaped(title)}</b><br><span class="quiet">{escaped(under)}</span>')


def brief(scenario: Scenario) -> str:
    """Return what the learner knows before the talk: the situation, the person, the purpose."""
    who = f"{scenario.persona.name}, {scenario.persona.role}."
    return block(
        f'<p class="pre">{escaped(scenario.situation.strip())}</p>'
        f"<p><b>You meet</b> {escaped(who)}</p>"
        f"<p><b>The purpose.</b> {escaped(scenario.purpose)}</p>"
    )


def turn(who: str, said: str, *, own: bool = False, live: bool = False) -> str:
    """Return one person's words; `live` ones are announced by a screen reader as they come."""
    return _turn(who, escaped(said), own=own, live=live)


def marked_turn(who: str, critique: Critique, rubric: Rubric) -> str:
    """Return the learner's words with the found words marked and named in place."""
    return _turn(who, marked(critique, rubric), own=True)


def _turn(who: str, body: str, *, own: bool, live: bool = False) -> str:
    kind = "er turn you" if own else "er turn"
    said = ' role="log" aria-live="polite"' if live else ""
    return (
        f'<div class="{kind}"{said}><p class="who">{escaped(who)}</p>'
        f'<div class="said" dir="auto" tabindex="0">{body}</div></div>'
    )


def marked(critique: Critique, rubric: Rubric) -> str:
    """Return the reply with each found run marked and, where it ends, the move's name.

    Moves that work against the speaker have another colour, a broken line and a minus sign; the
    good ones a full line and a plus sign.
    """
    reply, findings = critique.reply, _once(critique.findings)
    bounds = {0, len(reply)} | {b for f in findings for b in (f.quote.start, f.quote.end)}
    cuts = sorted(b for b in bounds if b <= len(reply))
    parts = []
    for start, end in pairwise(cuts):
        here = [f for f in findings if f.quote.start <= start and f.quote.end >= end]
        parts.append(_run(reply[start:end], here))
        parts += [_tag(f.move, rubric) for f in findings if f.quote.end == end]
    return "".join(parts)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings in reading order, each move once where its quotes overlap."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.quote.start, -f.quote.end)):
        same = (k for k in kept if k.move == finding.move)
        if not any(k.quote.end > finding.quote.start for k in same):
            kept.append(finding)
    return kept


def _run(text: str, findings: Sequence[Finding]) -> str:
    if not findings:
        return escaped(text)
    against = any(not f.move.good for f in findings)
    kind = "move against" if against else "move"
    return f'<mark class="{kind}">{escaped(text)}</mark>'


def _tag(move: Move, rubric: Rubric) -> str:
    name = escaped(rubric.moves[move].name)
    sign, kind, says = (
        ("+", "tag", "works for you")
        if move.good
        else ("\N{MINUS SIGN}", "tag against", "works against you")
    )
    return f'<span class="{kind}" role="note" aria-label="{name}: {says}">{sign} {name}</span>'


def critique(
    words: Feedback, overall: int, n: int, why: Citation | None = None, *, shown: bool = True
) -> str:
    """Return the critique under reply `n` (1-based), folded unless `shown`.

    At most one strength, one missed move and one stronger wording; what may have been found is
    asked, not told; `why` are the words of the article, where it speaks of the move.
    """
    rows = _rows(words)
    body = "".join(
        f'<dt>{label}</dt><dd dir="auto"{kind}>{escaped(text)}</dd>' for label, text, kind in rows
    )
    nothing = "<p class='quiet'>No words of this reply moved the conversation either way.</p>"
    opened = " open" if shown else ""
    return (
        f'<details class="er notes"{opened} aria-label="Critique of reply {n}">'
        f"<summary>Critique of reply {n}: {overall} of 4</summary>"
        f"{f'<dl>{body}</dl>' if body else nothing}{_why(why)}</details>"
    )


def _rows(words: Feedback) -> list[tuple[str, str, str]]:
    kind = ' class="wording"' if words.stronger_is_model else ""
    rows = [
        ("What worked", words.strength, ""),
        ("What was missed", words.missed, ""),
        (words.stronger_label, words.stronger, kind),
        ("A question", "\n".join(words.questions[:2]), ""),
    ]
    return [(name, text, kind) for name, text, kind in rows if text]


def _why(why: Citation | None) -> str:
    if why is None:
        return ""
    return f'<details class="why"><summary>Why it matters</summary>{_cite(why)}</details>'


def stance(name: str, where: Stance) -> str:
    """Return the quiet line of where the other person is."""
    word, meaning = STANCES[where]
    first = escaped(name.split()[0])
    return f'<p class="er stance">{first} is <b>{word}</b>: {meaning}.</p>'


def cited(citation: Citation) -> str:
    """Return quoted words, where they stand, and the way there."""
    return block(_cite(citation))


def _cite(citation: Citation) -> str:
    where = f"article?from={citation.start}&to={citation.end}"
    under = f"Under “{escaped(citation.heading)}” · " if citation.heading else ""
    return (
        f'<div class="cite"><blockquote class="words" dir="auto">{escaped(citation.text)}'
        f'</blockquote><p class="from">{under}<a href="{escaped(where)}" target="_blank">'
        "Read it in the article (new tab)</a></p></div>"
    )
