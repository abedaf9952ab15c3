"""Read a scenario file as its author would want it read: all that is wrong, thin or too near. Pure.

`prompts/check.py` says what cannot be played; this says more: lines never said, stages that leak,
moments that run out, lines too alike, words that are not said.
"""

from collections.abc import Collection, Iterator

from agent.domain import Scenario
from prompts.document import Document, Unreadable, parse
from prompts.lint_coverage import (
    asks_twice,
    loose_quotes,
    moves_that_do_nothing,
    never_said,
    no_terms,
    thin,
)
from prompts.lint_likeness import Vectors, alike, leaks, openings_alike
from prompts.lint_words import Style, forbidden, never
from prompts.remarks import Encode, Remark, error
from prompts.scenario_file import checked


def lint(text: str, encode: Encode, style: Style = (), taken: Collection[str] = ()) -> list[Remark]:
    """Return all there is to say of the text of a scenario file, in the order of the file.

    `taken` are ids of other files. What needs right keys is said only where the keys are right.
    """
    try:
        document = parse(text)
    except Unreadable as problem:
        return [Remark(level="error", place="", reason=str(problem), line=problem.line)]
    scenario, problems = checked(document.data)
    remarks = [error(place, reason) for place, reason in problems]
    if document.data.get("id") in taken:
        remarks.append(error("id", f"{document.data['id']!r} is taken by another file"))
    if scenario:
        remarks += remarks_on(scenario, encode, style)
    return sorted(
        (_with_line(remark, document, scenario) for remark in remarks),
        key=lambda r: (r.line or 0, r.level),
    )


def remarks_on(scenario: Scenario, encode: Encode, style: Style) -> Iterator[Remark]:
    """Yield what is to be said of a scenario whose keys are right."""
    vectors = Vectors(encode)
    yield from never_said(scenario)
    yield from moves_that_do_nothing(scenario)
    yield from no_terms(scenario)
    yield from loose_quotes(scenario)
    yield from asks_twice(scenario)
    yield from thin(scenario)
    yield from forbidden(scenario, style)
    yield from never(scenario)
    yield from leaks(scenario, vectors)
    yield from alike(scenario, vectors)
    yield from openings_alike(scenario, vectors)


def _with_line(remark: Remark, document: Document, scenario: Scenario | None) -> Remark:
    """Return a remark with its line; a fact is found by its number, its place names its id."""
    place = remark.place
    kind, _, rest = place.partition(".")
    if scenario and kind == "facts" and rest:
        for number, fact in enumerate(scenario.facts, start=1):
            if rest == fact.id or rest.startswith(f"{fact.id}."):
                place = f"facts.{number}{rest.removeprefix(fact.id)}"
                break
    return remark.model_copy(update={"line": document.line(place)})
