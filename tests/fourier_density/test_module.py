"""The module: its density, its distribution function and inverse, its samples."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch import Tensor

from explainers.fourier_density import FourierDensity
from tests.fourier_density.densities import BOTH, SUPPORTS, Support, random_model


@SUPPORTS
def test_log_prob_integrates_to_one_and_to_the_cdf(support: Support) -> None:
    model = random_model(5, support=support)
    p = lambda y: model.log_prob(torch.tensor(y, dtype=torch.float64)).exp().item()  # noqa: E731
    lo, hi = (-40.0, 40.0) if isinstance(support, str) else support
    points = [
        lo,
        *([-3.0, 0.7, 1.5, 4.0] if isinstance(support, str) else [lo + (hi - lo) * s for s in (0.2, 0.7)]),
        hi,
    ]
    total = 0.0
    for left, right in itertools.pairwise(points):
        total += integrate.quad(p, left, right, limit=200)[0]
        assert model.cdf(torch.tensor(right, dtype=torch.float64)).item() == pytest.approx(total, abs=1e-8)
    assert total == pytest.approx(1, abs=1e-8)


@BOTH
@pytest.mark.parametrize("sign", [1, -1])
def test_log_prob_on_the_line_is_exact_at_ten_thousand_scales(dtype: torch.dtype, sign: int) -> None:
    model = random_model(3).to(dtype)
    with torch.no_grad():
        y = (model.loc + sign * 1e4 * model.scale).reshape(1)
        got = model.log_prob(y)
    with mpmath.workdps(50):
        u = (mpmath.mpf(y.item()) - mpmath.mpf(model.loc.item())) / mpmath.mpf(model.scale.item())
        x = mpmath.tanh(u)
        a = [mpmath.mpc(*pair) for pair in model.parts.tolist()]
        power = abs(sum(a_k * mpmath.expjpi(-k * x) for k, a_k in enumerate(a))) ** 2
        mass = 2 * sum(abs(a_k) ** 2 for a_k in a)
        expected = mpmath.log(power / mass) + 2 * mpmath.log(mpmath.sech(u)) - mpmath.log(model.scale.item())
    assert got.isfinite().all()
    assert got.item() == pytest.approx(float(expected), rel=1e-6 if dtype == torch.float32 else 1e-14)


@BOTH
def test_infinity_on_the_line_has_no_density(dtype: torch.dtype) -> None:
    model = random_model(3).to(dtype)
    ends = torch.tensor([-math.inf, math.inf], dtype=dtype)
    assert model.log_prob(ends).tolist() == [-math.inf, -math.inf]
    torch.testing.assert_close(model.cdf(ends), torch.tensor([0, 1], dtype=dtype), rtol=0, atol=1e-5)


def test_outside_a_finite_support_there_is_nothing() -> None:
    model = random_model(3, support=(2, 7))
    value = torch.tensor([-math.inf, 1.99, 2.0, 7.0, 7.01, math.inf], dtype=torch.float64)
    assert model.log_prob(value).isfinite().tolist() == [False, False, True, True, False, False]
    assert (model.log_prob(value)[[0, 1, 4, 5]] == -math.inf).all()
    torch.testing.assert_close(
        model.cdf(value), torch.tensor([0, 0, 0, 1, 1, 1]).double(), rtol=0, atol=1e-14
    )


@SUPPORTS
def test_icdf_inverts_the_cdf(support: Support) -> None:
    model = random_model(6, support=support)
    lo, hi = (-3, 4) if isinstance(support, str) else support
    y = torch.linspace(lo + 0.01, hi - 0.01, 200, dtype=torch.float64)
    likely = model.log_prob(y) > -5  # where p is about 0 the cdf is flat, and no inverse is exact
    assert likely.sum() > 100
    torch.testing.assert_close(model.icdf(model.cdf(y))[likely], y[likely], rtol=0, atol=1e-9)
    assert model.icdf(torch.tensor([0.0, 1.0]).double()).tolist() == (
        [-math.inf, math.inf] if isinstance(support, str) else [lo, hi]
    )


@BOTH
@SUPPORTS
def test_samples_follow_the_cdf(dtype: torch.dtype, support: Support) -> None:
    model = random_model(6, 2, support=support).to(dtype)
    draws = model.sample((4000,), generator=torch.Generator().manual_seed(1))
    assert draws.shape == (4000, 2)
    assert draws.dtype == dtype
    assert draws.isfinite().all()
    uniform = model.cdf(draws).detach()
    for column in uniform.mT:
        assert stats.kstest(column.numpy(), "uniform").pvalue > 0.01


def test_sampling_is_repeatable_from_a_generator() -> None:
    model = random_model(4, 3)
    first, second = (model.sample((5,), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)
    torch.manual_seed(7)
    assert torch.equal(model.sample((5,)), first)


@SUPPORTS
def test_gradients_of_log_prob_are_right(support: Support) -> None:
    model = random_model(3, 2, support=support)
    y = model.sample((4,), torch.Generator().manual_seed(0)).requires_grad_()
    names, values = zip(*model.named_parameters(), strict=True)

    def log_prob(value: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), value)

    model.forward = model.log_prob
    assert torch.autograd.gradcheck(log_prob, (y, *(p.detach().clone().requires_grad_() for p in values)))


@settings(max_examples=30)
@given(
    st.integers(1, 64),
    st.sampled_from([(), (1,), (3,), (2, 3)]),
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from(["real", (-2.0, 3.0)]),
)
def test_results_have_the_broadcast_shape_and_the_modules_dtype(
    num_frequencies: int, batch: tuple[int, ...], dtype: torch.dtype, support: Support
) -> None:
    model = random_model(num_frequencies, *batch, support=support).to(dtype)
    for shape in ((), (5, *batch), batch, (4, 1, *batch)):
        value = torch.full(shape, 0.3, dtype=dtype)
        expected = np.broadcast_shapes(shape, batch)
        for result in (model.log_prob(value), model.cdf(value), model.icdf(value)):
            assert result.shape == expected
            assert result.dtype == dtype
    assert model.sample((2,)).shape == (2, *batch)
    assert model.coefficients.shape == (*batch, num_frequencies + 1)
    assert model.roughness.shape == batch


def test_coefficients_are_those_of_the_normalised_density() -> None:
    model = random_model(4, support=(-1.0, 1.0))
    for n, c in enumerate(model.coefficients.tolist()):
        wave = lambda x, n=n: (  # noqa: E731
            model.log_prob(torch.tensor(x, dtype=torch.float64)).exp().item()
            * np.exp(-1j * np.pi * n * x)
            / 2
        )
        expected, _ = integrate.quad(wave, -1, 1, complex_func=True)
        assert c == pytest.approx(expected, abs=1e-9)


@SUPPORTS
def test_a_new_model_is_uniform_in_x(support: Support) -> None:
    model = FourierDensity(7, support=support).double()
    x = torch.linspace(-0.9, 0.9, 5, dtype=torch.float64)
    y = x.atanh() if isinstance(support, str) else support[0] + (x + 1) / 2 * (support[1] - support[0])
    torch.testing.assert_close(model.cdf(y), (x + 1) / 2)
    assert model.roughness == 0


def test_double_keeps_the_imaginary_parts() -> None:
    model = random_model(3).float()
    for other in (random_model(3).float().double(), random_model(3).float().to(torch.float64)):
        torch.testing.assert_close(other.a, model.a.to(torch.complex128))
        assert other.a.imag.abs().min() > 0
