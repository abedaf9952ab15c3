"""Values → escaped HTML. Pure. Nothing a person or a model wrote is ever read as markup."""

import html
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final
from urllib.parse import quote

from agent.domain import Citation, Critique, Finding, Move, Scenario, Stance
from agent.feedback import Feedback
from knowledge.sources import ARTICLE
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


def offered(why: str, scenarios: Iterable[Scenario]) -> str:
    """Return conversations to begin, each with its purpose, in a short list."""
    rows = "".join(
        f"<li><b>{escaped(s.title)}</b>, with {escaped(s.persona.name)}. {escaped(s.purpose)}</li>"
        for s in scenarios
    )
    return block(f'<p class="quiet">{escaped(why)}</p><ul class="plain">{rows}</ul>')


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
        f'<div class="said" dir="auto">{body}</div></div>'
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
        parts.append(_tags([f.move for f in findings if f.quote.end == end], rubric))
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


def _tags(moves: Sequence[Move], rubric: Rubric) -> str:
    """Return the names of the moves whose words end here: one label for those that work for you."""
    good = [rubric.moves[m].name for m in moves if m.good]
    against = [rubric.moves[m].name for m in moves if not m.good]
    return _tag(good, "+", "tag", "works for you") + _tag(
        against, "\N{MINUS SIGN}", "tag against", "works against you"
    )


def _tag(names: Sequence[str], sign: str, kind: str, says: str) -> str:
    if not names:
        return ""
    name = escaped(", ".join(names))
    return f'<span class="{kind}" role="note" aria-label="{name}: {says}">{sign} {name}</span>'


def critique(
    words: Feedback, score: str, n: int, why: Citation | None = None, *, shown: bool = True
) -> str:
    """Return the critique under reply `n` (1-based), folded unless `shown`.

    `score` says the score and what it means. At most one strength, one missed move and one stronger
    wording; what may have been found is asked, not told; `why` are the words of the article, where
    it speaks of the move.
    """
    wording = words.stronger_label if words.stronger_is_model else None
    body = "".join(
        f'<dt>{label}</dt><dd dir="auto"{_kind(label == wording)}>{escaped(text)}</dd>'
        for label, text in words.rows()
    )
    nothing = "<p class='quiet'>No words of this reply make a move, for you or against you.</p>"
    opened = " open" if shown else ""
    return (
        f'<details class="er notes"{opened} aria-label="Critique of reply {n}">'
        f"<summary>Critique of reply {n}: {escaped(score)}</summary>"
        f"{f'<dl>{body}</dl>' if body else nothing}{folded(why)}</details>"
    )


def _kind(wording: bool) -> str:
    return ' class="wording"' if wording else ""


def folded(why: Citation | None) -> str:
    """Return the words of the article, folded, where there are some."""
    if why is None:
        return ""
    return f'<details class="why"><summary>Why it matters</summary>{_cite(why)}</details>'


def score(overall: int, rubric: Rubric) -> str:
    """Return a reply's score and what it says."""
    return f"{overall} of 4, {rubric.overall[overall]}"


def stance(name: str, where: Stance) -> str:
    """Return the quiet line of where the other person is."""
    word, meaning = STANCES[where]
    first = escaped(name.split()[0])
    return f'<p class="er stance">{first} is <b>{word}</b>: {meaning}.</p>'


def cited(citation: Citation, where: str = "") -> str:
    """Return quoted words, where they stand, and the way there; `where` names another source."""
    return block(_cite(citation, where))


def address(citation: Citation) -> str:
    """Return where quoted words are shown in their place."""
    place = f"from={citation.start}&to={citation.end}"
    if citation.source == ARTICLE:
        return f"article?{place}"
    return f"material?id={quote(citation.source)}&{place}"


def _cite(citation: Citation, where: str = "") -> str:
    source = f"{escaped(where)} · " if where else ""
    under = f"Under “{escaped(citation.heading)}” · " if citation.heading else ""
    what = "article" if citation.source == ARTICLE else "document"
    return (
        f'<div class="cite"><blockquote class="words" dir="auto">{escaped(citation.text)}'
        f'</blockquote><p class="from">{source}{under}'
        f'<a href="{escaped(address(citation))}" target="_blank">'
        f"Read it in the {what} (new tab)</a></p></div>"
    )
