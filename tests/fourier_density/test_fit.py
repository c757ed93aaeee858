import itertools
import math
from collections.abc import Callable

import jaxtyping
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch import Tensor

from explainers import fourier_density as fd
from explainers.fourier_density import FourierDensity

BOTH = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
SUPPORTS = pytest.mark.parametrize("support", [(-1.0, 1.0), (2, 7), "real"])


def random_a(num_frequencies: int, *batch: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*batch, num_frequencies + 1, dtype=torch.complex128, generator=generator)


def random_model(num_frequencies: int, *batch: int, support="real", seed: int = 0) -> FourierDensity:
    """An asymmetric density with nothing special about it, in float64."""
    model = FourierDensity(num_frequencies, support=support, batch_shape=batch).double()
    with torch.no_grad():
        model.parts.copy_(torch.view_as_real(random_a(num_frequencies, *batch, seed=seed)))
        if support == "real":
            model.loc.fill_(0.7)
            model.log_scale.fill_(math.log(1.6))
    return model


def two_bumps(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    rng = np.random.default_rng(seed)
    left = rng.random(n) < 0.7
    x = np.where(left, rng.normal(-0.5, 0.12, n), rng.normal(0.4, 0.2, n))
    return torch.tensor(x[np.abs(x) < 1], dtype=dtype)


# Oracles: each compares the library, as it is at the moment of the call, with something independent of it.


def check_autocorrelation_equals_the_double_loop() -> None:
    a = random_a(5)
    loop = [sum(a[k] * a[k + n].conj() for k in range(6 - n)) for n in range(6)]
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
        got = fd.cumulative(a, torch.tensor(x, dtype=torch.float64)).item()
        assert got == pytest.approx(integral, abs=1e-9)


ORACLES = [
    check_autocorrelation_equals_the_double_loop,
    check_density_integrates_to_one,
    check_density_equals_the_sum_of_cosines,
    check_cdf_is_the_integral_of_the_density,
]


@pytest.mark.parametrize("oracle", ORACLES)
def test_the_library_passes_every_oracle(oracle):
    oracle()


AUTOCORRELATION, AMPLITUDE, LOG_MASS = fd.autocorrelation, fd.amplitude, fd.log_mass


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
        ("log_mass", no_mass, {ORACLES[1], ORACLES[2], ORACLES[3]}),
    ],
)
def test_a_wrong_version_fails_its_oracles(monkeypatch, name: str, wrong: Callable, caught_by: set):
    monkeypatch.setattr(fd, name, wrong)
    failed = set()
    for oracle in ORACLES:
        try:
            oracle()
        except AssertionError:
            failed.add(oracle)
    assert failed >= caught_by
    assert failed


# The pure functions


def test_shapes_and_kinds_are_checked_while_the_tests_run():
    with pytest.raises(jaxtyping.TypeCheckError):
        fd.autocorrelation(torch.zeros(3))
    with pytest.raises(jaxtyping.TypeCheckError):
        fd.log_density(random_a(2, 3), torch.zeros(2).double())


@given(st.integers(1, 64), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 2**31))
def test_autocorrelation_equals_numpy_correlate(num_frequencies, batch, seed):
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
def test_amplitude_equals_the_basis_times_a(num_frequencies, batch, seed):
    a = random_a(num_frequencies, *batch, seed=seed)
    x = 2 * torch.rand(7, *batch, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 1
    k = torch.arange(num_frequencies + 1, dtype=torch.float64)
    expected = (a * torch.exp(-1j * math.pi * k * x.unsqueeze(-1))).sum(-1)
    tolerance = 1e-13 * a.abs().sum().item() * num_frequencies
    torch.testing.assert_close(fd.amplitude(a, x), expected, rtol=0, atol=tolerance)
    torch.testing.assert_close((a * fd.waves(x, num_frequencies)).sum(-1), expected, rtol=0, atol=tolerance)


@given(st.integers(1, 24), st.integers(0, 2**31))
def test_float32_agrees_with_float64(num_frequencies, seed):
    a = random_a(num_frequencies, seed=seed)
    x = torch.linspace(-1, 1, 50, dtype=torch.float64)
    single = fd.log_density(a.to(torch.complex64), x.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.exp().double(), fd.log_density(a, x).exp(), rtol=1e-3, atol=1e-4)
    cdf = fd.cumulative(a.to(torch.complex64), x.float())
    assert cdf.dtype == torch.float32
    torch.testing.assert_close(cdf.double(), fd.cumulative(a, x), rtol=0, atol=1e-5)


@given(st.integers(1, 24), st.integers(0, 2**31), st.floats(1e-6, 1e6), st.floats(0, 6.3))
def test_scale_and_phase_of_a_are_free(num_frequencies, seed, factor, angle):
    a = random_a(num_frequencies, seed=seed)
    b = a * factor * complex(math.cos(angle), math.sin(angle))
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)
    torch.testing.assert_close(fd.log_density(b, x).exp(), fd.log_density(a, x).exp(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(fd.cumulative(b, x), fd.cumulative(a, x), rtol=0, atol=1e-12)
    torch.testing.assert_close(fd.roughness(b), fd.roughness(a))


@given(st.integers(1, 64), st.integers(0, 2**31))
def test_cumulative_rises_from_zero_to_one(num_frequencies, seed):
    cdf = fd.cumulative(random_a(num_frequencies, seed=seed), torch.linspace(-1, 1, 301, dtype=torch.float64))
    assert cdf[0] == pytest.approx(0, abs=1e-12)
    assert cdf[-1] == pytest.approx(1, abs=1e-12)
    assert (cdf.diff() > -1e-12).all()


@given(st.integers(1, 24), st.integers(0, 2**31))
def test_inverse_cumulative_inverts(num_frequencies, seed):
    a = random_a(num_frequencies, seed=seed)
    u = torch.linspace(0, 1, 101, dtype=torch.float64)
    x = fd.inverse_cumulative(a, u)
    assert x[0] == -1
    assert x[-1] == 1
    torch.testing.assert_close(fd.cumulative(a, x), u, rtol=0, atol=1e-9)


def test_roughness_equals_quadrature():
    a = random_a(5).requires_grad_()

    def slope_squared(x: float) -> float:
        point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(fd.log_density(a, point).exp(), point)
        return slope.item() ** 2

    expected, _ = integrate.quad(slope_squared, -1, 1, epsabs=1e-8)
    assert fd.roughness(a).item() == pytest.approx(expected, rel=1e-8)


@BOTH
@pytest.mark.parametrize(("a", "zero"), [((1, 1), 1.0), ((1, 1), -1.0), ((1, -1), 0.0), ((1, 0, -1), 1.0)])
def test_a_zero_of_p_gives_minus_infinity(dtype, a, zero):
    model = FourierDensity(len(a) - 1).to(dtype)
    with torch.no_grad():
        model.parts[..., 0] = torch.tensor(a, dtype=dtype)
        model.parts[..., 1] = 0
    near = torch.linspace(-1, 1, 1001, dtype=dtype)
    assert model.log_prob(torch.tensor([zero], dtype=dtype)) == -math.inf
    assert not model.log_prob(near).isnan().any()
    assert (model.log_prob(near) < 1).all()


def test_log_slope_of_tanh_is_exact_far_out():
    u = torch.tensor([0.0, 1e-9, 0.5, -0.5, 9.5, -40.0, 1e4, -1e4], dtype=torch.float64)
    with mpmath.workdps(60):
        expected = [float(2 * mpmath.log(mpmath.sech(value))) for value in u.tolist()]
    torch.testing.assert_close(
        fd.log_sech2(u), torch.tensor(expected, dtype=torch.float64), rtol=1e-14, atol=1e-15
    )
    assert torch.autograd.gradcheck(fd.log_sech2, u[:6].clone().requires_grad_())


# The module, evaluated


@SUPPORTS
def test_log_prob_integrates_to_one_and_to_the_cdf(support):
    model = random_model(5, support=support)
    p = lambda y: model.log_prob(torch.tensor(y, dtype=torch.float64)).exp().item()  # noqa: E731
    lo, hi = (-40.0, 40.0) if support == "real" else support
    points = [
        lo,
        *([-3.0, 0.7, 1.5, 4.0] if support == "real" else [lo + (hi - lo) * s for s in (0.2, 0.7)]),
        hi,
    ]
    total = 0.0
    for left, right in itertools.pairwise(points):
        total += integrate.quad(p, left, right, limit=200)[0]
        assert model.cdf(torch.tensor(right, dtype=torch.float64)).item() == pytest.approx(total, abs=1e-8)
    assert total == pytest.approx(1, abs=1e-8)


@BOTH
@pytest.mark.parametrize("sign", [1, -1])
def test_log_prob_on_the_line_is_exact_at_ten_thousand_scales(dtype, sign):
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
def test_infinity_on_the_line_has_no_density(dtype):
    model = random_model(3).to(dtype)
    ends = torch.tensor([-math.inf, math.inf], dtype=dtype)
    assert model.log_prob(ends).tolist() == [-math.inf, -math.inf]
    torch.testing.assert_close(model.cdf(ends), torch.tensor([0, 1], dtype=dtype), rtol=0, atol=1e-5)


def test_outside_a_finite_support_there_is_nothing():
    model = random_model(3, support=(2, 7))
    value = torch.tensor([-math.inf, 1.99, 2.0, 7.0, 7.01, math.inf], dtype=torch.float64)
    assert model.log_prob(value).isfinite().tolist() == [False, False, True, True, False, False]
    assert (model.log_prob(value)[[0, 1, 4, 5]] == -math.inf).all()
    torch.testing.assert_close(
        model.cdf(value), torch.tensor([0, 0, 0, 1, 1, 1]).double(), rtol=0, atol=1e-14
    )


@SUPPORTS
def test_icdf_inverts_the_cdf(support):
    model = random_model(6, support=support)
    lo, hi = (-3, 4) if support == "real" else support
    y = torch.linspace(lo + 0.01, hi - 0.01, 200, dtype=torch.float64)
    likely = model.log_prob(y) > -5  # where p is about 0 the cdf is flat, and no inverse is exact
    assert likely.sum() > 100
    torch.testing.assert_close(model.icdf(model.cdf(y))[likely], y[likely], rtol=0, atol=1e-9)
    assert model.icdf(torch.tensor([0.0, 1.0]).double()).tolist() == (
        [-math.inf, math.inf] if support == "real" else [lo, hi]
    )


@BOTH
@SUPPORTS
def test_samples_follow_the_cdf(dtype, support):
    model = random_model(6, 2, support=support).to(dtype)
    draws = model.sample((4000,), generator=torch.Generator().manual_seed(1))
    assert draws.shape == (4000, 2)
    assert draws.dtype == dtype
    assert draws.isfinite().all()
    uniform = model.cdf(draws).detach()
    for column in uniform.mT:
        assert stats.kstest(column.numpy(), "uniform").pvalue > 0.01


def test_sampling_is_repeatable_from_a_generator():
    model = random_model(4, 3)
    first, second = (model.sample((5,), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)
    torch.manual_seed(7)
    assert torch.equal(model.sample((5,)), first)


@SUPPORTS
def test_gradients_of_log_prob_are_right(support):
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
def test_results_have_the_broadcast_shape_and_the_modules_dtype(num_frequencies, batch, dtype, support):
    model = random_model(num_frequencies, *batch, support=support).to(dtype)
    for shape in ((), (5, *batch), batch, (4, 1, *batch)):
        value = torch.full(shape, 0.3, dtype=dtype)
        expected = torch.broadcast_shapes(shape, batch)
        for result in (model.log_prob(value), model.cdf(value), model.icdf(value)):
            assert result.shape == expected
            assert result.dtype == dtype
    assert model.sample((2,)).shape == (2, *batch)
    assert model.coefficients.shape == (*batch, num_frequencies + 1)
    assert model.roughness.shape == batch


def test_coefficients_are_those_of_the_normalised_density():
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
def test_a_new_model_is_uniform_in_x(support):
    model = FourierDensity(7, support=support).double()
    x = torch.linspace(-0.9, 0.9, 5, dtype=torch.float64)
    y = x.atanh() if support == "real" else support[0] + (x + 1) / 2 * (support[1] - support[0])
    torch.testing.assert_close(model.cdf(y), (x + 1) / 2)
    assert model.roughness == 0


def test_double_keeps_the_imaginary_parts():
    model = random_model(3).float()
    for other in (random_model(3).float().double(), random_model(3).float().to(torch.float64)):
        torch.testing.assert_close(other.a, model.a.to(torch.complex128))
        assert other.a.imag.abs().min() > 0


# Fitting


def known_density(dtype: torch.dtype = torch.float64) -> FourierDensity:
    """Frequencies up to 3, on [-1, 1], asymmetric, nowhere 0."""
    model = FourierDensity(3).to(dtype)
    with torch.no_grad():
        model.parts.copy_(torch.tensor([[1, 0], [0.5, 0.3], [-0.2, 0.25], [0.1, -0.1]]))
    return model


@BOTH
@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_fit_recovers_a_known_density(dtype, method):
    truth = known_density(dtype)
    samples = truth.sample((20_000,), torch.Generator().manual_seed(3))
    model = FourierDensity(3).to(dtype)
    history = model.fit(samples, method=method, steps=300)
    # of 20,000 samples the standard error of a coefficient is at most 1 / (2 sqrt(20,000)) = 0.0035 a part
    torch.testing.assert_close(model.coefficients, truth.coefficients, rtol=0, atol=0.015)
    entropy_of_sample = -truth.log_prob(samples).mean()
    assert history.dtype == dtype
    assert history[-1] <= entropy_of_sample + 1e-5  # the best fit is at least as likely as the truth
    assert history[-1] < history[0] - 0.1


@pytest.mark.parametrize("support", [(-1.0, 1.0), "real"])
def test_both_methods_find_the_same_density(support):
    samples = two_bumps(2000)
    y = torch.linspace(-0.95, 0.95, 60, dtype=torch.float64)
    models = [FourierDensity(5, support=support).double() for _ in range(2)]
    losses = [models[0].fit(samples)[-1], models[1].fit(samples, method="adam")[-1]]
    torch.testing.assert_close(*losses, rtol=0, atol=1e-4)
    torch.testing.assert_close(models[0].log_prob(y).exp(), models[1].log_prob(y).exp(), rtol=0, atol=0.03)


@pytest.mark.parametrize("num_frequencies", [1, 2, 10, 32, 64])
@pytest.mark.parametrize("target", ["two bumps", "symmetric", "one point"])
def test_fit_leaves_the_uniform_start(num_frequencies, target):
    bumps = two_bumps(1000, dtype=torch.float32)
    samples = {"two bumps": bumps, "symmetric": torch.cat([bumps, -bumps]), "one point": bumps[:1]}[target]
    history = FourierDensity(num_frequencies).fit(samples, steps=40)
    assert history.isfinite().all()
    assert (history.diff() <= 1e-5).all()
    uniform = math.log(2)
    assert history[0] == pytest.approx(uniform, abs=1e-5)
    assert history[-1] < uniform - 0.01


def test_more_waves_fit_at_least_as_well():
    samples = two_bumps(1000)
    finals = [FourierDensity(n).double().fit(samples)[-1].item() for n in (1, 2, 4, 8, 16, 32)]
    assert all(later <= earlier + 1e-6 for earlier, later in itertools.pairwise(finals))


def test_fit_finds_the_best_of_the_family_where_it_is_known():
    """With N = 1 and support [-1, 1] the densities are 1/2 + Re c exp(i pi x), |c| <= 1/2."""
    samples = two_bumps(500)
    model = FourierDensity(1).double()
    history = model.fit(samples)
    radius, angle = np.meshgrid(np.linspace(0, 0.5, 101), np.linspace(-np.pi, np.pi, 181))
    waves = np.cos(np.pi * samples.numpy()[:, None, None] + angle)
    grid = -np.log(np.maximum(0.5 + radius * waves, 1e-300)).mean(0)
    assert history[-1] <= grid.min() + 1e-9
    assert history[-1] == pytest.approx(grid.min(), abs=1e-3)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("support", [(-1.0, 1.0), "real"])
def test_a_batch_is_fitted_like_each_alone(method, support):
    samples = torch.stack([two_bumps(1200, seed)[:800] for seed in range(6)], -1).reshape(800, 2, 3)
    samples[:, 1] = samples[:, 1] * 0.3 + 0.1
    batch = FourierDensity(4, support=support, batch_shape=(2, 3)).double()
    history = batch.fit(samples, method=method, steps=120)
    assert history.shape[1:] == (2, 3)
    y = torch.linspace(-0.9, 0.9, 40, dtype=torch.float64)
    together = batch.log_prob(y[:, None, None])
    for i, j in itertools.product(range(2), range(3)):
        alone = FourierDensity(4, support=support).double()
        losses = alone.fit(samples[:, i, j], method=method, steps=120)
        torch.testing.assert_close(history[-1, i, j], losses[-1], rtol=0, atol=1e-9)
        torch.testing.assert_close(history[: len(losses), i, j], losses, rtol=0, atol=1e-6)
        torch.testing.assert_close(together[:, i, j].exp(), alone.log_prob(y).exp(), rtol=0, atol=1e-4)


def test_a_penalty_smooths():
    samples = two_bumps(50)
    rough = []
    for penalty in (0, 1e-4, 1e-2, 1.0):
        model = FourierDensity(16).double()
        model.fit(samples, penalty=penalty)
        rough.append(model.roughness.item())
    assert all(later < earlier for earlier, later in itertools.pairwise(rough))
    assert rough[-1] < 0.1


def test_a_penalty_helps_on_few_samples():
    few, held_out = two_bumps(50), two_bumps(5000, seed=1)
    losses = []
    for penalty in (0, 1e-3):
        model = FourierDensity(16).double()
        model.fit(few, penalty=penalty)
        losses.append(-model.log_prob(held_out).mean().item())
    assert losses[1] < losses[0]


def test_history_belongs_to_the_parameters_that_callback_sees():
    samples = two_bumps(400)
    model = FourierDensity(4, support="real").double()
    seen = []

    def callback(step: int, nll: Tensor) -> bool:
        torch.testing.assert_close(nll, -model.log_prob(samples).mean().detach())
        seen.append((step, nll))
        return step == 5

    history = model.fit(samples, callback=callback)
    assert [step for step, _ in seen] == [0, 1, 2, 3, 4, 5]
    assert torch.equal(history, torch.stack([nll for _, nll in seen]))
    torch.testing.assert_close(history[-1], -model.log_prob(samples).mean().detach())


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_fit_is_deterministic_and_forgets(method):
    samples = two_bumps(300)
    states = []
    for seed, earlier in ((0, 0), (1, 200)):
        torch.manual_seed(seed)
        model = FourierDensity(5, support="real").double()
        if earlier:
            model.fit(2 + samples[:earlier])
        model.fit(samples, method=method, steps=20)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("unit", [1e-8, 1e6])
def test_fit_on_the_line_follows_shift_and_stretch(method, unit):
    samples = two_bumps(1000)
    y = torch.linspace(-0.9, 0.9, 30, dtype=torch.float64)
    plain, moved = (FourierDensity(6, support="real").double() for _ in range(2))
    plain.fit(samples, method=method, steps=60)
    moved.fit(unit * (samples - 5), method=method, steps=60)
    assert moved.scale.item() == pytest.approx(unit * plain.scale.item(), rel=1e-3)
    torch.testing.assert_close(moved.cdf(unit * (y - 5)), plain.cdf(y), rtol=0, atol=1e-4)


def test_one_far_outlier_does_not_spoil_the_start():
    samples = two_bumps(2000)
    y = torch.linspace(-1, 1, 50, dtype=torch.float64)
    clean, dirty = (FourierDensity(6, support="real").double() for _ in range(2))
    clean.fit(samples)
    dirty.fit(torch.cat([samples, torch.tensor([50.0], dtype=torch.float64)]))
    torch.testing.assert_close(dirty.log_prob(y).exp(), clean.log_prob(y).exp(), rtol=0, atol=0.15)


def gauss4(n: int, seed: int) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    weight, mean, deviation = (
        [0.25, 0.35, 0.2, 0.2],
        np.array([-2, -0.5, 1.2, 2.5]),
        np.array([0.35, 0.5, 0.25, 0.4]),
    )
    rng = np.random.default_rng(seed)
    which = rng.choice(4, n, p=weight)
    density = lambda y: stats.norm.pdf(y[:, None], mean, deviation) @ weight  # noqa: E731
    return rng.normal(mean[which], deviation[which]), density


def mixed3(n: int, seed: int) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    rng = np.random.default_rng(seed)
    parts = [stats.laplace(-2, 0.25), stats.uniform(-0.5, 2), stats.norm(2.6, 0.2)]
    weight = [0.35, 0.4, 0.25]
    draws = np.stack([part.rvs(n, random_state=rng) for part in parts])
    density = lambda y: sum(w * part.pdf(y) for w, part in zip(weight, parts, strict=True))  # noqa: E731
    return draws[rng.choice(3, n, p=weight), np.arange(n)], density


@pytest.mark.parametrize(("target", "bar"), [(gauss4, 0.005), (mixed3, 0.10)])
def test_the_start_from_the_data_reaches_a_small_divergence(target, bar):
    grid = np.linspace(-8, 8, 16_001)
    divergences = []
    for seed in range(5):
        samples, density = target(8192, seed)
        model = FourierDensity(10, support="real").double()
        model.fit(torch.tensor(samples))
        p, log_q = density(grid), model.log_prob(torch.tensor(grid)).detach().numpy()
        divergences.append(
            np.trapezoid(np.where(p > 0, p * (np.log(np.maximum(p, 1e-300)) - log_q), 0), grid)
        )
    assert np.median(divergences) <= bar


# Bad input

NAN = torch.tensor([0.1, math.nan])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"num_frequencies": 0}, ValueError, "num_frequencies"),
        ({"num_frequencies": -3}, ValueError, "num_frequencies"),
        ({"num_frequencies": True}, TypeError, "num_frequencies"),
        ({"num_frequencies": 2.0}, TypeError, "num_frequencies"),
        ({"num_frequencies": 3, "support": (1.0, 1.0)}, ValueError, "support"),
        ({"num_frequencies": 3, "support": (2.0, -2.0)}, ValueError, "support"),
        ({"num_frequencies": 3, "support": (0.0, math.inf)}, ValueError, "support"),
        ({"num_frequencies": 3, "support": (math.nan, 1.0)}, ValueError, "support"),
        ({"num_frequencies": 3, "support": "line"}, ValueError, "support"),
    ],
)
def test_a_bad_model_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        FourierDensity(**arguments)


@pytest.mark.parametrize("support", [(-1.0, 1.0), "real"])
@pytest.mark.parametrize(
    ("method", "value", "error", "words"),
    [
        ("log_prob", NAN, ValueError, "value"),
        ("cdf", NAN, ValueError, "value"),
        ("icdf", NAN, ValueError, "u:"),
        ("icdf", torch.tensor([0.5, 1.1]), ValueError, r"u: 0\.5 \.\.\. 1\.1"),
        ("icdf", torch.tensor([-0.1]), ValueError, "u:"),
        ("log_prob", torch.zeros(2).double(), TypeError, "value: dtype torch.float64"),
        ("cdf", torch.zeros(2).double(), TypeError, "value: dtype"),
        ("icdf", torch.zeros(2).double(), TypeError, "u: dtype"),
        ("log_prob", torch.zeros(2, dtype=torch.long), TypeError, "value"),
        ("log_prob", torch.zeros(4), ValueError, r"value: shape \(4,\).*\(3,\)"),
    ],
)
def test_bad_values_are_refused(support, method, value, error, words):
    model = FourierDensity(2, support=support, batch_shape=(3,) if value.shape == (4,) else ())
    with pytest.raises(error, match=words):
        getattr(model, method)(value)


GOOD = two_bumps(40, dtype=torch.float32)


@pytest.mark.parametrize(
    ("support", "samples", "options", "error", "words"),
    [
        ("real", torch.zeros(0), {}, ValueError, "samples: shape"),
        ("real", torch.tensor(0.5), {}, ValueError, "samples: shape"),
        ("real", torch.zeros(5, 2), {}, ValueError, "samples: shape"),
        ("real", NAN, {}, ValueError, "samples: .* NaN"),
        ("real", torch.tensor([0.0, 1.0, math.inf]), {}, ValueError, "samples: .*inf"),
        ("real", torch.ones(5), {}, ValueError, "samples: .*scale"),
        ("real", GOOD.double(), {}, TypeError, "samples: dtype"),
        ((-1.0, 1.0), torch.tensor([0.0, 1.5]), {}, ValueError, r"samples: 0\.0 \.\.\. 1\.5 .*support"),
        ((-1.0, 1.0), torch.tensor([-math.inf, 0.0]), {}, ValueError, "samples: -inf"),
        ((-1.0, 1.0), GOOD, {"method": "sgd"}, ValueError, "method: 'sgd'"),
        ((-1.0, 1.0), GOOD, {"penalty": -1.0}, ValueError, "penalty: -1"),
        ((-1.0, 1.0), GOOD, {"penalty": math.nan}, ValueError, "penalty: nan"),
        ((-1.0, 1.0), GOOD, {"steps": 0}, ValueError, "steps: 0"),
        ((-1.0, 1.0), GOOD, {"lr": 0.0}, ValueError, "lr: 0"),
        ("real", GOOD, {"method": "adam", "lr": 1e30}, FloatingPointError, "step 1"),
    ],
)
def test_bad_fits_are_refused_and_change_nothing(support, samples, options, error, words):
    model = FourierDensity(3, support=support)
    model.fit(GOOD, steps=3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(error, match=words):
        model.fit(samples, **options)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_failure_in_a_batch_changes_none_of_it(monkeypatch):
    model = FourierDensity(2, support="real", batch_shape=(2,))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    samples = torch.stack([GOOD, GOOD], -1)
    whole = FourierDensity._mean_nll
    calls = iter([False, True])

    def second_is_broken(self: FourierDensity, samples: Tensor) -> Callable[[], Tensor]:
        nll = whole(self, samples)
        return (lambda: nll() + math.nan) if next(calls) else nll

    monkeypatch.setattr(FourierDensity, "_mean_nll", second_is_broken)
    with pytest.raises(FloatingPointError, match="step 0"):
        model.fit(samples)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
