"""From a torch module to an int8 ONNX file, and the comparison of the two.

`dynamo=False`, opset 17 and `per_channel=True` are deliberate: per tensor the sentence vectors
lose half a percent to five of their cosine.
"""

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from evals.train.base import sha256

OPSET = 17
BROADCAST = "/score/MatMul"  # one score plus four cuts: fused and quantised, it does not run


def to_int8(
    module: torch.nn.Module,
    target: Path,
    inputs: list[str],
    outputs: dict[str, dict[int, str]],
    reduce_range: bool = False,
) -> None:
    """Write `module` as an int8 ONNX file; every input is (batch, tokens) of int64.

    `outputs` gives each output's dynamic axes. Weights are quantised per channel, activations
    when they are computed. `reduce_range` keeps weights to 7 bits, so that a processor without
    VNNI does not saturate where one with it does not.
    """
    sample = tuple(torch.ones(2, 9, dtype=torch.int64) for _ in inputs)
    axes: dict[str, Any] = {name: {0: "batch", 1: "tokens"} for name in inputs} | outputs
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter of torch 2.13 calls itself deprecated
        full = Path(folder) / "full.onnx"
        torch.onnx.export(
            module.eval(),
            sample,
            str(full),
            input_names=inputs,
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        quantize_dynamic(
            full,
            target,
            per_channel=True,
            weight_type=QuantType.QInt8,
            reduce_range=reduce_range,
            nodes_to_exclude=[BROADCAST],
        )
    onnx.checker.check_model(str(target))


def session(path: Path) -> onnxruntime.InferenceSession:
    """Return a session on one CPU thread, as the product runs it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Write config.json with the checksum of the model file beside it."""
    full = config | {"sha256": sha256((folder / "model.onnx").read_bytes())}
    text = json.dumps(full, indent=2, ensure_ascii=False) + "\n"
    (folder / "config.json").write_text(text, "utf-8")
