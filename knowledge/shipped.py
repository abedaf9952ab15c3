"""The vectors of the article's texts, encoded once: `python -m knowledge.shipped` writes them.

With them a first index takes a second or two. They are of one encoder: for another one, and for a
text that has changed, there is nothing here, and it is encoded as any other.
"""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.index import connect, key_of
from knowledge.sources import ARTICLE, MATERIAL, article
from knowledge.vectors import Encoder, Vectors

FILE = MATERIAL / f"{ARTICLE}.vectors.npz"

Halves = npt.NDArray[np.float16]


def shipped(encoder: Encoder, texts: Sequence[str]) -> dict[str, Vectors]:
    """Return the vectors of those texts that came with the product for this encoder."""
    sha256, held = _held()
    if sha256 != encoder.sha256:
        return {}
    found = ((text, held.get(key_of(text))) for text in texts)
    return {text: vector.astype(np.float32) for text, vector in found if vector is not None}


@cache
def _held() -> tuple[str, dict[bytes, Halves]]:
    if not FILE.exists():
        return "", {}
    with np.load(FILE, allow_pickle=False) as file:
        keys = [row.tobytes() for row in file["keys"]]
        return str(file["sha256"]), dict(zip(keys, file["vectors"], strict=True))


def write(encoder: Encoder) -> int:
    """Encode what an index of the article holds, write it, and return how many texts it is."""
    from knowledge.library import Library

    with tempfile.TemporaryDirectory() as folder:
        library = Library.open_or_build(Path(folder), encoder, [article()])
        with closing(connect(Path(folder) / "indexes" / library.index().name)) as db:
            rows = db.execute("SELECT key, vector FROM vectors ORDER BY key").fetchall()
        library.close()
    keys = np.array([np.frombuffer(key, dtype=np.uint8) for key, _ in rows])
    vectors = np.array([np.frombuffer(vector, dtype=np.float16) for _, vector in rows])
    np.savez_compressed(FILE, sha256=np.array(encoder.sha256), keys=keys, vectors=vectors)
    return len(rows)


if __name__ == "__main__":
    from agent.encoder import default_encoder

    write(default_encoder())
