"""A tiny deterministic encoder: hashed words, so that shared words mean near vectors."""

import hashlib
from collections.abc import Sequence

import numpy as np

from knowledge.vectors import Vectors
from knowledge.words import words


class HashEncoder:
    """Counts of hashed words, length 1."""

    def __init__(self, name: str = "hash", dimension: int = 64) -> None:
        self.model_id, self.dimension = name, dimension
        self.sha256 = hashlib.sha256(f"{name}{dimension}".encode()).hexdigest()
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in words(text):
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % self.dimension] += 1
        found: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return found
