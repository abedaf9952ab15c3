"""A conversation with its critiques and debrief, as JSON, Markdown or a page of HTML. Pure."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from agent.debrief import Debrief
from agent.domain import Exchange, Scenario, Transcript
from agent.feedback import Feedback
from agent.report import Report, Section, Turn

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "p{white-space:pre-wrap;overflow-wrap:anywhere}.you{border-left:3px solid #2f5d62;"
    "padding-left:.8rem}dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem .8rem;"
    "margin-left:1rem;font-size:.9rem}dt{font-weight:600}dd{margin:0;white-space:pre-wrap}"
    "@media print{body{margin:0}}@media (max-width:30rem){dl{display:block}}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def exchange_row(n: int, exchange: Exchange, words: Feedback) -> dict[str, Any]:
    """Return exchange `n` (1-based) as the object of `rehearsal play --json`."""
    critique, state = exchange.critique, exchange.state
    return {
        "exchange": n,
        "reply": critique.reply,
        "findings": [_finding(exchange, f) for f in critique.findings],
        "possible": [_finding(exchange, f) for f in critique.possible],
        "overall": critique.overall,
        "strength": words.strength,
        "missed": words.missed,
        "stronger": words.stronger,
        "stronger_is_model": words.stronger_is_model,
        "state": state_row(exchange.state),
        "words": exchange.speech.text,
        "voice": exchange.speech.voice,
        "critic": critique.critic,
        "agreements": [a.model_dump(mode="json") for a in state.agreements],
    }


def _finding(exchange: Exchange, finding: Any) -> dict[str, Any]:
    return {
        "move": finding.move.value,
        "quote": exchange.critique.words(finding),
        "start": finding.quote.start,
        "end": finding.quote.end,
        "confidence": finding.confidence,
    }


def state_row(state: Any) -> dict[str, Any]:
    """Return where the other person is, as plain values."""
    kept = ("trust", "stance", "disclosed", "patience", "outcome")
    row: dict[str, Any] = state.model_dump(mode="json", include=set(kept))
    return {name: row[name] for name in kept}


def brief_row(scenario: Scenario) -> dict[str, Any]:
    """Return what the learner knows before the talk, as plain values."""
    return {
        "scenario": scenario.id,
        "title": scenario.title,
        "purpose": scenario.purpose,
        "situation": scenario.situation,
        "with": f"{scenario.persona.name}, {scenario.persona.role}",
    }


def as_json(transcript: Transcript, words: Sequence[Feedback], debrief: Debrief) -> str:
    """Return everything as one JSON object."""
    pairs = zip(transcript.exchanges, words, strict=True)
    data = {
        "id": transcript.id,
        **brief_row(transcript.scenario),
        "opening": transcript.opening.say,
        "exchanges": [exchange_row(n, e, w) for n, (e, w) in enumerate(pairs, start=1)],
        "ending": transcript.ending.speech.text if transcript.ending else None,
        "debrief": debrief.model_dump(mode="json"),
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def as_markdown(whole: Report) -> str:
    """Return a Markdown page; what was said stands in fenced blocks, byte for byte."""
    lines = [f"# {_literal(whole.title)}", ""]
    for part in whole.brief:
        lines += [_literal(part), ""]
    for turn in whole.turns:
        lines += [f"**{_literal(turn.who)}**", "", *_fenced(turn.said)]
        lines += [f"- **{_literal(label)}**: {_literal(text)}" for label, text in turn.notes]
        lines += [""] * bool(turn.notes)
    lines += ["# Debrief", ""]
    for section in whole.sections:
        lines += [f"## {section.heading}", "", *(f"- {_literal(row)}" for row in section.rows), ""]
    return "\n".join(lines)


def as_html(whole: Report) -> str:
    """Return a self-contained, printable page; every text escaped."""
    title = html.escape(whole.title)
    brief = "".join(f"<p>{html.escape(part)}</p>" for part in whole.brief)
    turns = "".join(map(_turn, whole.turns))
    sections = "".join(map(_section, whole.sections))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{brief}<h2>What was said</h2>{turns}"
        f"<h2>Debrief</h2>{sections}</html>\n"
    )


def _turn(turn: Turn) -> str:
    notes = "".join(
        f"<dt>{html.escape(label)}</dt><dd dir='auto'>{html.escape(text)}</dd>"
        for label, text in turn.notes
    )
    kind = ' class="you"' if turn.own else ""
    said = f"<p{kind} dir='auto'><b>{html.escape(turn.who)}</b>\n{html.escape(turn.said)}</p>"
    return f"{said}<dl>{notes}</dl>" if notes else said


def _section(section: Section) -> str:
    rows = "".join(f"<li dir='auto'>{html.escape(row)}</li>" for row in section.rows)
    return f"<h3>{html.escape(section.heading)}</h3><ul>{rows}</ul>"


def _literal(text: str) -> str:
    """Return text on one line that Markdown shows as it is: a quote may hold a link or an image."""
    return re.sub(r"([\\`*_{}\[\]()<>#|~$!&])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> list[str]:
    fence = "~~~"
    while fence in text:
        fence += "~"
    return [fence, text, fence, ""]
