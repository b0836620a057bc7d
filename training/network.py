"""The network: MiniLM over a window, one vector per sentence, several heads and a link between sentences."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from transformers import BertModel

from coach.acts import HEADS, LAST_PERSON, LINK_SIZE, LINKS

HIDDEN = 384
MARKERS = LAST_PERSON + 1
"""Rows of the vocabulary that stand for speakers and headings; only these word vectors are trained."""


class Network(nn.Module):
    """(windows, tokens) ids in; logits (windows, lines, outputs) and link vectors (windows, lines, 2 x 64) out."""

    def __init__(self, encoder: BertModel, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.merged = False  # in the exported network the markers are rows of the word vectors
        self.markers = nn.Parameter(encoder.embeddings.word_embeddings.weight[:MARKERS].detach().clone())
        self.shared = nn.Sequential(
            nn.LayerNorm(2 * HIDDEN), nn.Dropout(dropout), nn.Linear(2 * HIDDEN, HIDDEN), nn.GELU(), nn.Dropout(dropout)
        )
        self.heads = nn.Linear(HIDDEN, sum(len(names) for _, names in HEADS))
        self.query = nn.Linear(HIDDEN, len(LINKS) * LINK_SIZE)
        self.key = nn.Linear(HIDDEN, len(LINKS) * LINK_SIZE)
        nn.init.constant_(self.heads.bias, -2.0)
        nn.init.constant_(self.query.bias, 0.6)  # a link is rare: start near 5 %
        nn.init.constant_(self.key.bias, -0.6)

    @classmethod
    def from_base(cls, base: Path, dropout: float) -> Network:
        """The network with pretrained weights below and fresh heads above; word vectors are frozen."""
        encoder = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="sdpa")
        words = encoder.embeddings.word_embeddings.weight
        with torch.no_grad():  # markers start near words that mean something like them, apart from each other
            mean = words[1000:].mean(0)
            words[:MARKERS] = mean + 0.02 * torch.randn(MARKERS, HIDDEN, generator=torch.Generator().manual_seed(1))
        words.requires_grad_(False)
        encoder.embeddings.position_embeddings.weight.requires_grad_(False)
        return cls(encoder, dropout)

    def forward(self, ids: torch.Tensor, owner: torch.Tensor, first: torch.Tensor) -> tuple[torch.Tensor, ...]:
        vector = self.vectors(ids, owner, first)
        return self.heads(vector), self.query(vector), self.key(vector)

    def vectors(self, ids: torch.Tensor, owner: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
        """What all heads read of each line: (windows, lines, HIDDEN)."""
        embeddings = self.encoder.embeddings
        words = embeddings.word_embeddings(ids)
        if not self.merged:
            words = torch.where((ids < MARKERS).unsqueeze(-1), self.markers[ids.clamp(max=MARKERS - 1)], words)
        place = embeddings.position_embeddings(torch.arange(ids.shape[1], device=ids.device)).unsqueeze(0)
        kind = embeddings.token_type_embeddings.weight[0]
        states = embeddings.dropout(embeddings.LayerNorm(words + place + kind))
        for layer in self.encoder.encoder.layer:
            states = self._layer(layer, states, owner)
        lines = torch.arange(first.shape[1], device=ids.device).view(1, -1, 1)
        pool = (owner.unsqueeze(1) == lines).to(states.dtype)
        mean = (pool @ states) / pool.sum(-1, keepdim=True).clamp(min=1)
        start = torch.gather(states, 1, first.unsqueeze(-1).expand(-1, -1, HIDDEN))
        shared: torch.Tensor = self.shared(torch.cat([mean, start], dim=-1))
        return shared

    def _layer(self, layer: nn.Module, states: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
        own = layer.attention.self
        batch, tokens, _ = states.shape
        shape = (batch, tokens, own.num_attention_heads, -1)
        q, k, v = (part(states).view(shape).transpose(1, 2) for part in (own.query, own.key, own.value))
        mask = torch.where(owner == -2, -1e4, 0.0)[:, None, None, :]
        # Written out: torch's fused attention takes 1.4 times as long to learn in bfloat16 on a CPU.
        mixed = torch.softmax(q @ k.transpose(-1, -2) / own.attention_head_size**0.5 + mask, dim=-1).to(v.dtype) @ v
        mixed = mixed.transpose(1, 2).reshape(batch, tokens, HIDDEN)
        states = layer.attention.output(mixed, states)
        return layer.output(layer.intermediate(states), states)

    def groups(self, rate: float, head_rate: float, decay: float) -> list[dict[str, object]]:
        """Parameter groups: each layer of the encoder learns ``decay`` times as fast as the one above it."""
        layers = self.encoder.encoder.layer
        found: list[dict[str, object]] = [
            {"params": list(layer.parameters()), "lr": rate * decay ** (len(layers) - 1 - i)}
            for i, layer in enumerate(layers)
        ]
        below = [p for p in self.encoder.embeddings.parameters() if p.requires_grad]
        found.append({"params": below, "lr": rate * decay ** len(layers)})
        found.append({"params": [self.markers], "lr": rate})
        top = [p for module in (self.shared, self.heads, self.query, self.key) for p in module.parameters()]
        return [*found, {"params": top, "lr": head_rate}]
