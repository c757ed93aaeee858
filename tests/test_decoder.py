"""The decoder against the Transformers library's Llama, and against itself with a cache."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explainers import decoder
from explainers.decoder import Config, Decoder, GroupedQueryAttention, generate


@st.composite
def configs(draw: st.DrawFn) -> Config:
    kv_heads = draw(st.integers(1, 3))
    heads = kv_heads * draw(st.integers(1, 3))
    return Config(
        vocabulary=draw(st.integers(2, 40)),
        layers=draw(st.integers(1, 3)),
        width=heads * 2 * draw(st.integers(1, 6)),
        heads=heads,
        kv_heads=kv_heads,
        hidden=draw(st.integers(1, 40)),
        length=24,
        rope_base=draw(st.sampled_from([100.0, 10_000.0])),
    )


def made(config: Config, seed: int = 0, attention: Any = GroupedQueryAttention) -> Decoder:
    """A model whose weights are large enough for every part to matter."""
    torch.manual_seed(seed)
    model = Decoder(config, attention)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(1.0 if weight.ndim == 1 else 0.0, 0.3)
    return model.eval()


def their_name(name: str) -> str:
    for ours, theirs in {
        "blocks.": "model.layers.",
        "attention_norm": "input_layernorm",
        "feed_forward_norm": "post_attention_layernorm",
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.o_proj",
        "feed_forward.": "mlp.",
        "gate.": "gate_proj.",
        "up.": "up_proj.",
        "down.": "down_proj.",
    }.items():
        name = name.replace(ours, theirs)
    if name.startswith(("embedding", "norm")):
        name = "model." + name.replace("embedding", "embed_tokens")
    return name


def llama(model: Decoder) -> nn.Module:
    """The Transformers library's model with the same weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    c = model.config
    theirs = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=c.vocabulary, num_hidden_layers=c.layers, hidden_size=c.width,
            num_attention_heads=c.heads, num_key_value_heads=c.kv_heads, intermediate_size=c.hidden,
            max_position_embeddings=c.length, rms_norm_eps=c.eps, tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": c.rope_base},
        )
    )  # fmt: skip
    names = {their_name(name): weight for name, weight in model.state_dict().items()}
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
    ids = torch.randint(config.vocabulary, (2, config.length), generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        ours, theirs = model(ids), llama(model)(ids).logits
    scale = theirs.abs().max().item()
    assert (ours - theirs).abs().max().item() <= 2e-5 * scale


@settings(max_examples=25)
@given(configs(), st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_a_cache_gives_the_logits_of_the_whole(config: Config, pieces: list[int]) -> None:
    model = made(config).double()
    ids = torch.randint(config.vocabulary, (2, sum(pieces)), generator=torch.Generator().manual_seed(1))
    caches = model.new_caches(2, sum(pieces))
    with torch.no_grad():
        parts = [model(part, caches) for part in torch.split(ids, pieces, dim=1)]
        whole = model(ids)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=1e-12 * whole.abs().max().item())


def test_no_position_sees_a_later_one() -> None:
    model = made(Config(vocabulary=20, width=24, length=16))
    ids = torch.arange(12)[None]
    other = ids.clone()
    other[0, 7:] = 19
    with torch.no_grad():
        before, after = model(ids), model(other)
    assert torch.equal(before[:, :7], after[:, :7])
    assert (before[:, 7:] - after[:, 7:]).abs().amax(-1).min() > 0.01


def test_generation_takes_the_likeliest_or_draws() -> None:
    model = made(Config(vocabulary=20, width=24, length=16))
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

    def new_cache(self, batch: int, length: int) -> list[torch.Tensor]:
        return []

    def forward(self, x: torch.Tensor, cache: list[torch.Tensor] | None = None) -> torch.Tensor:
        before = torch.cat([*(cache or []), x], dim=1)
        if cache is not None:
            cache.append(x)
        means = before.cumsum(1) / torch.arange(1, before.shape[1] + 1)[:, None]
        return means[:, -x.shape[1] :]


def test_any_attention_plugs_in() -> None:
    model = made(Config(vocabulary=20, width=24, length=16), attention=Mean)
    ids = generate(model, torch.tensor([[1, 2, 3]]), 5)
    with torch.no_grad():
        assert torch.equal(model(ids)[:, 2:-1].argmax(-1), ids[:, 3:])


def test_a_model_starts_at_the_cost_of_guessing() -> None:
    torch.manual_seed(0)
    model = Decoder(Config())
    ids = torch.randint(256, (2, 64))
    cost = nn.functional.cross_entropy(model(ids).transpose(1, 2), torch.randint(256, (2, 64)))
    assert cost.item() == pytest.approx(5.545, abs=0.1)  # ln 256
    assert decoder.parameters(model) == 256 * 128 + 4 * (128 * (4 * 128 + 3 * 344) + 2 * 128) + 128


def test_bad_input_is_named() -> None:
    for sizes, words in [
        ({"width": 100, "heads": 6}, "heads: 6 cut a width of 100 into no even sizes"),
        ({"width": 18, "heads": 6}, "heads: 6 cut a width of 18 into no even sizes"),
        ({"width": 192, "heads": 6, "kv_heads": 4}, "kv_heads: 4 do not divide 6 heads"),
        ({"layers": 0}, "layers: expected at least 1"),
    ]:
        with pytest.raises(ValueError, match=words):
            Config(**sizes)
    model = made(Config(vocabulary=20, width=24, length=16))
    with pytest.raises(ValueError, match="ids: 17 positions are asked for, the model takes 16"):
        model(torch.zeros(1, 17, dtype=torch.long))
    caches = model.new_caches(1, 5)
    model(torch.zeros(1, 4, dtype=torch.long), caches)
    with pytest.raises(ValueError, match="cache: room for 5 positions, 6 are asked for"):
        model(torch.zeros(1, 2, dtype=torch.long), caches)
    with pytest.raises(ValueError, match="length: 17 positions are asked for, the model takes 16"):
        generate(model, torch.zeros(1, 3, dtype=torch.long), 14)
    with pytest.raises(ValueError, match="temperature: expected at least 0"):
        generate(model, torch.zeros(1, 3, dtype=torch.long), 1, temperature=-1.0)
    with pytest.raises(ValueError, match="ids, count: expected a prompt"):
        generate(model, torch.zeros(1, 0, dtype=torch.long), 1)
