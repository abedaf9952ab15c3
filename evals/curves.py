"""The page of the fidelity evaluation: the table, how each kind of learner ended, trust by reply.

Pure: values in, Markdown and SVG out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from agent.domain import CounterpartState, Transcript

WIDTH, HEIGHT, PAD, ACROSS = 220, 120, 24, 3  # of one small chart, in pixels; charts in a row
REPLIES, HIGHEST = 12, 10  # the axes: replies 0 to 12, trust 0 to 10
ENDS: Final = ("accept", "counter", "decline", "walk_out")

Kinds = Mapping[str, Sequence[Transcript]]


def page(report: Mapping[str, Any], kinds: Kinds) -> str:
    """Return the page as Markdown; it shows counterpart.svg beside it."""
    names = list(report["all"]["of"])
    rows = [*report["scenarios"].items(), ("all", report["all"])]
    table = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    table += [f"| {id_} | {' | '.join(_cell(row, name) for name in names)} |" for id_, row in rows]
    ends = [
        "| learner | n | yes | smaller yes | no | walked out | median replies |",
        "|---" * 7 + "|",
    ]
    ends += [f"| {kind} | {_ended(some)} |" for kind, some in kinds.items()]
    return "\n".join(
        [
            "# The counterpart, played by scripted learners",
            "",
            "Written by `python -m evals counterpart --write`. Each cell: rate, and of how many.",
            "",
            *table,
            "",
            *ends,
            "",
            "Trust after each reply, by kind of learner: mean, and range over the conversations",
            "of the kind (the last value is carried on after an ending).",
            "",
            "![Trust after each reply, by kind of learner](counterpart.svg)",
            "",
        ]
    )


def _cell(row: Mapping[str, Any], name: str) -> str:
    rate, n = row[name], row["of"][name]
    return "–" if rate is None else f"{rate:.3f} ({n})"


def _ended(some: Sequence[Transcript]) -> str:
    ended = Counter(str(t.state.outcome) for t in some)
    lengths = sorted(len(t.exchanges) for t in some)
    cells = [len(some), *(ended[end] for end in ENDS), lengths[len(lengths) // 2]]
    return " | ".join(map(str, cells))


def states_of(transcript: Transcript) -> list[CounterpartState]:
    """Return where the other person was before the first reply and after each."""
    before = transcript.model_copy(update={"exchanges": (), "ending": None})
    return [before.state, *(e.state for e in transcript.exchanges)]


def trust_of(transcript: Transcript) -> list[float]:
    """Return the trust before the first reply and after each, to REPLIES, the last carried on."""
    values = [state.trust for state in states_of(transcript)]
    return (values + values[-1:] * REPLIES)[: REPLIES + 1]


def svg(kinds: Kinds) -> str:
    """Return small charts, one a kind, as one SVG image."""
    down = -(-len(kinds) // ACROSS)
    charts = [
        f'<g transform="translate({n % ACROSS * WIDTH},{n // ACROSS * HEIGHT})">'
        f"{_chart(kind, [trust_of(t) for t in some])}</g>"
        for n, (kind, some) in enumerate(kinds.items())
    ]
    size = f'width="{ACROSS * WIDTH}" height="{down * HEIGHT}"'
    style = "text{font:11px sans-serif;fill:#444}.m{fill:none;stroke:#2f5d62;stroke-width:2}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>Trust after each reply'
        f"</title><style>{style}.r{{fill:#2f5d6233}}.a{{stroke:#999}}</style>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(charts)}</svg>\n'
    )


def _chart(kind: str, curves: Sequence[Sequence[float]]) -> str:
    by_reply = list(zip(*curves, strict=True))
    mean = _points((n, sum(v) / len(v)) for n, v in enumerate(by_reply))
    band = _points(
        [(n, max(v)) for n, v in enumerate(by_reply)]
        + [(n, min(v)) for n, v in reversed(list(enumerate(by_reply)))]
    )
    left, bottom = PAD, HEIGHT - PAD
    return (
        f'<text x="{left}" y="14">{escape(kind)} (n {len(curves)})</text>'
        f'<path class="a" fill="none" d="M{left} {PAD}V{bottom}H{WIDTH - 8}"/>'
        f'<text x="6" y="{PAD + 6}">10</text><text x="12" y="{bottom + 4}">0</text>'
        f'<polygon class="r" points="{band}"/><polyline class="m" points="{mean}"/>'
    )


def _points(values: Iterable[tuple[int, float]]) -> str:
    across, up = (WIDTH - PAD - 8) / REPLIES, (HEIGHT - 2 * PAD) / HIGHEST
    return " ".join(f"{PAD + n * across:.1f},{HEIGHT - PAD - v * up:.1f}" for n, v in values)
