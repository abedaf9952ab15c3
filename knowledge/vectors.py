"""What the library needs of a sentence encoder."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Sentence vectors. Two encoders with one `sha256` give the same vectors."""

    @property
    def model_id(self) -> str:
        """The name and version of the model."""

    @property
    def sha256(self) -> str:
        """The checksum of the model file."""

    @property
    def dimension(self) -> int:
        """The width of a vector."""

    def encode(self, texts: list[str]) -> Vectors:
        """Return one vector of length 1 for each text, (n, dimension)."""
