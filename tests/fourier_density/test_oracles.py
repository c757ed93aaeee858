"""Each oracle compares the library, as it is at the moment of the call, with something independent of it."""

import math
from collections.abc import Callable

import pytest
import torch
from scipy import integrate
from torch import Tensor

from explainers import fourier_density as fd
from tests.fourier_density.densities import random_a


def check_autocorrelation_equals_the_double_loop() -> None:
    a = random_a(5)
    loop = [torch.stack([a[k] * a[k + n].conj() for k in range(6 - n)]).sum() for n in range(6)]
    torch.testing.assert_close(fd.autocorrelation(a), torch.stack(loop))


def check_density_integrates_to_one() -> None:
    a = random_a(4)
    mass, _ = integrate.quad(
        lambda x: fd.log_density(a, torch.tensor(x, dtype=torch.float64)).exp().item(), -1, 1
    )
    assert mass == pytest.approx(1, abs=1e-9)


def check_density_equals_the_sum_of_cosines() -> None:
    """p = 1/2 + Re sum c_n / c_0 exp(i pi n x), c by the definition: catches p(-x) for an asymmetric p."""
    a = random_a(4)
    c = torch.stack([(a[: 5 - n] * a[n:].conj()).sum() for n in range(5)])
    x = torch.linspace(-1, 1, 41, dtype=torch.float64)
    n = torch.arange(1, 5, dtype=torch.float64)
    sums = 0.5 + (c[1:] / c[0] * torch.exp(1j * math.pi * n * x[:, None])).real.sum(-1)
    assert (sums - sums.flip(0)).abs().max() > 0.1  # the target is asymmetric
    torch.testing.assert_close(fd.log_density(a, x).exp(), sums, rtol=1e-10, atol=1e-12)


def check_cdf_is_the_integral_of_the_density() -> None:
    a = random_a(4)
    for x in (-0.6, 0.1, 0.9):
        p = lambda t: fd.log_density(a, torch.tensor(t, dtype=torch.float64)).exp().item()  # noqa: E731
        integral, _ = integrate.quad(p, -1, x)
        got = fd.cdf(a, torch.tensor(x, dtype=torch.float64)).item()
        assert got == pytest.approx(integral, abs=1e-9)


ORACLES = [
    check_autocorrelation_equals_the_double_loop,
    check_density_integrates_to_one,
    check_density_equals_the_sum_of_cosines,
    check_cdf_is_the_integral_of_the_density,
]


@pytest.mark.parametrize("oracle", ORACLES)
def test_the_library_passes_every_oracle(oracle: Callable[[], None]) -> None:
    oracle()


AUTOCORRELATION, AMPLITUDE, LOG_MASS = fd.autocorrelation, fd.amplitude, fd.log_normalizer


def mirrored_autocorrelation(a: Tensor) -> Tensor:
    return AUTOCORRELATION(a).conj().resolve_conj()


def wrapped_autocorrelation(a: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(a).abs().square()).conj().resolve_conj()


def mirrored_amplitude(a: Tensor, x: Tensor) -> Tensor:
    return AMPLITUDE(a, -x)


def one_frequency_short(a: Tensor, x: Tensor) -> Tensor:
    return AMPLITUDE(a[..., :-1], x)


def no_mass(a: Tensor) -> Tensor:
    return torch.zeros_like(LOG_MASS(a))


@pytest.mark.parametrize(
    ("name", "wrong", "caught_by"),
    [
        ("autocorrelation", mirrored_autocorrelation, {ORACLES[0], ORACLES[3]}),
        ("autocorrelation", wrapped_autocorrelation, {ORACLES[0], ORACLES[3]}),
        ("amplitude", mirrored_amplitude, {ORACLES[2]}),
        ("amplitude", one_frequency_short, {ORACLES[1], ORACLES[2], ORACLES[3]}),
        ("log_normalizer", no_mass, {ORACLES[1], ORACLES[2], ORACLES[3]}),
    ],
)
def test_a_wrong_version_fails_its_oracles(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wrong: Callable[..., Tensor],
    caught_by: set[Callable[[], None]],
) -> None:
    monkeypatch.setattr(fd, name, wrong)
    failed = set()
    for oracle in ORACLES:
        try:
            oracle()
        except AssertionError:
            failed.add(oracle)
    assert failed >= caught_by
    assert failed
