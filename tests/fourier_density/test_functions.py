"""The pure functions, against NumPy, quadrature and high precision."""

import math

import jaxtyping
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from explainers import fourier_density as fd
from explainers.fourier_density import FourierDensity
from tests.fourier_density.densities import BOTH, random_a


def test_shapes_and_kinds_are_checked_while_the_tests_run() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        fd.autocorrelation(torch.zeros(3))
    with pytest.raises(jaxtyping.TypeCheckError):
        fd.log_density(random_a(2, 3), torch.zeros(2).double())


@given(st.integers(1, 64), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 2**31))
def test_autocorrelation_equals_numpy_correlate(
    num_frequencies: int, batch: tuple[int, ...], seed: int
) -> None:
    a = random_a(num_frequencies, *batch, seed=seed)
    for row, c in zip(
        a.reshape(-1, num_frequencies + 1),
        fd.autocorrelation(a).reshape(-1, num_frequencies + 1),
        strict=True,
    ):
        # numpy sums a_{k+n} conj(a_k): lags -N ... N, of which -n is our n
        expected = np.correlate(row.numpy(), row.numpy(), "full")[num_frequencies::-1]
        np.testing.assert_allclose(c.numpy(), expected, atol=1e-11 * expected[0].real)


@given(st.integers(1, 64), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 2**31))
def test_amplitude_equals_the_basis_times_a(num_frequencies: int, batch: tuple[int, ...], seed: int) -> None:
    a = random_a(num_frequencies, *batch, seed=seed)
    x = 2 * torch.rand(7, *batch, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 1
    k = torch.arange(num_frequencies + 1, dtype=torch.float64)
    expected = (a * torch.exp(-1j * math.pi * k * x.unsqueeze(-1))).sum(-1)
    tolerance = 1e-13 * a.abs().sum().item() * num_frequencies
    torch.testing.assert_close(fd.amplitude(a, x), expected, rtol=0, atol=tolerance)
    torch.testing.assert_close(
        (a * fd.fourier_basis(x, num_frequencies)).sum(-1), expected, rtol=0, atol=tolerance
    )


@given(st.integers(1, 24), st.integers(0, 2**31))
def test_float32_agrees_with_float64(num_frequencies: int, seed: int) -> None:
    a = random_a(num_frequencies, seed=seed)
    x = torch.linspace(-1, 1, 50, dtype=torch.float64)
    single = fd.log_density(a.to(torch.complex64), x.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.exp().double(), fd.log_density(a, x).exp(), rtol=1e-3, atol=1e-4)
    cdf = fd.cdf(a.to(torch.complex64), x.float())
    assert cdf.dtype == torch.float32
    torch.testing.assert_close(cdf.double(), fd.cdf(a, x), rtol=0, atol=1e-5)


@given(st.integers(1, 24), st.integers(0, 2**31), st.floats(1e-6, 1e6), st.floats(0, 6.3))
def test_scale_and_phase_of_a_are_free(num_frequencies: int, seed: int, factor: float, angle: float) -> None:
    a = random_a(num_frequencies, seed=seed)
    b = a * factor * complex(math.cos(angle), math.sin(angle))
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)
    torch.testing.assert_close(fd.log_density(b, x).exp(), fd.log_density(a, x).exp(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(fd.cdf(b, x), fd.cdf(a, x), rtol=0, atol=1e-12)
    torch.testing.assert_close(fd.roughness(b), fd.roughness(a))


@given(st.integers(1, 64), st.integers(0, 2**31))
def test_cumulative_rises_from_zero_to_one(num_frequencies: int, seed: int) -> None:
    cdf = fd.cdf(random_a(num_frequencies, seed=seed), torch.linspace(-1, 1, 301, dtype=torch.float64))
    assert cdf[0] == pytest.approx(0, abs=1e-12)
    assert cdf[-1] == pytest.approx(1, abs=1e-12)
    assert (cdf.diff() > -1e-12).all()


@given(st.integers(1, 24), st.integers(0, 2**31))
def test_icdf_inverts_the_cdf(num_frequencies: int, seed: int) -> None:
    a = random_a(num_frequencies, seed=seed)
    u = torch.linspace(0, 1, 101, dtype=torch.float64)
    x = fd.icdf(a, u)
    assert x[0] == -1
    assert x[-1] == 1
    torch.testing.assert_close(fd.cdf(a, x), u, rtol=0, atol=1e-9)


def test_roughness_equals_quadrature() -> None:
    a = random_a(5).requires_grad_()

    def slope_squared(x: float) -> float:
        point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(fd.log_density(a, point).exp(), point)
        return slope.item() ** 2

    expected, _ = integrate.quad(slope_squared, -1, 1, epsabs=1e-8)
    assert fd.roughness(a).item() == pytest.approx(expected, rel=1e-8)


@BOTH
@pytest.mark.parametrize(("a", "zero"), [((1, 1), 1.0), ((1, 1), -1.0), ((1, -1), 0.0), ((1, 0, -1), 1.0)])
def test_a_zero_of_p_gives_minus_infinity(dtype: torch.dtype, a: tuple[int, ...], zero: float) -> None:
    model = FourierDensity(len(a) - 1).to(dtype)
    with torch.no_grad():
        model.parts[..., 0] = torch.tensor(a, dtype=dtype)
        model.parts[..., 1] = 0
    near = torch.linspace(-1, 1, 1001, dtype=dtype)
    assert model.log_prob(torch.tensor([zero], dtype=dtype)) == -math.inf
    assert not model.log_prob(near).isnan().any()
    assert (model.log_prob(near) < 1).all()


def test_log_slope_of_tanh_is_exact_far_out() -> None:
    u = torch.tensor([0.0, 1e-9, 0.5, -0.5, 9.5, -40.0, 1e4, -1e4], dtype=torch.float64)
    with mpmath.workdps(60):
        expected = [float(2 * mpmath.log(mpmath.sech(value))) for value in u.tolist()]
    torch.testing.assert_close(
        fd.log_sech2(u), torch.tensor(expected, dtype=torch.float64), rtol=1e-14, atol=1e-15
    )
    assert torch.autograd.gradcheck(fd.log_sech2, u[:6].clone().requires_grad_())
