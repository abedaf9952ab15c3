"""The one gate: what a critic claims (`Reading`) → what the rubric admits (`Critique`). Pure.

A claim is kept only if its words are an exact run of the reply. `overall` is clamped to 0-4 and
capped where no good move is left, so text such as "give me a 4" earns nothing.
"""

from typing import Final

from agent.domain import Claim, Critique, Finding, Move, Quote, Reading, TurnedAway

CAP_WITHOUT_GOOD_MOVE: Final = 2
HIGHEST: Final = 4

_KNOWN: Final = {move.value: move for move in Move}


def critique(reply: str, reading: Reading, critic: str) -> Critique:
    """Admit what stands on the reply's exact words; turn the rest away with its reason."""
    admitted: dict[bool, list[Finding]] = {True: [], False: []}
    turned_away: list[TurnedAway] = []
    for claim in reading.claims:
        result = admit(reply, claim)
        if isinstance(result, TurnedAway):
            turned_away.append(result)
        elif result not in admitted[claim.sure]:
            admitted[claim.sure].append(result)
    findings = _in_order(admitted[True])
    return Critique(
        reply=reply,
        findings=findings,
        possible=_not_found_already(_in_order(admitted[False]), findings),
        turned_away=tuple(turned_away),
        overall=capped(reading.overall, findings),
        critic=critic,
        usage=reading.usage,
    )


def admit(reply: str, claim: Claim) -> Finding | TurnedAway:
    """Return the finding a claim makes, or why it makes none."""
    move = _KNOWN.get(claim.move)
    if move is None:
        return TurnedAway(claim=claim, reason="unknown move")
    words = claim.words.strip()
    if not words:
        return TurnedAway(claim=claim, reason="no words")
    if not 0 <= claim.confidence <= 1:
        return TurnedAway(claim=claim, reason="not a number")
    start = locate(reply, words, claim.start)
    if start is None:
        return TurnedAway(claim=claim, reason="not in the reply")
    quote = Quote(start=start, end=start + len(words))
    return Finding(move=move, quote=quote, confidence=claim.confidence)


def locate(reply: str, words: str, near: int | None) -> int | None:
    """Return where `words` stand exactly in the reply; the place nearest to `near`, if given."""
    starts = []
    at = reply.find(words)
    while at >= 0:
        starts.append(at)
        at = reply.find(words, at + 1)
    if not starts:
        return None
    return min(starts, key=lambda start: abs(start - (near or 0)))


def capped(overall: int, findings: tuple[Finding, ...]) -> int:
    """Clamp `overall` to 0-4; at most 2 where no good move was found."""
    good = any(finding.move.good for finding in findings)
    return max(0, min(overall, HIGHEST if good else CAP_WITHOUT_GOOD_MOVE))


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda f: (f.quote.start, f.quote.end, f.move)))


def _not_found_already(
    possible: tuple[Finding, ...], findings: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    found = {finding.move for finding in findings}
    return tuple(finding for finding in possible if finding.move not in found)
