"""A decoder-only Transformer in Llama's architecture; the attention is an argument.

RMSNorm before each part, rotary positions, grouped-query attention, a SwiGLU
feed-forward, embeddings shared with the output (Touvron et al., "LLaMA", arXiv
2302.13971; Ainslie et al., "GQA", arXiv 2305.13245). No biases, no dropout.

A model is `Decoder(config, attention)`. An attention is a module made from a `Config`:

- `forward(x, cache=None)` maps (batch, length, width) to the same shape. With a cache,
  `x` holds the positions that follow what the cache has seen, and is added to it;
- `new_cache(batch, length)` makes an empty one, for at most `length` positions.

Any attention of the book that keeps these two fits in, and none knows the others.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache as remembered
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from explainers import rope


@dataclass(frozen=True)
class Config:
    """Sizes of a model. `length` is the longest sequence that it takes.

    The defaults are those of the recorded byte model (`explainers.studies.bytes`).
    """

    vocabulary: int = 256
    layers: int = 4
    width: int = 128
    heads: int = 4
    kv_heads: int = 4
    hidden: int = 344
    length: int = 1024
    rope_base: float = 10_000.0
    eps: float = 1e-5

    def __post_init__(self) -> None:
        for name in ("vocabulary", "layers", "width", "heads", "kv_heads", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1")
        if self.width % self.heads or self.head_size % 2:
            raise ValueError(
                f"heads: {self.heads} cut a width of {self.width} into no even sizes"
            )
        if self.heads % self.kv_heads:
            raise ValueError(
                f"kv_heads: {self.kv_heads} do not divide {self.heads} heads"
            )

    @property
    def head_size(self) -> int:
        return self.width // self.heads


class KeyValueCache:
    """Keys and values of the positions seen so far, room for `length` of them."""

    def __init__(
        self, batch: int, heads: int, length: int, head_size: int, like: Tensor
    ) -> None:
        room = batch, heads, length, head_size
        self.keys, self.values = like.new_empty(room), like.new_empty(room)
        self.seen = 0

    def add(
        self,
        keys: Float[Tensor, "batch heads new head"],
        values: Float[Tensor, "batch heads new head"],
    ) -> tuple[Tensor, Tensor]:
        """Append; give back all keys and all values. `ValueError` beyond its length."""
        end, room = self.seen + keys.shape[-2], self.keys.shape[-2]
        if end > room:
            raise ValueError(f"cache: room for {room} positions, {end} are asked for")
        self.keys[..., self.seen : end, :] = keys
        self.values[..., self.seen : end, :] = values
        self.seen = end
        return self.keys[..., :end, :], self.values[..., :end, :]


class GroupedQueryAttention(nn.Module):
    """Causal attention in which groups of query heads share a key and value head."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        shared = config.kv_heads * config.head_size
        self.query = nn.Linear(config.width, config.width, bias=False)
        self.key = nn.Linear(config.width, shared, bias=False)
        self.value = nn.Linear(config.width, shared, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)

    def new_cache(self, batch: int, length: int) -> KeyValueCache:
        """An empty cache for at most `length` positions."""
        c = self.config
        return KeyValueCache(
            batch, c.kv_heads, length, c.head_size, self.key.weight.detach()
        )

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch length width"]:
        """Mix each position with those before it, the cached ones too."""
        q, k, v = (
            part.unflatten(-1, (-1, self.config.head_size)).transpose(1, 2)
            for part in (self.query(x), self.key(x), self.value(x))
        )
        start = cache.seen if cache else 0
        cos, sin = (t[start : start + x.shape[1]].to(x) for t in _tables(self.config))
        q, k = rope.rotate(q, cos, sin), rope.rotate(k, cos, sin)
        if cache is not None:
            k, v = cache.add(k, v)
        # a query sees all earlier keys and its own
        mask = None
        if start and x.shape[1] > 1:
            mask = x.new_ones(x.shape[1], k.shape[-2], dtype=torch.bool).tril(start)
        mixed = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            is_causal=not start and x.shape[1] > 1,
            enable_gqa=True,
        )
        return self.output(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """SwiGLU: a gate decides how much of each hidden unit passes (arXiv 2002.05202)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.hidden, bias=False)
        self.up = nn.Linear(config.width, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(
        self, x: Float[Tensor, "*batch width"]
    ) -> Float[Tensor, "*batch width"]:
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    """Attention, then feed-forward, each normalised before and added after."""

    def __init__(self, config: Config, attention: nn.Module) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(config.width, config.eps)
        self.attention = attention
        self.feed_forward_norm = nn.RMSNorm(config.width, config.eps)
        self.feed_forward = FeedForward(config)

    def forward(self, x: Tensor, cache: Any = None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cache)
        return x + self.feed_forward(self.feed_forward_norm(x))


class Decoder(nn.Module):
    """Token ids to the logits of the token after each."""

    def __init__(
        self,
        config: Config,
        attention: Callable[[Config], nn.Module] = GroupedQueryAttention,
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(
            Block(config, attention(config)) for _ in range(config.layers)
        )
        self.norm = nn.RMSNorm(config.width, config.eps)
        self.apply(_start)
        # the residual stream sums two parts a layer: it keeps its size at any depth
        for name, weight in self.named_parameters():
            if name.endswith(("output.weight", "down.weight")):
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * config.layers))

    def new_caches(self, batch: int, length: int) -> list[Any]:
        """One empty cache a layer, for at most `length` positions."""
        self._check("length", length)
        blocks: Iterable[Any] = self.blocks
        return [block.attention.new_cache(batch, length) for block in blocks]

    def hidden(
        self, ids: Int[Tensor, "batch length"], caches: Sequence[Any] | None = None
    ) -> Float[Tensor, "batch length width"]:
        """The stream after the last norm."""
        self._check("ids", ids.shape[1])
        x = self.embedding(ids)
        for block, cache in zip(
            self.blocks, caches or [None] * len(self.blocks), strict=True
        ):
            x = block(x, cache)
        return self.norm(x)

    def logits(
        self, hidden: Float[Tensor, "*batch width"]
    ) -> Float[Tensor, "*batch vocabulary"]:
        """How much each token is expected next, by the embedding that reads it too."""
        return F.linear(hidden, self.embedding.weight)

    def forward(
        self, ids: Int[Tensor, "batch length"], caches: Sequence[Any] | None = None
    ) -> Float[Tensor, "batch length vocabulary"]:
        """The logits of the token after each; `caches` from `new_caches`."""
        return self.logits(self.hidden(ids, caches))

    def _check(self, name: str, positions: int) -> None:
        most = self.config.length
        if positions > most:
            raise ValueError(
                f"{name}: {positions} positions are asked for, the model takes {most}"
            )


@torch.no_grad()
def generate(
    model: Decoder,
    ids: Int[Tensor, "batch prompt"],
    count: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "batch longer"]:
    """The prompt and `count` more tokens.

    Each is drawn from softmax(logits / temperature); at 0 the likeliest is taken.
    """
    if temperature < 0:
        raise ValueError(f"temperature: expected at least 0, got {temperature}")
    batch, length = ids.shape
    if length < 1 or count < 0:
        raise ValueError("ids, count: expected a prompt, and no negative count")
    caches, new = model.new_caches(batch, length + count), ids
    for _ in range(count):
        logits = model.logits(model.hidden(new, caches)[:, -1])
        if temperature == 0:
            new = logits.argmax(-1, keepdim=True)
        else:
            likely = (logits / temperature).softmax(-1)
            new = torch.multinomial(likely, 1, generator=generator)
        ids = torch.cat([ids, new], dim=1)
    return ids


def parameters(model: nn.Module) -> int:
    """How many numbers a model learns."""
    return sum(weight.numel() for weight in model.parameters())


@remembered
def _tables(config: Config) -> tuple[Tensor, Tensor]:
    """The angles of all positions: every layer of a model turns by the same."""
    return rope.tables(
        torch.arange(config.length),
        rope.frequencies(config.head_size, config.rope_base),
    )


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
