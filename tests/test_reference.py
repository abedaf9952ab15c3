"""Golden outputs: the shipped models read and encode as they did when they were made."""

import json
from typing import Any

import pytest

from agent.domain import Reading
from agent.encoder import MODELS
from agent.local_critic import default_critic

GOLDEN: list[dict[str, Any]] = json.loads((MODELS / "moves_v2" / "golden.json").read_text("utf-8"))
ROUNDING = 0.02  # of confidence, between processors


def shape(reading: Reading) -> list[tuple[str, str, int | None, bool]]:
    """Return what must be equal to the letter."""
    return [(c.move, c.words, c.start, c.sure) for c in reading.claims]


@pytest.mark.parametrize("case", GOLDEN, ids=[case["id"] for case in GOLDEN])
def test_the_shipped_critic_reads_as_it_did(case: dict[str, Any]) -> None:
    expected = Reading.model_validate(case["reading"])
    found = default_critic().read(case["history"], case["reply"])
    assert found.overall == expected.overall
    assert shape(found) == shape(expected)
    for ours, theirs in zip(found.claims, expected.claims, strict=True):
        assert ours.confidence == pytest.approx(theirs.confidence, abs=ROUNDING)


def test_the_golden_replies_are_a_dozen_and_some_have_findings_and_some_not() -> None:
    assert len(GOLDEN) >= 12
    assert any(claim["sure"] for case in GOLDEN for claim in case["reading"]["claims"])
    assert len({case["reading"]["overall"] for case in GOLDEN}) >= 3
