"""Write the trained network as int8 ONNX that `coach.acts` runs, and check that it still says the same."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from coach import acts
from training.network import MARKERS, Network

if TYPE_CHECKING:
    from training.encoder import Example


def export(network: Network, out: Path, check: Sequence[Example]) -> dict[str, object]:
    """Size in bytes, digest, and the largest and mean change of a probability against the 32-bit network."""
    whole, small = out / "acts-fp32.onnx", out / "acts.onnx"
    network = _merged(network)
    windows = acts.windows(check[0].lines)[:2]
    inputs = {k: torch.from_numpy(v) for k, v in acts.padded(windows).items()}
    both = {0: "windows", 1: "tokens"}
    lines = {0: "windows", 1: "lines"}
    torch.onnx.export(
        network,
        tuple(inputs.values()),
        str(whole),
        input_names=list(inputs),
        output_names=["logits", "query", "key"],
        dynamic_axes={"ids": both, "owner": both, "first": lines, "logits": lines, "query": lines, "key": lines},
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(
        whole,
        small,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gather", "Gemm"],
        extra_options={"MatMulConstBOnly": True},
    )
    session = onnxruntime.InferenceSession(str(small), providers=["CPUExecutionProvider"])
    changes = []
    for example in check:
        for window in acts.windows(example.lines):
            given = acts.padded([window])
            with torch.no_grad():
                true = network(*(torch.from_numpy(v) for v in given.values()))[0].numpy()
            changes.append(np.abs(_sigmoid(session.run(["logits"], given)[0]) - _sigmoid(true)).ravel())
    change = np.concatenate(changes)
    return {
        "bytes": small.stat().st_size,
        "sha256": hashlib.sha256(small.read_bytes()).hexdigest(),
        "largest_change": round(float(change.max()), 3),
        "mean_change": round(float(change.mean()), 5),
    }


def _merged(network: Network) -> Network:
    network = copy.deepcopy(network).eval()
    with torch.no_grad():
        network.encoder.embeddings.word_embeddings.weight[:MARKERS] = network.markers
    network.merged = True
    return network


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
