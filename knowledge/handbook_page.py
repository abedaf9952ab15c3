"""The handbook → HTML, for the app and as a page of its own. Pure; every text is escaped.

The article's words stand in <blockquote>, exactly; all else on the page is ours or a scenario's.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agent.domain import Capability, Citation, Move, Scenario
from knowledge.handbook import Handbook, Pair, Part, Point, Section, capabilities
from knowledge.links import conversations
from knowledge.quotes import place
from knowledge.sources import article
from prompts import Rubric

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
LEGEND: Final = (
    "The article's words are set like this, exactly as they stand, with their place after them.",
    "All else, set like this, is ours. Paragraphs are counted without the headings.",
)
WHOSE: Final = (
    "Quoted from “{title}”, an article of the Institute for Generative Leadership. The quoted "
    "words are theirs and not covered by the licence of this app."
)
# `light-dark()` follows the theme of the app, or of the system where the page stands alone.
CSS: Final = """
.handbook{--ink:light-dark(#1d2322,#e9e6df);--quiet:light-dark(#565c59,#aab1ae);
--line:light-dark(#d8d3c7,#3a4445);--key:light-dark(#1c5b61,#8ccdce);
--warn:light-dark(#8f3d12,#f0b08c);--sans:system-ui,-apple-system,'Segoe UI','Noto Sans',
'DejaVu Sans',sans-serif;--voice:Charter,'Bitstream Charter','Iowan Old Style',Georgia,
'DejaVu Serif',serif;color:var(--ink);font:1rem/1.5 var(--sans);overflow-wrap:anywhere}
.handbook h1,.handbook h2,.handbook h3{font-family:var(--sans);font-weight:650;line-height:1.25;
color:var(--ink);padding:0;letter-spacing:0}
.handbook h1{font-size:1.9rem;margin:0 0 .4rem}.handbook h2{font-size:1.35rem;margin:2rem 0 .5rem}
.handbook h3{font-size:1rem;margin:1rem 0 .25rem}
.handbook p{margin:0 0 .4rem;font-size:1rem}.handbook a{color:var(--key)}
.handbook figure{margin:.35rem 0 .6rem;padding-left:.8rem;border-left:3px solid var(--key)}
.handbook blockquote{display:inline;margin:0;padding:0;border:0;color:var(--ink);
font:1.05rem/1.5 var(--voice)}
.handbook figcaption{display:inline;font-size:.82rem;color:var(--quiet);white-space:nowrap;
margin-left:.35rem}
.handbook .quiet,.handbook .practise{color:var(--quiet);font-size:.9rem}
.handbook .legend{border:1px solid var(--line);border-radius:.35rem;padding:.6rem .8rem;
margin:.8rem 0}
.handbook .legend p{margin:0;font-size:.9rem}
.handbook .legend .theirs{font:1rem/1.5 var(--voice)}
.handbook [id]{scroll-margin-top:5rem}
.handbook ul.moves{list-style:none;margin:.1rem 0 .3rem;padding:0 0 0 .95rem}
.handbook .moves li{margin:.15rem 0;padding:0;font-size:.93rem;line-height:1.45}
.handbook .sign{display:inline-block;width:1em;margin-left:-1em;color:var(--key);font-weight:700}
.handbook .against .sign{color:var(--warn)}
.handbook .pair{display:grid;grid-template-columns:1fr 1fr;gap:0 1.2rem}
.handbook .pair p,.handbook .who{font-size:.85rem;font-weight:600;color:var(--quiet);margin:0}
.handbook ol.points{margin:.3rem 0;padding-left:1.4rem}
.handbook ol.points>li{margin:0 0 .5rem;padding:0}
.handbook table{border-collapse:collapse;width:100%;font-size:.93rem;color:var(--ink)}
.handbook th,.handbook td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border:0;
border-bottom:1px solid var(--line)}
.handbook th{font-weight:600}.handbook thead th:first-child{width:60%}
.handbook .with{font-weight:400;color:var(--quiet)}
.handbook footer{margin-top:1.6rem;font-size:.85rem;color:var(--quiet)}
@media (max-width:640px){.handbook .pair{grid-template-columns:1fr}.handbook h1{font-size:1.6rem}}
@media print{.handbook{--ink:#000;--quiet:#444;--line:#bbb;--key:#1c5b61;--warn:#8f3d12;
font-size:9pt;line-height:1.32}
.handbook h1{font-size:19pt}.handbook h2{font-size:13pt;margin:.7rem 0 .25rem}
.handbook br{display:none}
.handbook h3{font-size:9.6pt;margin:.4rem 0 .1rem}
.handbook p,.handbook .moves li,.handbook table,.handbook .legend p,.handbook .practise
{font-size:9pt;line-height:1.32;margin-bottom:.15rem}.handbook table{font-size:8.4pt}
.handbook figcaption,.handbook .pair p
{font-size:7.8pt}.handbook .legend{padding:.3rem .6rem;margin:.4rem 0}
.handbook blockquote,.handbook .legend .theirs{font-size:9.6pt;line-height:1.32}
.handbook figure{margin:.15rem 0 .25rem}.handbook th,.handbook td{padding:.12rem .8rem .12rem 0}
.handbook h2,.handbook h3,.handbook section>p,.handbook li>p{break-after:avoid}
.handbook .practise{break-after:auto!important}.handbook .pair{grid-template-columns:1fr 1fr}
.handbook figure,.handbook li,.handbook tr,.handbook .capability,.handbook .legend
{break-inside:avoid}.handbook thead{display:table-header-group}
.handbook ol.points>li{margin-bottom:.25rem;font-size:9pt;line-height:1.32}
.handbook footer{margin-top:.6rem}
.handbook a{color:inherit;text-decoration:none}}
@page{margin:12mm 15mm}
"""
ALONE: Final = """
:root{color-scheme:light dark}body{margin:0;background:light-dark(#fbfaf7,#14191a)}
.handbook{max-width:46rem;margin:2rem auto;padding:0 1rem}
@media print{body{background:none}.handbook{max-width:none;margin:0;padding:0}}
"""
Href = Callable[[Citation], str | None]


def page(book: Handbook, rubric: Rubric, scenarios: Mapping[str, Scenario]) -> str:
    """Return the handbook as a page that needs nothing else; places stand in words."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(book.title)} · Executive Rehearsal</title>"
        f"<style>{CSS}{ALONE}</style></head>\n<body>"
        f"{body(book, rubric, scenarios, tag='main')}</body></html>\n"
    )


def body(
    book: Handbook,
    rubric: Rubric,
    scenarios: Mapping[str, Scenario],
    href: Href = lambda _: None,
    tag: str = "div",
) -> str:
    """Return the handbook as one element; `href` gives the address of a citation, if it has one."""
    return _Writer(rubric, scenarios, href).write(book, tag)


class _Writer:
    """Writes one handbook; knows which moves have been described already."""

    def __init__(self, rubric: Rubric, scenarios: Mapping[str, Scenario], href: Href) -> None:
        self._rubric, self._scenarios, self._href = rubric, scenarios, href
        self._described: dict[Move, str] = {}  # and under what

    def write(self, book: Handbook, tag: str) -> str:
        theirs, ours = LEGEND
        legend = f'<p class="theirs">{_text(theirs)}</p><p>{_text(ours)}</p>'
        whose = _text(WHOSE.format(title=article().title))
        return (
            f'<{tag} class="handbook" lang="en"><h1>{_text(book.title)}</h1>'
            f'<p>{_text(book.intro)}</p><div class="legend">{legend}</div>'
            f"{''.join(self._section(section) for section in book.sections)}"
            f"<footer><p>{whose}</p></footer></{tag}>"
        )

    def _section(self, section: Section) -> str:
        parts = "".join(self._part(part) for part in section.parts)
        return f"<section><h2>{_text(section.title)}</h2>{parts}</section>"

    def _part(self, part: Part) -> str:
        if part.list_ == "capabilities":
            return "".join(self._capability(*each) for each in enumerate(capabilities(), start=1))
        if part.list_ == "conversations":
            return self._conversations()
        if part.quote:
            return self._quote(part.quote)
        if part.say:
            return f"<p>{_text(part.say)}</p>"
        pairs = "".join(self._pair(pair) for pair in part.compare)
        return pairs + self._moves(part.moves, "above") + self._points(part.points)

    def _quote(self, citation: Citation) -> str:
        where, to = _text(place(citation)), self._href(citation)
        if to:
            where = f'<a href="{_text(to)}" target="_blank">{where}</a>'
        return (
            f"<figure><blockquote>{_text(citation.text)}</blockquote> "
            f"<figcaption>{where}</figcaption></figure>"
        )

    def _pair(self, pair: Pair) -> str:
        sides = "".join(
            f"<div><p>{who}</p>{self._quote(words)}</div>"
            for who, words in (("The manager", pair.manager), ("The executive", pair.executive))
        )
        return f'<h3>{_text(pair.about)}</h3><div class="pair">{sides}</div>'

    def _points(self, points: tuple[Point, ...]) -> str:
        """Return points under their names, or numbered where they have none."""
        if not points:
            return ""
        if all(point.name for point in points):
            return "".join(f"<h3>{_text(p.name)}</h3>{self._point(p)}" for p in points)
        items = "".join(f"<li>{self._point(point)}</li>" for point in points)
        return f'<ol class="points">{items}</ol>'

    def _point(self, point: Point) -> str:
        more = f"<p>{_text(point.gap)}</p>{self._quote(point.more)}" if point.more else ""
        names = conversations([point.quote], self._scenarios)
        titles = ", ".join(f"“{_text(self._scenarios[name].title)}”" for name in names)
        practise = f'<p class="practise">Practise it in {titles}.</p>' if titles else ""
        return f"{self._quote(point.quote)}{more}{practise}"

    def _capability(self, number: int, name: Capability) -> str:
        text = self._rubric.capabilities[name]
        moves = self._moves((*text.shown_by, *text.against), str(number), "against it")
        return (
            f'<div class="capability"><h3 id="capability-{name}">{number}. {_text(text.name)}</h3>'
            f"{self._quote(capabilities()[name])}{moves}</div>"
        )

    def _moves(self, moves: Sequence[Move], under: str, against: str = "") -> str:
        """Return moves, those described already at the end; `against` is said of the bad ones."""
        new = [move for move in moves if move not in self._described]
        rows = [self._move(move, against) for move in new]
        for good in (True, False):
            old = [m for m in moves if m in self._described and m.good == good]
            names = ", ".join(self._again(move, against) for move in old)
            rows += [f"<li{_kind(good)}>{_sign(good)} {names}</li>"] if names else []
        self._described |= dict.fromkeys(new, under)
        return f'<ul class="moves">{"".join(rows)}</ul>' if rows else ""

    def _move(self, move: Move, against: str) -> str:
        text = self._rubric.moves[move]
        note = f" ({against})" if against and not move.good else ""
        return (
            f'<li id="move-{move}"{_kind(move.good)}>{_sign(move.good)} '
            f"<b>{_text(text.name)}</b>{note}: {_text(text.present)}. “{_text(text.example)}”</li>"
        )

    def _again(self, move: Move, against: str) -> str:
        """Return the name of a move and the way back to where it is described."""
        note = f"{against}, " if against and not move.good else ""
        back = f'<a href="#move-{move}">see {self._described[move]}</a>'
        return f"<b>{_text(self._rubric.moves[move].name)}</b> ({note}{back})"

    def _conversations(self) -> str:
        rows = "".join(self._conversation(s) for s in self._scenarios.values())
        head = '<thead><tr><th scope="col">Conversation</th><th scope="col">Practises</th></tr>'
        return f"<table>{head}</thead><tbody>{rows}</tbody></table>"

    def _conversation(self, scenario: Scenario) -> str:
        numbers = {name: n for n, name in enumerate(capabilities(), start=1)}
        practises = ", ".join(
            f"{numbers[name]}&nbsp;{_text(self._rubric.capabilities[name].name)}"
            for name in sorted(scenario.practises, key=numbers.__getitem__)
        )
        who = f"with {scenario.persona.name}, {scenario.persona.role}"
        return (
            f'<tr><th scope="row">{_text(scenario.title)} <br>'
            f'<span class="with">{_text(who)}</span></th><td>{practises}</td></tr>'
        )


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _kind(good: bool) -> str:
    return "" if good else ' class="against"'


def _sign(good: bool) -> str:
    return f'<span class="sign" aria-hidden="true">{"+" if good else chr(0x2212)}</span>'
