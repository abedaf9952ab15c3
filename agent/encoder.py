"""Sentence vectors from the int8 ONNX file in agent/models/minilm_v1, on one CPU thread.

Importing this module loads nothing; the model is read at the first `encode`.
"""

import hashlib
import json
import threading
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from agent.errors import BackendError

MODELS: Final = Path(__file__).parent / "models"

Vectors = npt.NDArray[np.float32]


class SentenceEncoder:
    """Texts to vectors of length 1. Safe to share between threads.

    `folder` holds model.onnx, tokenizer.json and config.json. Raises BackendError, at first use,
    when a file is missing, damaged or not the one that config.json names.
    """

    def __init__(self, folder: Path = MODELS / "minilm_v1") -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    @cached_property
    def _config(self) -> dict[str, Any]:
        try:
            config: dict[str, Any] = json.loads((self._folder / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise unreadable(self._folder, error) from error
        return config

    @property
    def model_id(self) -> str:
        """The model's name and version."""
        return str(self._config["name"])

    @property
    def sha256(self) -> str:
        """The checksum of the model file."""
        return str(self._config["sha256"])

    @property
    def dimension(self) -> int:
        """The number of components of a vector."""
        return int(self._config["dimension"])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimension) float32, rows of length 1, in the order of `texts`.

        Texts are cut at the model's 256 tokens. Each is run alone: activations are quantised over
        a whole batch, so that in a batch a text's vector would depend on its neighbours (cosine
        0.96 to 1 with itself), and on one thread a batch is slower besides. Raises BackendError
        when the engine fails.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if texts:
            tokenizer, session = self._engine()
            for row, encoded in enumerate(tokenizer.encode_batch(list(texts))):
                vectors[row] = self._run(session, np.array([encoded.ids], dtype=np.int64))
        return vectors

    def _run(self, session: Any, ids: npt.NDArray[np.int64]) -> Vectors:
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        try:
            found: Vectors = session.run(["embedding"], feeds)[0][0]
        except Exception as error:  # onnxruntime has no common base for what it raises
            raise BackendError(
                f"The sentence encoder failed: {error}. Nothing was changed. Try again; if it "
                "happens again, install the project anew."
            ) from error
        return found

    def _engine(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                tokenizer, session = load_engine(self._folder, self.sha256)
                tokenizer.enable_truncation(max_length=int(self._config["max_tokens"]))
                self._loaded = (tokenizer, session)
            return self._loaded


def load_engine(folder: Path, sha256: str) -> tuple[Any, Any]:
    """Return a model folder's tokenizer and its ONNX session on one CPU thread.

    Raises BackendError when a file is missing or damaged, or the model file is not `sha256`.
    """
    import onnxruntime
    from tokenizers import Tokenizer

    try:
        data = (folder / "model.onnx").read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError("model.onnx is not the file that config.json names")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # both libraries raise bare exceptions
        raise unreadable(folder, error) from error
    return tokenizer, session


def unreadable(folder: Path, error: Exception) -> BackendError:
    """Return the error for a model folder that cannot be used."""
    return BackendError(
        f"The model in {folder} cannot be read: {error}. Nothing was changed. Restore the folder "
        "from the repository, or install the project anew."
    )


@cache
def default_encoder() -> SentenceEncoder:
    """Return the encoder that the whole process shares."""
    return SentenceEncoder()
