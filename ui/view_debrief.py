"""A debrief and an article → escaped HTML. Pure; see view.py for the rules."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from agent.debrief import OPEN, OUTCOMES, STANDING, CapabilityScore, Debrief, LedgerEntry
from agent.domain import Agreement, Citation, Step
from knowledge.passages import Passage
from prompts import Rubric
from ui.view import address, block, escaped, folded

_ITEM_MARK: Final = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")


def outcome(result: Debrief) -> str:
    """Return how it ended and why."""
    name = OUTCOMES[result.outcome] if result.outcome else OPEN
    return block(
        f'<div class="outcome"><h2>{name}</h2><p class="pre">{escaped(result.reason)}</p></div>'
    )


def scores(result: Debrief, rubric: Rubric, spoken: Mapping[str, Citation] = {}) -> str:
    """Return the capabilities that had an occasion with their scores, then those that had none.

    `spoken` are the article's words by the capability they speak of.
    """
    rows = [
        _score(rubric.capabilities[c].name, s, spoken.get(c))
        for c, s in result.scores.items()
        if s.score is not None
    ]
    quiet = [rubric.capabilities[c].name for c, s in result.scores.items() if s.score is None]
    none = f"<p class='quiet'>No occasion in this conversation: {escaped(', '.join(quiet))}.</p>"
    return block(f'<ul class="scores">{"".join(rows)}</ul>{none if quiet else ""}')


def _score(name: str, score: CapabilityScore, words: Citation | None) -> str:
    full = score.score or 0
    dots = "●" * full + "○" * (4 - full)
    return (
        f"<li><b>{escaped(name)}</b>"
        f'<span><span class="dots" aria-hidden="true">{dots}</span> {full}&nbsp;of&nbsp;4</span>'
        f'<span class="because" dir="auto">{escaped(score.because)}</span>{folded(words)}</li>'
    )


def ledger(
    entries: Sequence[LedgerEntry], names: Mapping[str, str], spoken: Mapping[str, Citation] = {}
) -> str:
    """Return for each reply how trust (0-10) moved and by which words; `names` name the moves.

    The name of a move leads to the article where that speaks of it (`spoken`).
    """
    rows = "".join(_entry(entry, names, spoken) for entry in entries)
    return block(f'<ol class="ledger">{rows}</ol>')


def _entry(
    entry: LedgerEntry, names: Mapping[str, str], spoken: Mapping[str, Citation] = {}
) -> str:
    before, after = entry.trust_before, entry.trust_after
    steps = "".join(_step(step, names, spoken) for step in entry.steps)
    nothing = '<p class="quiet">Nothing moved.</p>'
    out = f"<p>Came out: {escaped(entry.came_out)}</p>" if entry.came_out else ""
    note = f'<p class="quiet">{escaped(entry.note)}</p>' if entry.note else ""
    return (
        f'<li><p class="head"><b>Reply {entry.exchange}</b>'
        f'<span class="trust" aria-hidden="true"><i style="width:{after * 10:.0f}%"></i></span>'
        f"<span>trust {before:.1f} → {after:.1f} of 10</span></p>{steps or nothing}{note}{out}</li>"
    )


def _step(step: Step, names: Mapping[str, str], spoken: Mapping[str, Citation] = {}) -> str:
    kind, sign = ("by minus", "\N{MINUS SIGN}") if step.by < 0 else ("by", "+")
    words = f": “{escaped(step.words)}”" if step.words else ""
    name = escaped(names.get(step.why, step.why[:1].upper() + step.why[1:]))
    if place := spoken.get(step.why):
        name = f'<a href="{escaped(address(place))}" target="_blank">{name}</a>'
    return (
        f'<div class="step"><span class="{kind}">{sign}{abs(step.by):.1f}</span>'
        f'<span dir="auto">{name}{words}</span></div>'
    )


def concern(result: Debrief) -> str:
    """Return what came out, what stayed hidden and what would have brought it out."""
    out = [f"<b>Came out.</b> <span>{escaped(s.knows)}</span>" for s in result.came_out]
    hidden = [
        f"<b>Stayed hidden.</b> <span>{escaped(s.knows)}</span>"
        f"<p><b>What would have brought it out.</b> {escaped(s.wants)}"
        f"{f' {escaped(s.short)}' if s.short else ''}</p>"
        for s in result.hidden
    ]
    return block("".join(f'<div class="layer">{row}</div>' for row in out + hidden))


def agreements(made: Sequence[Agreement], names: Mapping[str, str]) -> str:
    """Return what the learner put on the table and where it stands."""
    if not made:
        return block("<p>You put nothing on the table that could be taken or refused.</p>")
    rows = "".join(
        f"<li dir='auto'><b>{escaped(names.get(a.move, a.move))}</b>, {STANDING[a.standing]}: "
        f"“{escaped(a.words)}”{f' ({escaped(a.terms)})' if a.terms else ''}</li>"
        for a in made
    )
    return block(f'<ul class="plain">{rows}</ul>')


def moves(rubric: Rubric) -> str:
    """Return the moves, those that work for the speaker first."""
    parts = []
    for good, title in ((True, "Work for you"), (False, "Work against you")):
        rows = "".join(
            f"<li><b>{escaped(text.name)}</b>: {escaped(text.present)}. "
            f'<span class="quiet">“{escaped(text.example)}”</span></li>'
            for text in rubric.moves.values()
            if text.good == good
        )
        parts.append(f'<h3>{title}</h3><ul class="plain">{rows}</ul>')
    return block("".join(parts))


def article(passages: Sequence[Passage], start: int = 0, end: int = 0) -> str:
    """Return a text as its passages, with the run from `start` to `end` marked in its place."""
    found: list[str] = []
    for passage in passages:
        here = _in_list if passage.kind == "list" else _in_block
        found.append(here(passage, start, end))
    return block("".join(found).replace("<mark>", '<mark id="here">', 1), "article")


def _in_block(passage: Passage, start: int, end: int) -> str:
    tag = "h2" if passage.kind == "heading" else "p"
    body = _with_run(passage.text, start - passage.start, end - passage.start)
    return f"<{tag}>{body}</{tag}>"


def _in_list(passage: Passage, start: int, end: int) -> str:
    """Return a list; each line of it is an item, whose own number or mark is left to the page."""
    items, at, numbered = [], passage.start, False
    for line in passage.text.splitlines(keepends=True):
        mark = _ITEM_MARK.match(line)
        skipped = mark.end() if mark else 0
        numbered = numbered or line[:skipped].strip()[:1].isdigit()
        here = at + skipped
        items.append(f"<li>{_with_run(line[skipped:].rstrip(), start - here, end - here)}</li>")
        at += len(line)
    tag = "ol" if numbered else "ul"
    return f"<{tag}>{''.join(items)}</{tag}>"


def _with_run(text: str, start: int, end: int) -> str:
    left, right = max(start, 0), min(end, len(text))
    if left >= right:
        return escaped(text)
    run = f"<mark>{escaped(text[left:right])}</mark>"
    return escaped(text[:left]) + run + escaped(text[right:])
