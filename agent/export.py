"""A conversation with its critiques and debrief, as JSON, Markdown or a page of HTML. Pure."""

import html
import json
import re
from typing import Any

from agent.debrief import Debrief
from agent.domain import Exchange, Transcript
from agent.feedback import Feedback
from prompts import Rubric

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "p{white-space:pre-wrap;overflow-wrap:anywhere}.you{border-left:3px solid #2f5d62;"
    "padding-left:.8rem}.note{color:#444;font-size:.9rem}@media print{body{margin:0}}"
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


def as_json(transcript: Transcript, words: list[Feedback], debrief: Debrief) -> str:
    """Return everything as one JSON object."""
    rows = [exchange_row(n, e, w) for n, (e, w) in enumerate(_pairs(transcript, words), start=1)]
    data = {
        "id": transcript.id,
        "scenario": transcript.scenario.id,
        "opening": transcript.opening.say,
        "exchanges": rows,
        "ending": transcript.ending.speech.text if transcript.ending else None,
        "debrief": debrief.model_dump(mode="json"),
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def as_markdown(
    transcript: Transcript, words: list[Feedback], debrief: Debrief, rubric: Rubric
) -> str:
    """Return a Markdown page; what was said stands in fenced blocks, byte for byte."""
    name = transcript.scenario.persona.name
    lines = [
        f"# {transcript.scenario.title}",
        "",
        f"**{name}**",
        "",
        *_fenced(transcript.opening.say),
    ]
    for exchange, said in _pairs(transcript, words):
        lines += ["**You**", "", *_fenced(exchange.critique.reply)]
        lines += [f"- {_literal(note)}" for note in _notes(said)]
        lines += ["", f"**{name}**", "", *_fenced(exchange.speech.text)]
    if transcript.ending:
        lines += [f"**{name}**", "", *_fenced(transcript.ending.speech.text)]
    lines += ["## Debrief", "", _literal(debrief.reason), ""]
    lines += [f"- {_literal(label)}" for label in _scores(debrief, rubric)]
    return "\n".join(lines) + "\n"


def as_html(transcript: Transcript, words: list[Feedback], debrief: Debrief, rubric: Rubric) -> str:
    """Return a self-contained, printable page; every text escaped."""
    name = transcript.scenario.persona.name
    body = [_paragraph(name, transcript.opening.say)]
    for exchange, said in _pairs(transcript, words):
        body.append(_paragraph("You", exchange.critique.reply, "you"))
        body += [f'<p class="note">{html.escape(note)}</p>' for note in _notes(said)]
        body.append(_paragraph(name, exchange.speech.text))
    if transcript.ending:
        body.append(_paragraph(name, transcript.ending.speech.text))
    title = html.escape(transcript.scenario.title)
    items = "".join(f"<li>{html.escape(label)}</li>" for label in _scores(debrief, rubric))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{''.join(body)}"
        f"<h2>Debrief</h2><p>{html.escape(debrief.reason)}</p><ul>{items}</ul></html>\n"
    )


def _pairs(transcript: Transcript, words: list[Feedback]) -> list[tuple[Exchange, Feedback]]:
    return list(zip(transcript.exchanges, words, strict=True))


def _notes(words: Feedback) -> list[str]:
    stronger = words.stronger and f"{words.stronger_label}: {words.stronger}"
    notes = [words.strength, words.missed, stronger]
    return [note for note in notes if note] + list(words.questions)


def _scores(debrief: Debrief, rubric: Rubric) -> list[str]:
    return [
        f"{rubric.capabilities[c].name}: "
        f"{'no occasion' if s.score is None else s.score}. {s.because}"
        for c, s in debrief.scores.items()
    ]


def _literal(text: str) -> str:
    """Return text on one line that Markdown shows as it is: a quote may hold a link or an image."""
    return re.sub(r"([\\`*_{}\[\]()<>#|~$!&])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> list[str]:
    fence = "~~~"
    while fence in text:
        fence += "~"
    return [fence, text, fence, ""]


def _paragraph(who: str, text: str, kind: str = "") -> str:
    return f'<p class="{kind}" dir="auto"><b>{html.escape(who)}</b>\n{html.escape(text)}</p>'
