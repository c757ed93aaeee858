"""Rotary embedding against complex numbers, high precision and the Transformers library."""

import mpmath
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explainers import rope

LAYOUTS = st.sampled_from(rope.LAYOUTS)
HEADS = st.integers(1, 32).map(lambda half: 2 * half)


def rotated(x: torch.Tensor, positions: torch.Tensor, layout: str = "halves") -> torch.Tensor:
    cos, sin = rope.cos_sin(positions, rope.frequencies(x.shape[-1]), x.dtype)
    return rope.rotate(x, cos, sin, layout)


@given(HEADS, st.integers(0, 10_000))
def test_a_pair_turns_as_a_complex_number(head: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 5, head, generator=generator, dtype=torch.float64)
    positions = torch.randint(50_000, (5,), generator=generator)
    angles = torch.outer(positions.double(), rope.frequencies(head))
    expected = torch.view_as_complex(x.reshape(2, 5, -1, 2)) * torch.polar(torch.ones_like(angles), angles)
    torch.testing.assert_close(rotated(x, positions, "interleaved"), torch.view_as_real(expected).flatten(-2))


@given(HEADS, LAYOUTS, st.integers(0, 30_000), st.integers(0, 30_000), st.integers(0, 2_000))
def test_a_product_depends_on_the_distance_alone(
    head: int, layout: str, first: int, second: int, further: int
) -> None:
    generator = torch.Generator().manual_seed(head + first)
    q, k = torch.randn(2, 1, head, generator=generator, dtype=torch.float64)

    def product(shift: int) -> torch.Tensor:
        turned = [rotated(x, torch.tensor([at + shift]), layout) for x, at in ((q, first), (k, second))]
        return (turned[0] * turned[1]).sum()

    torch.testing.assert_close(product(further), product(0), rtol=1e-9, atol=1e-9)


@given(HEADS, st.integers(0, 10_000))
def test_the_two_layouts_agree_up_to_order(head: int, seed: int) -> None:
    x = torch.randn(3, 4, head, generator=torch.Generator().manual_seed(seed))
    positions = torch.tensor([0, 1, 7, 4000])
    assert torch.equal(rope.to_halves(rope.to_interleaved(x)), x)
    assert torch.equal(rope.to_interleaved(rope.to_halves(x)), x)
    assert torch.equal(
        rope.to_halves(rotated(rope.to_interleaved(x), positions, "interleaved")), rotated(x, positions)
    )


def test_frequencies_go_from_one_radian_down() -> None:
    frequencies = rope.frequencies(64, base=100_000.0)
    assert frequencies.dtype == torch.float64
    for pair, value in enumerate(frequencies.tolist()):
        assert value == pytest.approx(100_000.0 ** (-2 * pair / 64), rel=1e-14)


def test_tables_are_accurate_far_out_where_the_transformers_library_is_not() -> None:
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    positions = torch.arange(32_768 - 64, 32_768)
    cos, sin = rope.cos_sin(positions, rope.frequencies(64))
    config = LlamaConfig(hidden_size=64, num_attention_heads=1, max_position_embeddings=32_768)
    theirs = LlamaRotaryEmbedding(config)(torch.zeros(1), positions[None])

    def worst(cos: torch.Tensor, sin: torch.Tensor) -> float:
        """The largest error of an angle, in radians."""
        angles = torch.atan2(sin.double(), cos.double())
        errors = []
        with mpmath.workdps(40):
            for row, position in enumerate(positions.tolist()):
                for pair in range(32):
                    angle = position * mpmath.mpf(10_000) ** (mpmath.mpf(-2 * pair) / 64)
                    away = (mpmath.mpf(angles[row, pair].item()) - angle) / (2 * mpmath.pi)
                    errors.append(abs(away - mpmath.nint(away)) * 2 * mpmath.pi)
        return float(max(errors))

    assert worst(cos, sin) <= 1e-7
    assert worst(theirs[0][0, :, :32], theirs[1][0, :, :32]) > 5e-4


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="head_dim: expected an even size, got 7"):
        rope.frequencies(7)
    with pytest.raises(ValueError, match="base: expected a positive number"):
        rope.frequencies(8, base=0.0)
    cos, sin = rope.cos_sin(torch.arange(3), rope.frequencies(8))
    with pytest.raises(ValueError, match="x: expected an even last axis, got 7"):
        rope.rotate(torch.zeros(3, 7), cos, sin)
    with pytest.raises(ValueError, match=r"layout: expected one of .* got 'pairs'"):
        rope.rotate(torch.zeros(3, 8), cos, sin, "pairs")
    with pytest.raises(ValueError, match="x: expected an even last axis"):
        rope.to_halves(torch.zeros(5))
