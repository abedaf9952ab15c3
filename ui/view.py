"""Values → escaped HTML. Pure. Nothing a person typed is ever read as markup."""

import html
from collections.abc import Iterable

from agent.domain import Critique, Exchange, Finding, Stance
from agent.feedback import Feedback
from prompts import Rubric

CSS = """<style>
.turn{margin:0 0 .9rem;max-width:42rem}
.turn .who{font:600 .78rem/1.4 system-ui,sans-serif;opacity:.75;letter-spacing:.02em}
.turn .said{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.6;margin:.1rem 0 0}
.turn.you{margin-left:auto;padding:.6rem .9rem;border-radius:.4rem;
  background:color-mix(in srgb,currentColor 6%,transparent)}
mark{color:inherit;background:#cfe8e3;border-bottom:2px solid #1f5a60;padding:0 .1em}
mark.against{background:#f6dcc9;border-bottom:2px dashed #8a3b12}
mark.possible{background:none;border-bottom:2px dotted #6b6b6b}
mark .move{font:600 .68rem/1 system-ui,sans-serif;margin-left:.35em;white-space:nowrap;
  vertical-align:.15em;opacity:.9}
@media (prefers-color-scheme:dark){.stApp mark{background:#204a47;border-color:#7fc1c4}
  .stApp mark.against{background:#56301a;border-color:#e0a27c}}
.notes{max-width:42rem;margin:0 0 1.1rem auto;padding-left:.9rem;
  border-left:3px solid color-mix(in srgb,currentColor 25%,transparent)}
.notes p{margin:.25rem 0;font-size:.95rem;line-height:1.5;overflow-wrap:anywhere}
.notes b{font-family:system-ui,sans-serif;font-size:.8rem}
.where{font:.8rem/1.4 system-ui,sans-serif;opacity:.75;margin:.2rem 0 .8rem}
.quote{border-left:3px solid #1f5a60;padding:.1rem 0 .1rem .8rem;margin:.5rem 0;
  overflow-wrap:anywhere;white-space:pre-wrap}
table.ledger{border-collapse:collapse;width:100%;font-size:.92rem}
table.ledger td,table.ledger th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;
  border-bottom:1px solid color-mix(in srgb,currentColor 18%,transparent);overflow-wrap:anywhere}
</style>"""

STANCES = {
    Stance.GUARDED: "keeps a distance",
    Stance.TESTING: "is testing whether you mean it",
    Stance.OPEN: "is open with you",
    Stance.CLOSED: "has closed up",
}


def escaped(text: str) -> str:
    """Return text as HTML that shows exactly that text."""
    return html.escape(text, quote=True)


def turn(who: str, said: str, *, own: bool = False) -> str:
    """Return one person's words."""
    return _turn(who, escaped(said), own=own)


def marked_turn(who: str, critique: Critique, rubric: Rubric) -> str:
    """Return the learner's words with the found words marked and labelled in place."""
    return _turn(who, marked(critique, rubric), own=True)


def _turn(who: str, body: str, *, own: bool) -> str:
    kind = "turn you" if own else "turn"
    return (
        f'<div class="{kind}"><div class="who">{escaped(who)}</div>'
        f'<div class="said" dir="auto">{body}</div></div>'
    )


def marked(critique: Critique, rubric: Rubric) -> str:
    """Return the reply with marks; where quotes overlap, one mark carries both labels."""
    reply, out, at = critique.reply, [], 0
    for start, end, found in _runs(critique.findings):
        out.append(escaped(reply[at:start]))
        names = ", ".join(rubric.moves[f.move].name for f in found)
        against = any(not f.move.good for f in found)
        kind = ' class="against"' if against else ""
        label = f"{'▽' if against else '△'} {escaped(names)}"
        out.append(
            f'<mark{kind}>{escaped(reply[start:end])}<span class="move">{label}</span></mark>'
        )
        at = end
    out.append(escaped(reply[at:]))
    return "".join(out)


def _runs(findings: Iterable[Finding]) -> list[tuple[int, int, list[Finding]]]:
    runs: list[tuple[int, int, list[Finding]]] = []
    for finding in sorted(findings, key=lambda f: (f.quote.start, -f.quote.end)):
        if runs and finding.quote.start < runs[-1][1]:
            start, end, found = runs[-1]
            known = finding.move in [f.move for f in found]
            runs[-1] = (start, max(end, finding.quote.end), found if known else [*found, finding])
        else:
            runs.append((finding.quote.start, finding.quote.end, [finding]))
    return runs


def notes(words: Feedback, overall: int) -> str:
    """Return the critique under a reply: score, strength, missed move, stronger wording."""
    label = "How another learner put it" if words.stronger_is_model else "A stronger wording"
    rows = [
        ("What worked", words.strength),
        ("What was missed", words.missed),
        (label, words.stronger),
        *(("A question", question) for question in words.questions[:2]),
    ]
    body = "".join(f"<p dir='auto'><b>{a}</b><br>{escaped(b)}</p>" for a, b in rows if b)
    empty = "<p>Nothing in this reply was found to move the conversation either way.</p>"
    score = f"<p><b>This reply: {overall} of 4</b></p>"
    return f'<div class="notes" role="note" aria-label="Critique">{score}{body or empty}</div>'


def where(name: str, exchange: Exchange) -> str:
    """Return the quiet line of where the other person is."""
    return f'<div class="where">{escaped(name)} {STANCES[exchange.state.stance]}.</div>'


def quote(text: str, source: str) -> str:
    """Return quoted words with where they stand."""
    return f'<div class="quote">{escaped(text)}</div><div class="where">{escaped(source)}</div>'


def page(text: str, start: int, end: int) -> str:
    """Return a source with one run of it marked, in its place."""
    return (
        '<div class="said" style="white-space:pre-wrap;line-height:1.6">'
        f"{escaped(text[:start])}<mark>{escaped(text[start:end])}</mark>{escaped(text[end:])}</div>"
    )


def ledger(rows: Iterable[tuple[str, str, str]]) -> str:
    """Return the table of what moved trust: reply number, words and moves, trust after."""
    cells = "".join(
        "<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = "<tr><th>Reply</th><th>What moved trust</th><th>Trust after, of 10</th></tr>"
    return f'<table class="ledger">{head}{cells}</table>'
