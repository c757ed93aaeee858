"""Rotary position embedding (RoPE): a position turns pairs of coordinates.

After Su et al., "RoFormer" (arXiv 2104.09864, section 3.2). Pair i of a head of d
coordinates turns by the angle `position * base^(-2i/d)`. The product of a query turned
by m and a key turned by n then depends on m - n alone.

Which coordinates form a pair is a convention, and models differ in it:

- "halves": i with i + d/2, as in the Transformers library's Llama;
- "interleaved": 2i with 2i + 1, as in the paper.

The two agree up to the order of coordinates, which `to_halves` and `to_interleaved`
change. Functions say which one they mean; nothing guesses.

All raise `TypeError` for other types and `ValueError` for numbers and shapes that do
not fit. `rotate` and the two orders, which every layer calls, do not look at the
numbers.
"""

import torch
from jaxtyping import Float, Real, Shaped
from torch import Tensor

from explainers import checks

LAYOUTS = ("halves", "interleaved")


def frequencies(head_dim: int, base: float = 10_000.0) -> Float[Tensor, " pairs"]:
    """Radians per position of each pair, from 1 down to nearly 1/base, in float64."""
    checks.integer("head_dim", head_dim, least=2)
    checks.positive("base", base)
    if head_dim % 2:
        raise ValueError(f"head_dim: expected an even size, got {head_dim}")
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim
    return base**-exponents


def cos_sin(
    positions: Real[Tensor, "*batch length"],
    frequencies: Float[Tensor, " pairs"],
    dtype: torch.dtype = torch.float32,
) -> tuple[Float[Tensor, "*batch length pairs"], Float[Tensor, "*batch length pairs"]]:
    """Cosine and sine of every angle `position * frequency`, in radians.

    The angles are float64: a float32 holds 32,768 radians to 1e-3 only. They come back
    within the rounding of `dtype`, 6e-8 for float32.
    """
    _check_finite("positions", positions)
    _check_finite("frequencies", frequencies)
    if positions.ndim == 0:
        raise ValueError("positions: expected at least one axis, got none")
    if frequencies.ndim != 1 or not frequencies.is_floating_point():
        raise ValueError(
            "frequencies: expected floating-point numbers of the shape (pairs,), got "
            f"{frequencies.dtype} of the shape {tuple(frequencies.shape)}"
        )
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"dtype: expected one of floating-point numbers, got {dtype!r}")
    angles = positions.double()[..., None] * frequencies.double()
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(
    x: Float[Tensor, "*batch length head_dim"],
    cos: Float[Tensor, "*#batch length pairs"],
    sin: Float[Tensor, "*#batch length pairs"],
    layout: str = "halves",
) -> Float[Tensor, "*batch length head_dim"]:
    """Turn each pair of each position by its angle; `cos` and `sin` from `cos_sin`.

    Leading axes broadcast: positions of shape (length) serve every row and head, those
    of shape (batch, 1, length) each row its own.
    """
    _even(x)
    _check_tables(x, cos, sin)
    checks.one_of("layout", layout, LAYOUTS)
    if layout == "halves":
        first, second = x.chunk(2, dim=-1)
    else:
        first, second = x[..., 0::2], x[..., 1::2]
    turned = first * cos - second * sin, first * sin + second * cos
    if layout == "halves":
        return torch.cat(turned, dim=-1)
    return torch.stack(turned, dim=-1).flatten(-2)


def to_halves(
    x: Shaped[Tensor, "*batch head_dim"],
) -> Shaped[Tensor, "*batch head_dim"]:
    """Reorder the last axis from interleaved pairs to halves."""
    _even(x)
    return torch.cat([x[..., 0::2], x[..., 1::2]], dim=-1)


def to_interleaved(
    x: Shaped[Tensor, "*batch head_dim"],
) -> Shaped[Tensor, "*batch head_dim"]:
    """Reorder the last axis from halves to interleaved pairs."""
    _even(x)
    return torch.stack(x.chunk(2, dim=-1), dim=-1).flatten(-2)


def _even(x: Tensor) -> None:
    checks.tensor("x", x)
    if x.ndim == 0:
        raise ValueError("x: expected at least one axis, got none")
    if x.shape[-1] % 2:
        raise ValueError(f"x: expected an even last axis, got {x.shape[-1]}")


def _check_tables(x: Tensor, cos: Tensor, sin: Tensor) -> None:
    usual = (*x.shape[-2:-1], x.shape[-1] // 2)
    for name, table in (("cos", cos), ("sin", sin)):
        checks.tensor(name, table)
        if table.shape == usual:
            continue  # as in every layer of a model
        if table.ndim == 0 or 2 * table.shape[-1] != x.shape[-1]:
            raise ValueError(
                f"{name}: expected half of the last axis of x, {tuple(x.shape)}, got "
                f"{tuple(table.shape)}"
            )
        checks.broadcasts(name, table, (*x.shape[:-1], table.shape[-1]))


def _check_finite(name: str, numbers: Tensor) -> None:
    checks.tensor(name, numbers)
    if numbers.dtype == torch.bool or numbers.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {numbers.dtype}")
    checks.finite(name, numbers)
