"""The decoder against the Transformers library's Llama, and against itself with a cache."""

from dataclasses import asdict
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explainers.decoder import Config, Decoder, GroupedQueryAttention, generate, num_parameters

SMALL = Config(vocab_size=20, hidden_size=24, max_position_embeddings=16)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    kv_heads = draw(st.integers(1, 3))
    heads = kv_heads * draw(st.integers(1, 3))
    return Config(
        vocab_size=draw(st.integers(2, 40)),
        num_hidden_layers=draw(st.integers(1, 3)),
        hidden_size=heads * 2 * draw(st.integers(1, 6)),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        intermediate_size=draw(st.integers(1, 40)),
        max_position_embeddings=24,
        rope_theta=draw(st.sampled_from([100.0, 10_000.0])),
    )


def made(config: Config, seed: int = 0, attention: Any = GroupedQueryAttention) -> Decoder:
    """A model whose weights are large enough for every part to matter."""
    torch.manual_seed(seed)
    model = Decoder(config, attention)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(1.0 if weight.ndim == 1 else 0.0, 0.3)
    return model.eval()


def llama(model: Decoder) -> nn.Module:
    """The Transformers library's model with the same weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    theirs = LlamaForCausalLM(
        LlamaConfig(
            **{name: size for name, size in asdict(model.config).items() if name != "rope_theta"},
            tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": model.config.rope_theta},
        )
    )
    names = {f"model.{name}": weight for name, weight in model.state_dict().items()}
    missing, unexpected = theirs.load_state_dict(names, strict=False)
    assert missing == ["lm_head.weight"]
    assert unexpected == []
    theirs.tie_weights()
    theirs.eval()  # type: ignore[no-untyped-call]  # transformers has no types here
    return theirs


@settings(max_examples=15)
@given(configs(), st.integers(0, 1000))
def test_logits_are_those_of_llama(config: Config, seed: int) -> None:
    model = made(config, seed)
    ids = torch.randint(
        config.vocab_size, (2, config.max_position_embeddings), generator=torch.Generator().manual_seed(seed)
    )
    with torch.no_grad():
        ours, theirs = model(ids), llama(model)(ids).logits
    scale = theirs.abs().max().item()
    assert (ours - theirs).abs().max().item() <= 2e-5 * scale


@settings(max_examples=25)
@given(configs(), st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_a_cache_gives_the_logits_of_the_whole(config: Config, pieces: list[int]) -> None:
    model = made(config).double()
    ids = torch.randint(config.vocab_size, (2, sum(pieces)), generator=torch.Generator().manual_seed(1))
    caches = model.new_caches(2, sum(pieces))
    with torch.no_grad():
        parts = [model(part, caches=caches) for part in torch.split(ids, pieces, dim=1)]
        whole = model(ids)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=1e-12 * whole.abs().max().item())


def test_no_position_sees_a_later_one() -> None:
    model = made(SMALL)
    ids = torch.arange(12)[None]
    other = ids.clone()
    other[0, 7:] = 19
    with torch.no_grad():
        before, after = model(ids), model(other)
    assert torch.equal(before[:, :7], after[:, :7])
    assert (before[:, 7:] - after[:, 7:]).abs().amax(-1).min() > 0.01


def test_generation_takes_the_likeliest_or_draws() -> None:
    model = made(SMALL)
    prompt = torch.tensor([[1, 2, 3], [4, 5, 6]])
    ids = generate(model, prompt, 8)
    assert torch.equal(ids[:, :3], prompt)
    with torch.no_grad():
        assert torch.equal(model(ids)[:, 2:-1].argmax(-1), ids[:, 3:])

    def drawn(seed: int) -> torch.Tensor:
        return generate(model, prompt, 8, temperature=1.0, generator=torch.Generator().manual_seed(seed))

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))
    one = prompt[:1, :1].expand(4000, 1)
    counts = generate(model, one, 1, 1.0, torch.Generator().manual_seed(0))[:, 1].bincount(minlength=20)
    with torch.no_grad():
        expected = model(one[:1])[0, -1].softmax(-1)
    assert (counts / 4000 - expected).abs().max() < 0.05


class Mean(nn.Module):
    """Another attention: the mean of all positions so far."""

    def __init__(self, config: Config) -> None:
        super().__init__()

    def new_cache(self, batch_size: int, max_length: int) -> list[torch.Tensor]:
        return []

    def forward(
        self, x: torch.Tensor, positions: None, mask: None, cache: list[torch.Tensor] | None
    ) -> torch.Tensor:
        before = torch.cat([*(cache or []), x], dim=1)
        if cache is not None:
            cache.append(x)
        means = before.cumsum(1) / torch.arange(1, before.shape[1] + 1)[:, None]
        return means[:, -x.shape[1] :]


def test_any_attention_plugs_in() -> None:
    model = made(SMALL, attention=Mean)
    ids = generate(model, torch.tensor([[1, 2, 3]]), 5)
    with torch.no_grad():
        assert torch.equal(model(ids)[:, 2:-1].argmax(-1), ids[:, 3:])


def test_a_model_starts_at_the_cost_of_guessing() -> None:
    torch.manual_seed(0)
    model = Decoder(Config())
    ids = torch.randint(256, (2, 64))
    cost = nn.functional.cross_entropy(model(ids).transpose(1, 2), torch.randint(256, (2, 64)))
    assert cost.item() == pytest.approx(5.545, abs=0.1)  # ln 256
    assert num_parameters(model) == 256 * 128 + 4 * (128 * (4 * 128 + 3 * 344) + 2 * 128) + 128


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (
            {"hidden_size": 100, "num_attention_heads": 6},
            "num_attention_heads: 6 heads do not cut a .* of 100",
        ),
        ({"hidden_size": 18, "num_attention_heads": 6}, "num_attention_heads: 6 heads do not cut a .* of 18"),
        (
            {"hidden_size": 192, "num_attention_heads": 6, "num_key_value_heads": 4},
            "num_key_value_heads: 4 do not divide 6 heads",
        ),
        *(
            ({name: bad}, f"{name}: expected an integer from 1 on, got {bad}")
            for name, bad in [
                ("vocab_size", 0),
                ("num_hidden_layers", 0),
                ("hidden_size", -128),
                ("num_attention_heads", 4.0),
                ("num_key_value_heads", True),
                ("intermediate_size", "344"),
                ("max_position_embeddings", -5),
                ("max_position_embeddings", 0),
                ("max_position_embeddings", float("nan")),
            ]
        ),
        *(
            ({name: bad}, f"{name}: expected a positive number, got {bad}")
            for name in ("rope_theta", "rms_norm_eps")
            for bad in (0.0, -1.0, float("nan"), float("inf"))
        ),
    ],
)
def test_sizes_that_make_no_model_are_refused(sizes: dict[str, Any], words: str) -> None:
    words = words.replace("got 344", "got '344'")
    with pytest.raises(ValueError, match=f"^{words}"):
        Config(**sizes)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ids": torch.zeros(1, 17, dtype=torch.long)}, "ids: 17 tokens are asked for, the model takes 16"),
        ({"caches": []}, "caches: expected one for each of 4 layers, got 0"),
        ({"caches": [None] * 5}, "caches: expected one for each of 4 layers, got 5"),
        ({"positions": torch.zeros(3, dtype=torch.long)}, r"positions: expected the shape \(2, 3\).* \(3,\)"),
        ({"positions": torch.zeros(2, 4, dtype=torch.long)}, r"positions: expected the shape \(2, 3\)"),
        ({"positions": torch.full((2, 3), 16)}, "positions: expected numbers from 0 to 15, got 16 to 16"),
        ({"positions": torch.full((2, 3), -1)}, "positions: expected numbers from 0 to 15, got -1 to -1"),
        ({"attention_mask": torch.ones(2, 3)}, "attention_mask: expected torch.bool, got torch.float32"),
        (
            {"attention_mask": torch.ones(2, 3, dtype=torch.long)},
            "attention_mask: expected torch.bool, got torch.int64",
        ),
        ({"attention_mask": torch.ones(2, 2) > 0}, "attention_mask: expected at least 3 keys, got 2"),
        (
            {"attention_mask": torch.ones(2, 4) > 0},
            r"attention_mask: expected the shape \(2, 3\), .*\(2, 4\)",
        ),
        (
            {"attention_mask": torch.ones(1, 3) > 0},
            r"attention_mask: expected the shape \(2, keys\), got \(1, 3\)",
        ),
        (
            {"attention_mask": torch.ones(3) > 0},
            r"attention_mask: expected the shape \(2, keys\), got \(3,\)",
        ),
    ],
)
def test_arguments_of_a_model_that_do_not_fit_are_named(arguments: dict[str, Any], words: str) -> None:
    model = made(SMALL)
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        model(**({"ids": torch.zeros(2, 3, dtype=torch.long)} | arguments))


def test_a_cache_that_does_not_fit_is_named_and_stays_as_it_was() -> None:
    model, one = made(SMALL), torch.zeros(1, 1, dtype=torch.long)
    for room in (5, 16):  # also at the model's own length
        caches = model.new_caches(1, room)
        for _ in range(room):
            model(one, caches=caches)
        with pytest.raises(ValueError, match=f"cache: room for {room} tokens, {room + 1} are asked for"):
            model(one, caches=caches)
    for rows, other in ((2, 1), (1, 2), (2, 3)):
        caches = model.new_caches(rows, 8)
        with pytest.raises(ValueError, match=f"cache: made for a batch_size of {rows}, got {other}"):
            model(one.expand(other, 3), caches=caches)
        assert [cache.seen for cache in caches] == [0] * 4
    caches = model.new_caches(1, 8)
    model(one, caches=caches)
    with pytest.raises(ValueError, match=r"attention_mask: expected the shape \(1, 2\), got \(1, 1\)"):
        model(one, attention_mask=one == 0, caches=caches)
    assert [cache.seen for cache in caches] == [1] * 4
    with pytest.raises(ValueError, match="max_length: 17 tokens are asked for, the model takes 16"):
        model.new_caches(1, 17)
    with pytest.raises(ValueError, match="max_length: expected an integer from 1 up, got 0"):
        model.new_caches(1, 0)
    with pytest.raises(ValueError, match="batch_size: expected an integer from 1 up, got -2"):
        model.new_caches(-2, 5)


def test_a_generation_that_makes_no_sense_is_refused() -> None:
    model, prompt = made(SMALL), torch.zeros(1, 3, dtype=torch.long)
    with pytest.raises(ValueError, match="max_length: 17 tokens are asked for, the model takes 16"):
        generate(model, prompt, 14)
    for temperature in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="temperature: expected a finite number from 0 up"):
            generate(model, prompt, 1, temperature=temperature)
    with pytest.raises(ValueError, match="ids: expected a prompt of at least one token"):
        generate(model, prompt[:, :0], 1)
    with pytest.raises(ValueError, match="max_new_tokens: expected an integer from 0 up, got -1"):
        generate(model, prompt, -1)
    right = torch.tensor([[True, True, False]])
    with pytest.raises(ValueError, match="attention_mask: expected the shape of ids, padded left"):
        generate(model, prompt, 1, attention_mask=right)
