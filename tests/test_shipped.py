"""The vectors that come with the article: all of them, of this encoder, and right."""

from pathlib import Path

import pytest

from agent.encoder import default_encoder
from knowledge.library import Library
from knowledge.shipped import shipped
from knowledge.sources import article
from knowledge.vectors import Vectors


class Counting:
    """The product's encoder, counting the texts it encodes."""

    def __init__(self) -> None:
        own = default_encoder()
        self.model_id, self.sha256, self.dimension = own.model_id, own.sha256, own.dimension
        self.encoded: list[str] = []

    def encode(self, texts: list[str]) -> Vectors:
        """Encode, and remember what."""
        self.encoded += texts
        return default_encoder().encode(texts)


def test_a_first_index_of_the_article_encodes_nothing(tmp_path: Path) -> None:
    encoder = Counting()
    Library.open_or_build(tmp_path, encoder, [article()]).close()
    hint = "the article or its questions changed: run `python -m knowledge.shipped`"
    assert not encoder.encoded, hint


def test_what_is_shipped_is_what_the_encoder_gives() -> None:
    texts = [asked.question for asked in article().asked][::97]
    held = shipped(default_encoder(), texts)
    assert list(held) == texts
    for text, vector in zip(texts, default_encoder().encode(texts), strict=True):
        assert held[text] == pytest.approx(vector, abs=1e-3)


def test_another_encoder_or_text_finds_nothing() -> None:
    other = Counting()
    assert shipped(other, ["A text that nobody wrote."]) == {}
    other.sha256 = "another"
    assert shipped(other, [article().asked[0].question]) == {}
