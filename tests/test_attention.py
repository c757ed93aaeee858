"""What an attention is asked for: chunks, padding, positions, biases, and keys that are rotated when read."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from explainers import rope
from explainers.decoder import (
    Config,
    GroupedQueryAttention,
    KeyValueCache,
    causal_attention,
    generate,
    positions_from_mask,
)
from tests.test_decoder import SMALL, configs, llama, made

ONE_LAYER = Config(vocab_size=20, num_hidden_layers=1, hidden_size=24, max_position_embeddings=32)


def close(a: Tensor, b: Tensor, atol: float = 1e-12) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=atol * max(1.0, b.abs().max().item()))


def random_ids(config: Config, rows: int, length: int, seed: int = 1) -> Tensor:
    return torch.randint(config.vocab_size, (rows, length), generator=torch.Generator().manual_seed(seed))


def padded(ids: Tensor, lengths: list[int], pad: int = 0) -> tuple[Tensor, Tensor]:
    """The last `lengths[row]` tokens of each row, padded on the left, and the mask."""
    mask = torch.arange(ids.shape[1]) >= ids.shape[1] - torch.tensor(lengths)[:, None]
    return ids.where(mask, torch.tensor(pad)), mask


@pytest.mark.parametrize(
    ("length", "right", "by_is_causal"),
    [
        (1, [62 / 3], [2.0]),
        (2, [6.0, 62 / 3], [2.0, 6.0]),
        (3, [2.0, 6.0, 62 / 3], [2.0, 6.0, 62 / 3]),
    ],
)
def test_the_last_query_sees_every_key(length: int, right: list[float], by_is_causal: list[float]) -> None:
    query, key = torch.zeros(1, 1, length, 4), torch.randn(1, 1, 3, 4)
    value = torch.tensor([2.0, 10.0, 50.0])[None, None, :, None]
    assert causal_attention(query, key, value)[0, 0, :, 0].tolist() == pytest.approx(right)
    # the trap: torch's own flag aligns the first query with the first key
    trap = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    assert trap[0, 0, :, 0].tolist() == pytest.approx(by_is_causal)


def by_loops(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, bias: Tensor) -> Tensor:
    out = torch.zeros(*q.shape[:-1], v.shape[-1], dtype=q.dtype)
    earlier, share = k.shape[-2] - q.shape[-2], q.shape[1] // k.shape[1]
    for row in range(q.shape[0]):
        for head in range(q.shape[1]):
            for i in range(q.shape[2]):
                seen = [j for j in range(i + earlier + 1) if mask[row, j] or j == i + earlier]
                keys, values = k[row, head // share, seen], v[row, head // share, seen]
                scores = keys @ q[row, head, i] / math.sqrt(q.shape[-1]) + bias[row, head, i, seen]
                out[row, head, i] = scores.softmax(0) @ values
    return out


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(0, 4), st.booleans(), st.booleans(), st.integers(0, 1000))
def test_attention_is_the_sum_written_out(
    length: int, earlier: int, masked: bool, biased: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    keys = length + earlier
    q, k, v = random(2, 4, length, 6), random(2, 2, keys, 6), random(2, 2, keys, 3)
    mask = random(2, keys) > -0.3 if masked else torch.ones(2, keys, dtype=torch.bool)
    bias = random(2, 4, length, keys) if biased else torch.zeros(2, 4, length, keys, dtype=torch.float64)
    out = causal_attention(q, k, v, attention_mask=mask if masked else None, bias=bias if biased else None)
    close(out, by_loops(q, k, v, mask, bias))


@pytest.mark.usefixtures("unchecked")
def test_more_queries_than_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="query: 3 queries are more than 2 keys"):
        causal_attention(torch.zeros(1, 1, 3, 4), torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4))
    with pytest.raises(ValueError, match=r"attention_mask: expected the shape \(1, 2\), got \(1, 3\)"):
        causal_attention(*torch.zeros(3, 1, 1, 2, 4), attention_mask=torch.ones(1, 3) > 0)


def test_positions_are_counted_from_the_first_token_not_from_the_padding() -> None:
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]]) > 0
    positions = positions_from_mask(mask)
    assert positions[mask].tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
    longer = torch.cat([mask, torch.ones(2, 1) > 0], dim=1)
    assert positions_from_mask(longer)[:, -1].tolist() == [3, 5]


@settings(max_examples=25)
@given(
    configs(), st.lists(st.integers(1, 8), min_size=1, max_size=3), st.lists(st.integers(1, 5), max_size=3)
)
def test_a_padded_row_gives_what_it_gives_alone(
    config: Config, lengths: list[int], pieces: list[int]
) -> None:
    """At once and in chunks of any size, whatever the padding is."""
    model, longest = made(config).double(), max(lengths)
    ids, mask = padded(random_ids(config, len(lengths), longest), lengths)
    pieces = [*pieces, 1] if sum(pieces) < longest else [longest - 1, 1]
    pieces = [size for size in [*pieces[:-1], longest - sum(pieces[:-1])] if size]
    with torch.no_grad():
        whole = model(ids, attention_mask=mask)
        other = model(padded(ids, lengths, config.vocab_size - 1)[0], attention_mask=mask)
        caches, parts, end = model.new_caches(len(lengths), longest), [], 0
        for part in torch.split(ids, pieces, dim=1):
            end += part.shape[1]
            parts.append(model(part, attention_mask=mask[:, :end], caches=caches))
        assert whole.isfinite().all()
        close(torch.cat(parts, dim=1)[mask], whole[mask])
        close(other[mask], whole[mask])
        for row, length in enumerate(lengths):
            close(whole[row, -length:], model(ids[row : row + 1, -length:])[0])


@settings(max_examples=10)
@given(configs(), st.lists(st.integers(1, 8), min_size=2, max_size=3), st.integers(0, 12))
def test_masks_and_positions_mean_what_they_mean_to_llama(
    config: Config, lengths: list[int], shift: int
) -> None:
    model = made(config)
    ids, mask = padded(random_ids(config, len(lengths), max(lengths)), lengths)
    positions = positions_from_mask(mask) * 2 + shift % (25 - 2 * max(lengths))
    with torch.no_grad():
        ours = model(ids, positions=positions, attention_mask=mask)
        theirs = llama(model)(ids, position_ids=positions, attention_mask=mask.long()).logits
    close(ours[mask], theirs[mask], 2e-5)
    with torch.no_grad():
        ours = model(ids, attention_mask=mask)
        theirs = llama(model)(ids, position_ids=positions_from_mask(mask), attention_mask=mask.long()).logits
    close(ours[mask], theirs[mask], 2e-5)


def test_positions_that_count_on_are_the_default() -> None:
    model, ids = made(SMALL), random_ids(SMALL, 2, 9)
    positions, mask = torch.arange(9).expand(2, 9), torch.ones(2, 9) > 0
    caches = model.new_caches(2, 9)
    with torch.no_grad():
        whole = model(ids)
        assert torch.equal(model(ids, positions=positions), whole)
        close(model(ids, attention_mask=mask), whole, 1e-5)
        close(model(ids, positions=positions + 7), whole, 1e-5)  # only distances count
        assert (model(ids, positions=positions // 2) - whole).abs().max() > 0.01
        parts = [
            model(part, positions=at, caches=caches)
            for part, at in zip(torch.split(ids, 4, 1), torch.split(positions, 4, 1), strict=True)
        ]
    close(torch.cat(parts, dim=1), whole, 1e-5)


def test_padding_has_no_gradient_and_makes_none_infinite() -> None:
    model = made(SMALL)
    ids, mask = padded(random_ids(SMALL, 2, 8) % 19, [3, 8], pad=19)
    states = model.hidden_states(ids, attention_mask=mask)
    torch.autograd.backward(states[mask].square().sum())
    gradient = model.embed_tokens.weight.grad
    assert gradient is not None
    assert gradient.isfinite().all()
    assert not gradient[19].any()
    assert gradient[ids[mask]].any(-1).all()


@settings(max_examples=15)
@given(configs(), st.lists(st.integers(1, 6), min_size=2, max_size=3))
def test_left_padded_prompts_are_continued_as_each_alone(config: Config, lengths: list[int]) -> None:
    model = made(config).double()
    ids, mask = padded(random_ids(config, len(lengths), max(lengths)), lengths)
    longer = generate(model, ids, 5, attention_mask=mask)
    for row, length in enumerate(lengths):
        alone = generate(model, ids[row : row + 1, -length:], 5)
        assert torch.equal(longer[row, -length - 5 :], alone[0])


def test_a_cache_has_one_entry_a_shared_head_and_never_changes_it() -> None:
    config = Config(vocab_size=20, hidden_size=48, num_attention_heads=6, num_key_value_heads=2)
    model, ids = made(config), random_ids(config, 1, 8)
    caches = model.new_caches(1, 8)
    with torch.no_grad():
        model(ids[:, :3], caches=caches)
        before = [store[..., :3, :].clone() for cache in caches for store in cache.stores]
        assert sum(store.numel() for store in before) == 3 * 4 * 2 * 2 * 8
        for at in range(3, 8):
            model(ids[:, at : at + 1], caches=caches)
    after = [store[..., :3, :] for cache in caches for store in cache.stores]
    assert all(map(torch.equal, before, after))


# Attentions that need the protocol: each overrides no more than what it does otherwise.


def rotated(x: Tensor, positions: Tensor) -> Tensor:
    return rope.rotate(x, *rope.cos_sin(positions, rope.frequencies(x.shape[-1]), x.dtype))


class Alibi(GroupedQueryAttention):
    """No rotation: a bias falls with the distance, in each head by its own slope."""

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, positions: Any, attention_mask: Any, cache: Any
    ) -> Tensor:
        if cache is not None:
            key, value = cache.append(key, value)
        at = torch.arange(key.shape[-2])
        slopes = 2.0 ** -torch.arange(1, query.shape[1] + 1, dtype=query.dtype)
        bias = -slopes[:, None, None] * (at[-query.shape[-2] :, None] - at)
        return causal_attention(query, key, value, attention_mask=attention_mask, bias=bias)


class RotatedWhenRead(GroupedQueryAttention):
    """Keys are cached as they are, with their positions."""

    def new_cache(self, batch_size: int, max_length: int) -> KeyValueCache:
        stores = super().new_cache(batch_size, max_length).stores
        return KeyValueCache(*stores, torch.empty(batch_size, 1, max_length, 1, dtype=torch.long))

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, positions: Any, attention_mask: Any, cache: Any
    ) -> Tensor:
        seen = 0 if cache is None else cache.seen
        if positions is None:
            positions = torch.arange(seen, seen + query.shape[-2]).expand(query.shape[0], -1)
        keys_at = positions[:, None, :, None]
        if cache is not None:
            key, value, keys_at = cache.append(key, value, keys_at)
        query, key = rotated(query, positions[:, None]), rotated(key, keys_at[..., 0])
        return causal_attention(query, key, value, attention_mask=attention_mask)


@pytest.mark.parametrize("attention", [Alibi, RotatedWhenRead])
def test_other_attentions_take_chunks_and_padding(attention: Any) -> None:
    model, lengths = made(SMALL, attention=attention).double(), [4, 9, 6]
    ids, mask = padded(random_ids(SMALL, 3, 9), lengths)
    caches = model.new_caches(3, 9)
    with torch.no_grad():
        whole, parts = model(ids, attention_mask=mask), []
        for start, end in ((0, 2), (2, 7), (7, 8), (8, 9)):
            parts.append(model(ids[:, start:end], attention_mask=mask[:, :end], caches=caches))
        close(torch.cat(parts, dim=1)[mask], whole[mask])
        for row, length in enumerate(lengths):
            alone = ids[row : row + 1, -length:]
            close(whole[row, -length:], model(alone)[0])
    longer = generate(model, ids, 5, attention_mask=mask)
    assert torch.equal(longer[0, -9:], generate(model, ids[:1, -4:], 5)[0])


def test_rotating_when_a_key_is_read_changes_nothing() -> None:
    models = [made(SMALL, attention=kind).double() for kind in (GroupedQueryAttention, RotatedWhenRead)]
    ids = random_ids(SMALL, 2, 10)
    with torch.no_grad():
        first, second = (
            torch.cat([model(part, caches=caches) for part in torch.split(ids, 3, 1)], dim=1)
            for model, caches in ((model, model.new_caches(2, 10)) for model in models)
        )
    close(second, first, 1e-6)  # tables of float32 beside some of float64


class SinkCache:
    """The first four tokens and the last three, and of those before a call all it was given."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None
        self.places = torch.empty(0, dtype=torch.long)
        self.seen = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.keys is not None and self.values is not None:
            key, value = torch.cat([self.keys, key], dim=-2), torch.cat([self.values, value], dim=-2)
        new = key.shape[-2] - len(self.places)
        places = torch.cat([self.places, torch.arange(self.seen, self.seen + new)])
        self.seen += new
        stay = (places < 4) | (places >= self.seen - 3)
        self.keys, self.values, self.places = key[..., stay, :], value[..., stay, :], places[stay]
        return key, value


class Streaming(GroupedQueryAttention):
    """Attention sinks: keys are cached as they are, and their positions are places in the cache."""

    def new_cache(self, batch_size: int, max_length: int) -> Any:
        return SinkCache()

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, positions: Any, attention_mask: Any, cache: Any
    ) -> Tensor:
        if cache is not None:
            key, value = cache.append(key, value)
        at = torch.arange(key.shape[-2])
        return causal_attention(rotated(query, at[-query.shape[-2] :]), rotated(key, at), value)


class TextPositions(Streaming):
    """The trap: the keys that stay keep the positions that they had in the text."""

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, positions: Any, attention_mask: Any, cache: Any
    ) -> Tensor:
        at = torch.cat([cache.places, torch.arange(cache.seen, cache.seen + query.shape[-2])])
        key, value = cache.append(key, value)
        return causal_attention(rotated(query, at[-query.shape[-2] :]), rotated(key, at), value)


def streamed(attention: Any, ids: Tensor, pieces: list[int]) -> tuple[Tensor, Any]:
    model = made(ONE_LAYER, attention=attention).double()
    caches = model.new_caches(1, 8)
    with torch.no_grad():
        logits = [model(part, caches=caches) for part in torch.split(ids, pieces, dim=1)]
    return torch.cat(logits, dim=1), caches[0]


def test_a_position_counts_in_the_cache_and_not_in_the_text() -> None:
    ids = random_ids(ONE_LAYER, 1, 10)
    logits, _ = streamed(Streaming, ids, [1] * 10)
    _, cache = streamed(Streaming, ids[:, :9], [1] * 9)
    assert cache.places.tolist() == [0, 1, 2, 3, 6, 7, 8]
    # in one layer a key knows no context: the tokens that stay and the new one at 7 are a text
    plain = made(ONE_LAYER).double()
    with torch.no_grad():
        expected = plain(ids[:, [0, 1, 2, 3, 6, 7, 8, 9]])[:, -1]
    close(logits[:, -1], expected, 1e-6)
    trap, _ = streamed(TextPositions, ids, [1] * 10)
    assert (trap[:, -1] - expected).abs().max() > 0.01
    # a text far beyond the longest that the model takes
    far, cache = streamed(Streaming, random_ids(ONE_LAYER, 1, 100), [1] * 100)
    assert cache.places.tolist() == [0, 1, 2, 3, 97, 98, 99]
    assert far.isfinite().all()


def test_a_first_call_in_inference_mode_leaves_a_model_that_can_be_trained() -> None:
    model = made(Config(vocab_size=20, hidden_size=24, max_position_embeddings=17))
    ids = random_ids(SMALL, 1, 5)
    with torch.inference_mode():
        model(ids)
    torch.autograd.backward(model(ids).sum())
    torch.autograd.backward(model(ids, positions=torch.arange(5)[None]).sum())
