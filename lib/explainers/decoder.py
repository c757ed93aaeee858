"""A decoder-only Transformer in Llama's architecture; the attention is an argument.

RMSNorm before each part, rotary positions, grouped-query attention, a SwiGLU
feed-forward, embeddings shared with the output (Touvron et al., "LLaMA", arXiv
2302.13971; Ainslie et al., "GQA", arXiv 2305.13245). No biases, no dropout. Sizes,
modules and weights have the names of the Transformers library's Llama.

A model is `Decoder(config, attention)`. An attention is a module made from a `Config`:

- `forward(x, positions, attention_mask, cache)` maps `x`, (batch, length, hidden_size),
  to the same shape. The other three may be None:
- `positions` is (batch, length), integers; None counts on from what is cached;
- `attention_mask` is (batch, keys), boolean, over cached and new tokens: where it is
  False, no other token sees the token;
- `cache` has seen the tokens before `x`, in chunks of any size; `x` is added to it.
  `new_cache(batch_size, max_length)` makes an empty one.

What a cache keeps, and whether a key is rotated before or after, is the attention's own
affair. Every attention of the book fits in, and none knows the others.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache as remembered
from numbers import Real
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from explainers import checks, rope

_BOOLEANS = (torch.bool,)
_INTEGERS = (torch.int64, torch.int32)
_FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class Config:
    """Sizes of a model, by the names of the Transformers library's `LlamaConfig`.

    The defaults are those of the recorded byte model (`explainers.studies.byte_lm`).
    Raises `ValueError` for sizes that make no model.
    """

    vocab_size: int = 256
    num_hidden_layers: int = 4
    hidden_size: int = 128
    num_attention_heads: int = 4
    num_key_value_heads: int = 4
    intermediate_size: int = 344
    max_position_embeddings: int = 1024
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        for name in (
            "vocab_size",
            "num_hidden_layers",
            "hidden_size",
            "num_attention_heads",
            "num_key_value_heads",
            "intermediate_size",
            "max_position_embeddings",
        ):
            size = getattr(self, name)
            if type(size) is not int or size < 1:
                raise ValueError(f"{name}: expected an integer from 1 on, got {size!r}")
        for name in ("rope_theta", "rms_norm_eps"):
            number: float = getattr(self, name)
            if not isinstance(number, Real) or not 0 < number < math.inf:
                raise ValueError(f"{name}: expected a positive number, got {number!r}")
        if self.hidden_size % self.num_attention_heads or self.head_dim % 2:
            raise ValueError(
                f"num_attention_heads: {self.num_attention_heads} heads do not cut a "
                f"hidden_size of {self.hidden_size} into equal, even sizes"
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_key_value_heads: {self.num_key_value_heads} do not divide "
                f"{self.num_attention_heads} heads"
            )

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


class KeyValueCache:
    """What an attention keeps of the tokens seen so far.

    `stores` are empty tensors of shape (batch, ..., length, size), for keys and values
    or whatever else an attention keeps of each of at most `length` tokens.

    Raises `TypeError` for other types, and `ValueError` without a store, for fewer than
    three axes and for stores whose `batch` or `length` differ.
    """

    def __init__(self, *stores: Tensor) -> None:
        for store in stores:
            checks.tensor("stores", store)
        shapes = [tuple(store.shape) for store in stores]
        if (
            min(map(len, shapes), default=0) < 3
            or len({(shape[0], shape[-2]) for shape in shapes}) > 1
        ):
            raise ValueError(
                "stores: expected shapes (batch, ..., length, size) with one batch and "
                f"one length, got {shapes}"
            )
        self.stores = stores
        self.seen = 0

    def check(self, batch_size: int, num_new: int) -> None:
        """Raise `ValueError` unless `num_new` tokens for each row of the batch fit."""
        checks.integer("batch_size", batch_size)
        checks.integer("num_new", num_new, least=0)
        rows, room = self.stores[0].shape[0], self.stores[0].shape[-2]
        if batch_size != rows:
            raise ValueError(
                f"cache: made for a batch_size of {rows}, got {batch_size}"
            )
        if self.seen + num_new > room:
            raise ValueError(
                f"cache: room for {room} tokens, {self.seen + num_new} are asked for"
            )

    def append(self, *new: Tensor) -> tuple[Tensor, ...]:
        """Add tokens, one tensor (batch, ..., new, size) a store; return all so far.

        Raises `ValueError` beyond its length and for tensors that do not fit the
        stores, `TypeError` for another dtype; the cache is then as it was.
        """
        if len(new) != len(self.stores):
            raise ValueError(
                f"new: expected one tensor for each of {len(self.stores)} stores, "
                f"got {len(new)}"
            )
        count: int | str = "new"
        for store, tokens in zip(self.stores, new, strict=True):
            *before, _, size = store.shape
            checks.tensor("new", tokens, (*before, count, size), (store.dtype,))
            count = tokens.shape[-2]
        self.check(new[0].shape[0], new[0].shape[-2])
        end = self.seen + new[0].shape[-2]
        for store, tokens in zip(self.stores, new, strict=True):
            store[..., self.seen : end, :] = tokens
        self.seen = end
        return tuple(store[..., :end, :] for store in self.stores)


def positions_from_mask(
    attention_mask: Bool[Tensor, "batch keys"],
) -> Int[Tensor, "batch keys"]:
    """The position of each token in its text, counted from the first one not masked.

    A masked token gets the position of the one before it, or 0. Raises `TypeError` for
    other types and dtypes, `ValueError` for other shapes.
    """
    checks.tensor("attention_mask", attention_mask, ("batch", "keys"), _BOOLEANS)
    return (attention_mask.cumsum(-1) - 1).clamp(min=0)


def causal_attention(
    query: Float[Tensor, "batch heads length head_dim"],
    key: Float[Tensor, "batch kv_heads keys head_dim"],
    value: Float[Tensor, "batch kv_heads keys value_dim"],
    *,
    attention_mask: Bool[Tensor, "batch keys"] | None = None,
    bias: Float[Tensor, "*#batch_heads length keys"] | None = None,
) -> Float[Tensor, "batch heads length value_dim"]:
    """Softmax of `query @ key.mT / sqrt(head_dim) + bias`, times `value`.

    The queries belong to the last keys: each sees its own key and those before it
    where `attention_mask` is True. Its own key it sees always, so that no row of the
    softmax is empty and a padded token's output is finite. `heads` is a multiple of
    `kv_heads`; `bias` may lack leading axes or have size 1 there.

    Raises `ValueError` for shapes that do not fit each other, `TypeError` for other
    types and for dtypes that differ.
    """
    _check_heads(query, key, value)
    (batch, heads, length, _), keys = query.shape, key.shape[-2]
    if length > keys:
        raise ValueError(f"query: {length} queries are more than {keys} keys")
    if attention_mask is not None:
        checks.tensor("attention_mask", attention_mask, (batch, keys), _BOOLEANS)
    if bias is not None:
        checks.tensor("bias", bias, ("...", length, keys), (query.dtype,))
        checks.broadcasts("bias", bias, (batch, heads, length, keys))
    return _mix(query, key, value, attention_mask, bias)


def _mix(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    bias: Tensor | None = None,
) -> Tensor:
    length, keys = query.shape[-2], key.shape[-2]
    # without a mask torch has a faster path; its is_causal aligns queries with the
    # first keys, so it is right only where there are as many of both
    is_causal = attention_mask is None and bias is None and 1 < length == keys
    visible = None
    if not is_causal and (length > 1 or attention_mask is not None):
        visible = query.new_ones(length, keys, dtype=torch.bool).tril(keys - length)
        if attention_mask is not None:
            visible = visible & attention_mask[:, None, None, :]
            visible.diagonal(keys - length, -2, -1).fill_(True)  # each its own key
    mask = visible if bias is None else bias
    if bias is not None and visible is not None:
        mask = bias.masked_fill(~visible, -math.inf)
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=is_causal, enable_gqa=True
    )


class GroupedQueryAttention(nn.Module):
    """Causal attention in which groups of query heads share a key and value head.

    A variant overrides `attend`, and `new_cache` if it keeps something else.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        checks.instance("config", config, Config)
        self.config = config
        shared = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, shared, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, shared, bias=False)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def new_cache(self, batch_size: int, max_length: int) -> KeyValueCache:
        """An empty cache for at most `max_length` tokens in each row of a batch.

        Raises `ValueError` for sizes below 1 and for a length that the model does not
        take.
        """
        _check_room(batch_size, max_length, self.config)
        c, weight = self.config, self.k_proj.weight.detach()
        shape = batch_size, c.num_key_value_heads, max_length, c.head_dim
        return KeyValueCache(weight.new_empty(shape), weight.new_empty(shape))

    def forward(
        self,
        x: Float[Tensor, "batch length hidden_size"],
        positions: Int[Tensor, "batch length"] | None = None,
        attention_mask: Bool[Tensor, "batch keys"] | None = None,
        cache: Any = None,
    ) -> Float[Tensor, "batch length hidden_size"]:
        """Mix each token with those before it, the cached ones too.

        Raises `ValueError` for shapes that do not fit, a cache without room and
        positions that the model does not have, `TypeError` for other types and dtypes;
        the cache is then as it was.
        """
        _check_hidden("x", x, ("batch", "length"), self.config)
        q, k, v = (
            part.unflatten(-1, (-1, self.config.head_dim)).transpose(1, 2)
            for part in (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        )
        mixed = self.attend(q, k, v, positions, attention_mask, cache)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))

    def attend(
        self,
        query: Float[Tensor, "batch heads length head_dim"],
        key: Float[Tensor, "batch kv_heads length head_dim"],
        value: Float[Tensor, "batch kv_heads length head_dim"],
        positions: Int[Tensor, "batch length"] | None,
        attention_mask: Bool[Tensor, "batch keys"] | None,
        cache: Any,
    ) -> Float[Tensor, "batch heads length head_dim"]:
        """Rotate queries and keys, add keys and values to the cache, and mix.

        Keys are rotated once, before they are cached: a variant whose angles depend on
        what else is in the cache appends first and rotates what `append` returns.
        Errors as in `forward`.
        """
        _check_heads(query, key, value)
        (batch, _, length, _), seen = query.shape, 0
        if key.shape[-2] != length:
            raise ValueError(f"key: {key.shape[-2]} keys are new with {length} queries")
        if cache is not None:
            checks.instance("cache", cache, KeyValueCache)
            cache.check(batch, length)
            seen = cache.seen
        if attention_mask is not None:  # before the cache changes
            keys = seen + length
            checks.tensor("attention_mask", attention_mask, (batch, keys), _BOOLEANS)
        cos, sin = _rotations(positions, seen, query, self.config)
        query, key = rope.rotate(query, cos, sin), rope.rotate(key, cos, sin)
        if cache is not None:
            key, value = cache.append(key, value)
        return _mix(query, key, value, attention_mask)


class FeedForward(nn.Module):
    """SwiGLU: a gate scales each intermediate unit (Shazeer, arXiv 2002.05202)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        checks.instance("config", config, Config)
        self.config = config
        outer, inner = config.hidden_size, config.intermediate_size
        self.gate_proj = nn.Linear(outer, inner, bias=False)
        self.up_proj = nn.Linear(outer, inner, bias=False)
        self.down_proj = nn.Linear(inner, outer, bias=False)

    def forward(
        self, x: Float[Tensor, "*batch hidden_size"]
    ) -> Float[Tensor, "*batch hidden_size"]:
        """Each token by itself. Raises `ValueError` for another last axis."""
        _check_hidden("x", x, ("...",), self.config)
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    """Attention, then feed-forward: each reads a normalised copy and adds to `x`."""

    def __init__(self, config: Config, attention: nn.Module) -> None:
        super().__init__()
        checks.instance("config", config, Config)
        checks.instance("attention", attention, nn.Module)
        self.config = config
        self.input_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = attention
        self.post_attention_layernorm = nn.RMSNorm(
            config.hidden_size, config.rms_norm_eps
        )
        self.mlp = FeedForward(config)

    def forward(
        self,
        x: Float[Tensor, "batch length hidden_size"],
        positions: Int[Tensor, "batch length"] | None = None,
        attention_mask: Bool[Tensor, "batch keys"] | None = None,
        cache: Any = None,
    ) -> Float[Tensor, "batch length hidden_size"]:
        """The attention's four arguments, shape and errors."""
        _check_hidden("x", x, ("batch", "length"), self.config)
        normed = self.input_layernorm(x)
        x = x + self.self_attn(normed, positions, attention_mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Token ids to next-token logits.

    The state dict is that of the Transformers library's `LlamaModel`.
    """

    def __init__(
        self,
        config: Config,
        attention: Callable[[Config], nn.Module] = GroupedQueryAttention,
    ) -> None:
        super().__init__()
        checks.instance("config", config, Config)
        checks.function("attention", attention)
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            DecoderLayer(config, attention(config))
            for _ in range(config.num_hidden_layers)
        )
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.apply(_init_weights)
        # the residual stream sums two parts a layer: it keeps its size at any depth
        std = 0.02 / math.sqrt(2 * config.num_hidden_layers)
        for name, weight in self.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.normal_(weight, std=std)

    def new_caches(self, batch_size: int, max_length: int) -> list[Any]:
        """One empty cache a layer, for at most `max_length` tokens in each row.

        Raises `ValueError` for sizes below 1 and for a length that the model does not
        take.
        """
        _check_room(batch_size, max_length, self.config)
        layers: Iterable[Any] = self.layers
        return [layer.self_attn.new_cache(batch_size, max_length) for layer in layers]

    def hidden_states(
        self,
        ids: Int[Tensor, "batch length"],
        *,
        positions: Int[Tensor, "batch length"] | None = None,
        attention_mask: Bool[Tensor, "batch keys"] | None = None,
        caches: Sequence[Any] | None = None,
    ) -> Float[Tensor, "batch length hidden_size"]:
        """The last layer's output, normalised. Arguments and errors as in `forward`."""
        _check_ids(ids, self.config.vocab_size)
        _check_length("ids", ids.shape[1], self.config)
        if caches is not None:
            checks.instance("caches", caches, Sequence)
            if len(caches) != len(self.layers):
                raise ValueError(
                    f"caches: expected one for each of {len(self.layers)} layers, "
                    f"got {len(caches)}"
                )
        if attention_mask is not None:
            _check_mask(attention_mask, ids)
            if positions is None:
                positions = positions_from_mask(attention_mask)[:, -ids.shape[1] :]
        if positions is not None:
            checks.tensor("positions", positions, tuple(ids.shape), _INTEGERS)
            checks.within(
                "positions", positions, 0, self.config.max_position_embeddings - 1
            )
        x = self.embed_tokens(ids)
        for layer, cache in zip(
            self.layers, caches or [None] * len(self.layers), strict=True
        ):
            x = layer(x, positions, attention_mask, cache)
        return self.norm(x)

    def logits(
        self, hidden_states: Float[Tensor, "*batch hidden_size"]
    ) -> Float[Tensor, "*batch vocab_size"]:
        """Next-token logits; the output weights are those of the embedding.

        Raises `ValueError` for another last axis, `TypeError` for other types.
        """
        _check_hidden("hidden_states", hidden_states, ("...",), self.config)
        return F.linear(hidden_states, self.embed_tokens.weight)

    def forward(
        self,
        ids: Int[Tensor, "batch length"],
        *,
        positions: Int[Tensor, "batch length"] | None = None,
        attention_mask: Bool[Tensor, "batch keys"] | None = None,
        caches: Sequence[Any] | None = None,
    ) -> Float[Tensor, "batch length vocab_size"]:
        """Next-token logits at each of `ids`.

        `caches` are from `new_caches`; `ids` then follow the tokens that they have
        seen. `attention_mask` is True where a token may be attended to, over all keys:
        the cached tokens and `ids`. `positions` default to those of
        `positions_from_mask`, without a mask to 0, 1, ... counted on in the cache.
        A masked token's own logits are finite and mean nothing.

        Raises `ValueError` for more tokens than the model or a cache takes, a cache of
        another batch size, another number of caches than of layers, a mask of another
        shape, and positions that the model does not have; `TypeError` for other types
        and dtypes.
        """
        return self.logits(
            self.hidden_states(
                ids, positions=positions, attention_mask=attention_mask, caches=caches
            )
        )


@torch.no_grad()
def generate(
    model: Decoder,
    ids: Int[Tensor, "batch prompt"],
    max_new_tokens: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    *,
    attention_mask: Bool[Tensor, "batch prompt"] | None = None,
) -> Int[Tensor, "batch longer"]:
    """The prompt and `max_new_tokens` more tokens: no token ends a text early.

    Each is drawn from softmax(logits / temperature); at 0 it is the argmax. Prompts of
    different lengths are padded on the left, with any id, and `attention_mask` is False
    there.

    Raises `ValueError` for an empty prompt, one padded on the right, one too long for
    the model, and a negative count or temperature; `TypeError` for other types.
    """
    checks.instance("model", model, Decoder)
    _check_ids(ids, model.config.vocab_size)
    checks.integer("max_new_tokens", max_new_tokens, least=0)
    checks.number("temperature", temperature, least=0)
    checks.generator("generator", generator)
    batch, length = ids.shape
    if length < 1:
        raise ValueError("ids: expected a prompt of at least one token")
    if attention_mask is not None:
        _check_mask(attention_mask, ids)
        if attention_mask.shape != ids.shape or not attention_mask[:, -1].all():
            raise ValueError("attention_mask: expected the shape of ids, padded left")
    caches, new = model.new_caches(batch, length + max_new_tokens), ids
    for _ in range(max_new_tokens):
        states = model.hidden_states(new, attention_mask=attention_mask, caches=caches)
        logits = model.logits(states[:, -1])
        if temperature == 0:
            new = logits.argmax(-1, keepdim=True)
        else:
            probabilities = (logits / temperature).softmax(-1)
            new = torch.multinomial(probabilities, 1, generator=generator)
        ids = torch.cat([ids, new], dim=1)
        if attention_mask is not None:
            attention_mask = F.pad(attention_mask, (0, 1), value=True)
    return ids


def num_parameters(model: nn.Module) -> int:
    """The number of parameters. Raises `TypeError` if `model` is not a module."""
    checks.instance("model", model, nn.Module)
    return sum(weight.numel() for weight in model.parameters())


def _check_room(batch_size: int, max_length: int, config: Config) -> None:
    checks.integer("batch_size", batch_size, least=1)
    checks.integer("max_length", max_length, least=1)
    _check_length("max_length", max_length, config)


def _check_length(name: str, length: int, config: Config) -> None:
    longest = config.max_position_embeddings
    if length > longest:
        raise ValueError(
            f"{name}: {length} tokens are asked for, the model takes {longest}"
        )


def _check_hidden(
    name: str, x: Tensor, before: tuple[str, ...], config: Config
) -> None:
    checks.tensor(name, x, (*before, config.hidden_size), _FLOATS)


def _check_heads(query: Tensor, key: Tensor, value: Tensor) -> None:
    checks.tensor("query", query, ("batch", "heads", "length", "head_dim"), _FLOATS)
    batch, heads, _, head_dim = query.shape
    dtype = (query.dtype,)
    checks.tensor("key", key, (batch, "kv_heads", "keys", head_dim), dtype)
    kv_heads, keys = key.shape[1:3]
    checks.tensor("value", value, (batch, kv_heads, keys, "value_dim"), dtype)
    if kv_heads == 0 or heads % kv_heads:
        raise ValueError(f"key: {kv_heads} heads do not divide {heads} of query")


def _check_ids(ids: Tensor, vocab_size: int) -> None:
    checks.tensor("ids", ids, ("batch", "length"), _INTEGERS)
    checks.within("ids", ids, 0, vocab_size - 1)


def _check_mask(attention_mask: Tensor, ids: Tensor) -> None:
    """What can be said without the cache; the attention checks the number of keys."""
    rows, length = ids.shape
    checks.tensor("attention_mask", attention_mask, (rows, "keys"), _BOOLEANS)
    if attention_mask.shape[1] < length:
        raise ValueError(
            f"attention_mask: expected at least {length} keys, "
            f"got {attention_mask.shape[1]}"
        )


def _rotations(
    positions: Tensor | None, seen: int, query: Tensor, config: Config
) -> tuple[Tensor, Tensor]:
    """Cosine and sine for each query, from `positions` or counted on from `seen`."""
    batch, _, length, _ = query.shape
    longest = config.max_position_embeddings
    cos, sin = _tables(config, query.device)
    if positions is None:
        if seen + length > longest:
            raise ValueError(
                f"positions: they count on to {seen + length - 1}, the model has 0 to "
                f"{longest - 1}"
            )
        at = slice(seen, seen + length)
        return cos[at].to(query.dtype), sin[at].to(query.dtype)
    checks.tensor("positions", positions, (batch, length), _INTEGERS)
    try:
        turned = [F.embedding(positions, table)[:, None] for table in (cos, sin)]
    except IndexError:
        checks.within("positions", positions, 0, longest - 1)
        raise
    return turned[0].to(query.dtype), turned[1].to(query.dtype)


@remembered
def _tables(config: Config, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine at all positions: every layer of a model rotates by the same."""
    # a first call inside torch.inference_mode would leave tensors that no training
    # could use
    with torch.inference_mode(False):
        cos, sin = rope.cos_sin(
            torch.arange(config.max_position_embeddings),
            rope.frequencies(config.head_dim, config.rope_theta),
        )
        return cos.to(device), sin.to(device)


def _init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
