"""The sentence encoder: the shipped model, run as the product runs it."""

import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agent.encoder import MODELS, SentenceEncoder, default_encoder
from agent.errors import BackendError

TEXTS = ["The company sells watches.", "A firm that trades in timepieces.", "It rains in Spain."]


def test_vectors_have_length_one_and_keep_the_order_of_the_texts() -> None:
    vectors = default_encoder().encode(TEXTS)
    assert vectors.shape == (3, default_encoder().dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(default_encoder().encode(TEXTS[::-1]), vectors[::-1])


def test_texts_of_like_meaning_are_nearer_than_others() -> None:
    near = default_encoder().encode(TEXTS) @ default_encoder().encode(TEXTS).T
    assert near[0, 1] > near[0, 2] + 0.2


def test_a_text_has_one_vector_whatever_it_is_encoded_with() -> None:
    alone = default_encoder().encode(TEXTS[:1])
    among = default_encoder().encode([TEXTS[0], "a rather longer text " * 60, ""])
    assert np.array_equal(alone[0], among[0])


def test_a_long_text_is_cut_and_no_text_gives_no_rows() -> None:
    long = "word " * 5000
    assert np.array_equal(
        default_encoder().encode([long]), default_encoder().encode([long + "and more"])
    )
    assert default_encoder().encode([]).shape == (0, default_encoder().dimension)


def test_threads_share_one_encoder() -> None:
    encoder = SentenceEncoder()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(encoder.encode, [TEXTS] * 4))
    assert all(np.array_equal(vectors, found[0]) for vectors in found)


def test_the_checksum_is_that_of_the_shipped_file() -> None:
    data = (MODELS / "minilm_v1" / "model.onnx").read_bytes()
    assert hashlib.sha256(data).hexdigest() == default_encoder().sha256
    assert default_encoder().model_id == "minilm_v1"


def test_importing_loads_no_engine() -> None:
    code = "import agent.encoder, agent.local_critic, sys; print('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_missing_model_is_told_at_first_use(tmp_path: Path) -> None:
    encoder = SentenceEncoder(tmp_path / "absent")
    with pytest.raises(BackendError, match="cannot be read"):
        encoder.encode(TEXTS)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "minilm_v1"
    shutil.copytree(MODELS / "minilm_v1", folder)
    with (folder / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    with pytest.raises(BackendError, match="not the file"):
        SentenceEncoder(folder).encode(TEXTS)


def test_a_file_that_is_no_model_is_refused_in_plain_words(tmp_path: Path) -> None:
    folder = tmp_path / "minilm_v1"
    shutil.copytree(MODELS / "minilm_v1", folder)
    (folder / "model.onnx").write_bytes(b"nothing")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["sha256"] = hashlib.sha256(b"nothing").hexdigest()
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(BackendError, match="Restore the folder"):
        SentenceEncoder(folder).encode(TEXTS)
