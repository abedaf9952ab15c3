"""The local critic: windows, decoding, and the shipped model through the gate."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from agent import decode, rubric, windows
from agent.domain import Move, Reading
from agent.encoder import MODELS
from agent.errors import BackendError
from agent.local_critic import LocalCritic, default_critic

HISTORY = [("counterpart", "We were down from nine till one. I had to present at two.")]
REPLY = (
    "So you stood there with nothing in your hands. I will send you the full log myself by "
    "Friday noon, and you decide whether it is done. What did they ask you?"
)
FOLDER = MODELS / "moves_v2"
NUMBERS = decode.Decoding.from_config(json.loads((FOLDER / "config.json").read_text("utf-8")))


def raw_of(
    reply: str, tags: dict[int, float], presence: float = 4.0, overall: float = 3.0
) -> decode.Raw:
    """Return logits for a reply of words: `tags` gives the first move's logit of some words."""
    starts = [i for i, c in enumerate(reply) if c != " " and (i == 0 or reply[i - 1] == " ")]
    ends = [reply.find(" ", s) if " " in reply[s:] else len(reply) for s in starts]
    grid = np.full((len(starts), len(NUMBERS.labels)), -8.0)
    for word, logit in tags.items():
        grid[word, 0] = logit
    there = np.full(len(NUMBERS.labels), -8.0)
    there[0] = presence
    offsets = np.array(list(zip(starts, ends, strict=True)), dtype=np.int64)
    return decode.Raw(offsets, grid, there, np.full(4, overall))


def test_the_numbers_name_every_move_in_the_order_of_the_domain() -> None:
    assert list(NUMBERS.labels) == [move.value for move in Move]
    assert (NUMBERS.lower <= NUMBERS.upper).all()
    assert (NUMBERS.upper <= NUMBERS.upper_low).all()


def test_every_claim_is_an_exact_run_of_the_reply_and_the_gate_admits_it() -> None:
    reading = default_critic().read(HISTORY, REPLY)
    assert reading.claims
    for claim in reading.claims:
        assert claim.start is not None
        assert REPLY[claim.start : claim.start + len(claim.words)] == claim.words
        assert claim.words == claim.words.strip()
    critique = rubric.critique(REPLY, reading, default_critic().name)
    assert critique.turned_away == ()
    assert {Move.TERMS, Move.OPEN_QUESTION} <= critique.moves()


def test_turns_are_taken_as_pairs_or_as_the_evaluations_write_them() -> None:
    written = [{"who": who, "text": text} for who, text in HISTORY]
    assert default_critic().read(HISTORY, REPLY) == default_critic().read(written, REPLY)


def test_threads_read_the_same() -> None:
    critic = LocalCritic()
    with ThreadPoolExecutor(4) as pool:
        readings = list(pool.map(lambda _: critic.read(HISTORY, REPLY), range(4)))
    assert all(reading == readings[0] for reading in readings)


@pytest.mark.parametrize(
    "reply",
    [REPLY * 38, "🙂" * 5000, "🙂 " * 2500, "word " * 1200, "?" * 6000, "\u200b", "  ", "é" * 900],
)
def test_a_reply_of_any_shape_is_read_and_quoted_exactly(reply: str) -> None:
    reading = default_critic().read(HISTORY, reply)
    critique = rubric.critique(reply, reading, "test")
    assert critique.turned_away == ()


def test_a_reply_without_a_token_goes_nowhere() -> None:
    assert default_critic().read(HISTORY, "   ") == Reading(overall=1)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="ab .?!\n", min_size=1, max_size=3000), st.integers(0, 72))
def test_windows_hold_every_token_and_each_fits(reply: str, before: int) -> None:
    tokens = windows.Tokens((7,) * before, np.arange(len(reply)), _each(reply))
    spans = windows.spans(reply, tokens)
    assert {i for first, last in spans for i in range(first, last)} == set(range(len(reply)))
    for span in spans:
        assert len(windows.window_ids(tokens, span)[0]) <= windows.MAX_TOKENS


def _each(reply: str) -> windows.Ints:
    places = np.arange(len(reply), dtype=np.int64)
    return np.stack([places, places + 1], axis=1)


def test_windows_end_where_a_sentence_ends() -> None:
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    reply = "We will open the gate at nine. " * 60
    tokens = windows.tokenize(tokenizer, HISTORY, reply)
    for first, last in windows.spans(reply, tokens)[:-1]:
        assert reply[tokens.offsets[last - 1][0]] == "."
        assert reply[tokens.offsets[first][0]] == "W"


def test_of_two_windows_a_token_keeps_the_reading_farther_from_an_edge() -> None:
    offsets = _each("abcd")
    parts = [
        ((0, 3), np.full((3, 2), 1.0), np.array([1.0, 0.0]), np.zeros(4)),
        ((1, 4), np.full((3, 2), 2.0), np.array([0.0, 5.0]), np.ones(4)),
    ]
    whole = decode.merged(offsets, parts)
    assert whole.tags[:, 0].tolist() == [1.0, 1.0, 2.0, 2.0]
    assert whole.presence.tolist() == [1.0, 5.0]


def test_a_quote_grows_to_its_clause_and_not_over_the_reply() -> None:
    reply = "I can see it was hard, and we will open on Monday, whatever the others say."
    raw = raw_of(reply, {6: 1, 7: 5, 8: 5, 9: 5, 10: 3})
    numbers = replace(NUMBERS, widen=("clause",) * len(NUMBERS.labels))
    found, _ = decode.decode(reply, raw, numbers)
    assert [reply[f.start : f.end] for f in found] == ["and we will open on Monday"]


@pytest.mark.parametrize(
    ("widen", "word", "quote"),
    [
        ("nothing", 7, "Monday"),
        ("nothing", 6, "we will open the gate on Monday"),
        ("clause", 7, "we will open the gate on Monday"),
    ],
)
def test_a_word_that_says_nothing_alone_gets_its_clause(widen: str, word: int, quote: str) -> None:
    reply = "Listen, we will open the gate on Monday, whatever they say."
    numbers = replace(NUMBERS, widen=(widen,) * len(NUMBERS.labels))
    found, _ = decode.decode(reply, raw_of(reply, {word: 5}), numbers)
    assert [reply[f.start : f.end] for f in found] == [quote]


def test_a_quote_leaves_out_the_few_words_of_a_sentence_it_only_grazes() -> None:
    reply = "It is on the list. I will stand at the gate myself. Then we talk about the rest."
    raw = raw_of(reply, dict.fromkeys(range(4, 13), 5.0))
    found, _ = decode.decode(reply, raw, NUMBERS)
    assert [reply[f.start : f.end] for f in found] == ["I will stand at the gate myself."]


def test_a_time_written_with_a_full_stop_is_not_the_end_of_a_sentence() -> None:
    reply = "We open at 9.30 sharp and the price is 1,200 a day"
    raw = raw_of(reply, dict.fromkeys(range(3, 5), 5.0))
    numbers = replace(NUMBERS, widen=("nothing",) * len(NUMBERS.labels))
    found, _ = decode.decode(reply, raw, numbers)
    assert [reply[f.start : f.end] for f in found] == ["9.30 sharp"]


def test_a_low_overall_asks_more_of_a_good_move() -> None:
    strict = np.array(NUMBERS.upper)
    strict[0] = 0.999999
    numbers = replace(NUMBERS, upper_low=strict)
    reply = "we will open the gate on Monday"
    tags = {1: 4.0, 2: 4.0}
    high, _ = decode.decode(reply, raw_of(reply, tags, overall=3.0), numbers)
    low, _ = decode.decode(reply, raw_of(reply, tags, overall=-3.0), numbers)
    assert [f.sure for f in high] == [True]
    assert [f.sure for f in low] == [False]


def test_a_missing_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="Restore the folder"):
        LocalCritic(tmp_path).read(HISTORY, REPLY)


def test_numbers_that_lack_a_threshold_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "moves_v2"
    shutil.copytree(FOLDER, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    del config["moves"]["care"]["upper"]
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(BackendError, match="cannot be read"):
        LocalCritic(folder).read(HISTORY, REPLY)
