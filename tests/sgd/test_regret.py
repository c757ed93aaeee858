import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from sklearn.linear_model import SGDClassifier
from torch import Tensor

from explainers import sgd
from explainers.sgd import AssumptionWarning, average_regret, projected_sgd, regret_bound

F64 = torch.float64
SEEDS = st.integers(0, 2**31)


def rng_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int | torch.Generator = 0) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=rng_of(seed) if isinstance(seed, int) else seed)


def uniform(*shape: int, seed: int | torch.Generator = 0) -> Tensor:
    return torch.rand(*shape, dtype=F64, generator=rng_of(seed) if isinstance(seed, int) else seed)


@pytest.fixture
def unchecked():
    """As a reader runs it: without the checks of shapes that the tests add, which would come first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


# Sets, described without the library: membership, points of it, its diameter, its lowest point in a direction


@dataclass(frozen=True)
class Set:
    name: str
    project: Callable[[Tensor], Tensor]
    holds: Callable[[Tensor], Tensor]  # how far beyond its edge a point is, at most
    points: Callable[[int, torch.Generator], Tensor]
    diameter: float
    lowest: Callable[[Tensor], Tensor]  # the point of the set where <s, point> is least


def ball(dim: int, radius: float) -> Set:
    def points(n: int, rng: torch.Generator) -> Tensor:
        x = normal(n, dim, seed=rng)
        return radius * x / x.norm(dim=-1, keepdim=True) * uniform(n, 1, seed=rng) ** (1 / dim)

    return Set(
        "ball",
        lambda x: sgd.project_ball(x, radius),
        lambda x: x.norm(dim=-1) - radius,
        points,
        2 * radius,
        lambda s: -radius * s / s.norm(dim=-1, keepdim=True).clamp(min=1e-300),
    )


def box(dim: int, low: Tensor, high: Tensor) -> Set:
    return Set(
        "box",
        lambda x: sgd.project_box(x, low, high),
        lambda x: torch.maximum(low - x, x - high).amax(-1),
        lambda n, rng: low + (high - low) * uniform(n, dim, seed=rng),
        (high - low).norm().item(),
        lambda s: torch.where(s > 0, low, high),
    )


def simplex(dim: int, total: float) -> Set:
    def points(n: int, rng: torch.Generator) -> Tensor:
        x = -uniform(n, dim, seed=rng).clamp(min=1e-300).log() + 1e-300
        return total * x / x.sum(-1, keepdim=True)

    return Set(
        "simplex",
        lambda x: sgd.project_simplex(x, total),
        lambda x: torch.maximum(-x.amin(-1), (x.sum(-1) - total).abs()),
        points,
        math.sqrt(2) * total,
        lambda s: total * torch.nn.functional.one_hot(s.argmin(-1), dim).to(s),
    )


def make_set(name: str, dim: int, size: float, seed: int = 0) -> Set:
    if name == "box":
        ends = size * normal(2, dim, seed=seed)
        return box(dim, ends.amin(0), ends.amax(0))
    return {"ball": ball, "simplex": simplex}[name](dim, size)


NAMES = ["ball", "box", "simplex"]
sets = st.builds(make_set, st.sampled_from(NAMES), st.integers(2, 6), st.floats(0.01, 100), SEEDS)


def dim_of(domain: Set) -> int:
    return domain.points(1, rng_of(0)).shape[-1]


def scattered(domain: Set, n: int, seed: int) -> Tensor:
    """Points inside, near and far outside."""
    rng = rng_of(seed)
    return domain.diameter * normal(n, dim_of(domain), seed=rng) * 10 ** (4 * uniform(n, 1, seed=rng) - 2)


# Projections


@settings(max_examples=60)
@given(sets, SEEDS)
def test_a_projection_ends_in_the_set_and_stays_there(domain, seed):
    x = scattered(domain, 50, seed)
    found = domain.project(x)
    # the simplex takes its sum from coordinates as large as x
    slack = 1e-13 * (domain.diameter + x.abs().amax())
    assert domain.holds(found).max() <= slack
    torch.testing.assert_close(domain.project(found), found, rtol=0, atol=slack.item())


@settings(max_examples=60)
@given(sets, SEEDS)
def test_a_point_of_the_set_is_left_where_it_is(domain, seed):
    inside = domain.points(50, rng_of(seed))
    torch.testing.assert_close(domain.project(inside), inside, rtol=0, atol=1e-14 * domain.diameter)
    if domain.name != "simplex":  # there a shift is computed, right but for rounding
        assert torch.equal(domain.project(inside), inside)


@settings(max_examples=60)
@given(sets, SEEDS)
def test_no_point_of_the_set_is_nearer_than_the_projection(domain, seed):
    x = scattered(domain, 20, seed)
    found = domain.project(x)
    others = domain.points(500, rng_of(seed + 1))
    near = found[:, None] + 10.0 ** -(3 * uniform(500, 1, seed=seed)) * (others - found[:, None])
    distance = (x - found).norm(dim=-1)[:, None]
    for rivals in (others, near):
        assert ((x[:, None] - rivals).norm(dim=-1) >= distance * (1 - 1e-12) - 1e-13 * domain.diameter).all()


def sharpest(project: Callable[[Tensor], Tensor], domain: Set, seed: int) -> Tensor:
    """The least <Px - theta, x - Px> over x and points theta of the set, in units of |x - Px| D.

    A point theta is best taken where the inner product is least, which `lowest` knows.
    """
    x = scattered(domain, 50, seed)
    found = project(x)
    away = x - found
    theta = torch.stack(
        [*domain.points(50, rng_of(seed)).unsqueeze(1).expand(-1, 50, -1), domain.lowest(-away)]
    )
    products = ((found - theta) * away).sum(-1)
    scale = (x.norm(dim=-1) + domain.diameter) * domain.diameter
    return (products / scale).min()


@settings(max_examples=60)
@given(sets, SEEDS)
def test_the_angle_at_a_projection_is_never_acute(domain, seed):
    assert sharpest(domain.project, domain, seed) >= -1e-13


@pytest.mark.parametrize(
    ("domain", "wrong"),
    [
        # both end in the set, and change nothing when done again
        (ball(3, 2.0), lambda x: x.clamp(-2 / math.sqrt(3), 2 / math.sqrt(3))),
        (simplex(3, 2.0), lambda x: 2 * x.clamp(min=1e-9) / x.clamp(min=1e-9).sum(-1, keepdim=True)),
        (
            box(3, -torch.ones(3).double(), torch.ones(3).double()),
            lambda x: x / x.abs().amax(-1, True).clamp(min=1),
        ),
    ],
)
def test_what_is_no_projection_makes_an_acute_angle(domain, wrong):
    x = scattered(domain, 50, 0)
    assert domain.holds(wrong(x)).max() <= 1e-14
    torch.testing.assert_close(wrong(wrong(x)), wrong(x))
    assert sharpest(wrong, domain, 0) < -0.05


@settings(max_examples=60)
@given(sets, SEEDS)
def test_a_projection_never_moves_two_points_apart(domain, seed):
    x, y = scattered(domain, 50, seed), scattered(domain, 50, seed + 1)
    before, after = (x - y).norm(dim=-1), (domain.project(x) - domain.project(y)).norm(dim=-1)
    assert (after <= before * (1 + 1e-12) + 1e-13 * domain.diameter).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_projected_like_each_point_alone(name):
    domain = make_set(name, 4, 1.5)
    x = scattered(domain, 24, 0).reshape(2, 3, 4, 4)
    alone = torch.stack([domain.project(point) for point in x.reshape(-1, 4)]).reshape(x.shape)
    torch.testing.assert_close(domain.project(x), alone, rtol=1e-15, atol=0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NAMES)
def test_a_projection_equals_the_solver_of_scipy(name, seed):
    domain = make_set(name, 4, 1.5, seed)
    x = (2 * normal(4, seed=seed)).numpy()
    low, high = domain.lowest(torch.ones(4, dtype=F64)), domain.lowest(-torch.ones(4, dtype=F64))
    solved = optimize.minimize(
        lambda p: ((p - x) ** 2).sum(),
        domain.points(1, rng_of(seed))[0].numpy(),
        jac=lambda p: 2 * (p - x),
        method="SLSQP",
        bounds={
            "ball": None,
            "box": list(zip(low.tolist(), high.tolist(), strict=True)),
            "simplex": [(0, None)] * 4,
        }[name],
        constraints={
            "ball": [{"type": "ineq", "fun": lambda p: 1.5**2 - (p**2).sum()}],
            "box": [],
            "simplex": [{"type": "eq", "fun": lambda p: p.sum() - 1.5}],
        }[name],
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert solved.success
    np.testing.assert_allclose(
        domain.project(torch.tensor(x)).numpy(), solved.x, atol=1e-5
    )  # sqrt(ftol) = 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_far_point_finds_its_corner_of_the_simplex(dtype):
    far = torch.tensor([[1e9, 0.0, -1e9], [0.0, 1e17, 1.0], [-1e17, -1e17, -1e12]], dtype=dtype)
    corners = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=dtype)
    assert torch.equal(sgd.project_simplex(far), corners)


def test_ends_of_a_box_may_be_numbers_or_tensors():
    x = 3 * normal(5, 2)
    ends = torch.tensor([[-0.5, -2.0], [0.5, 1.0]])  # float32, for a float64 point
    expected = torch.stack([x[:, 0].clamp(-0.5, 0.5), x[:, 1].clamp(-2, 1)], -1)
    assert torch.equal(sgd.project_box(x, *ends), expected)
    assert torch.equal(sgd.project_box(x, -0.25, 2), x.clamp(-0.25, 2))
    assert torch.equal(sgd.project_box(x, 0.5, 0.5), torch.full_like(x, 0.5))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: sgd.project_ball(x, 0.0), r"radius: .*got 0\.0"),
        (lambda x: sgd.project_ball(x, -1.0), r"radius: .*got -1\.0"),
        (lambda x: sgd.project_ball(x, math.nan), "radius: .*got nan"),
        (lambda x: sgd.project_simplex(x, 0.0), r"total: .*got 0\.0"),
        (lambda x: sgd.project_simplex(x, math.inf), "total: .*got inf"),
        (lambda x: sgd.project_box(x, 1.0, -1.0), "low: .*at most high"),
        (lambda x: sgd.project_box(x, torch.tensor([0.0, 2.0]), 1.0), "low: .*at most high"),
        (lambda x: sgd.project_box(x, math.nan, 1.0), "low: .*got nan"),
    ],
)
def test_a_set_that_is_none_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.zeros(3, 2, dtype=F64))


# Losses

LOSSES = {"absolute": sgd.absolute_loss, "hinge": sgd.hinge_loss, "logistic": sgd.logistic_loss}
KINDS = pytest.mark.parametrize("kind", list(LOSSES))


def data(kind: str, rows: int = 40, dim: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    a, b = normal(rows, dim, seed=seed), normal(rows, seed=seed + 1)
    return a, b if kind == "absolute" else b.sign()


def written_out(kind: str, a: Tensor, b: Tensor, theta: Tensor) -> Tensor:
    """The loss of one row by its definition, (seeds,)."""
    inner = (a * theta).sum(-1)
    if kind == "absolute":
        return (inner - b).abs()
    return (1 - b * inner).relu() if kind == "hinge" else torch.log1p(torch.exp(-b * inner))


@KINDS
def test_a_loss_and_its_subgradient_are_those_of_autograd(kind):
    a, b = data(kind)
    theta = normal(6, 3, seed=5)
    for row in range(40):
        value, gradient = LOSSES[kind](a, b)(theta, torch.tensor(row))
        free = theta.clone().requires_grad_()
        expected = written_out(kind, a[row], b[row], free)
        torch.testing.assert_close(value, expected.detach(), rtol=1e-12, atol=1e-14)
        (slope,) = torch.autograd.grad(expected.sum(), free)
        torch.testing.assert_close(gradient, slope, rtol=1e-12, atol=1e-14)


@KINDS
def test_rows_for_each_seed_and_many_rows_at_once(kind):
    a, b = data(kind)
    loss, theta, rows = (
        LOSSES[kind](a, b),
        normal(4, 3, seed=5),
        torch.randint(40, (7, 4), generator=rng_of(1)),
    )
    value, gradient = loss(theta, rows)
    assert value.shape == (7, 4)
    assert gradient.shape == (7, 4, 3)
    for t in range(7):
        for seed in range(4):
            one, slope = loss(theta[seed], rows[t, seed])
            torch.testing.assert_close(value[t, seed], one, rtol=1e-13, atol=1e-15)
            torch.testing.assert_close(gradient[t, seed], slope, rtol=1e-13, atol=1e-15)


@KINDS
@given(SEEDS, st.floats(0.01, 100))
def test_a_loss_lies_above_each_of_its_tangents(kind, seed, scale):
    a, b = data(kind, seed=seed)
    loss, rows = LOSSES[kind](a, b), torch.arange(40)
    here, there = scale * normal(2, 40, 3, seed=seed + 2)
    value, gradient = loss(here, rows)
    tangent = value + ((there - here) * gradient).sum(-1)
    assert (loss(there, rows)[0] >= tangent - 1e-13 * (1 + 10 * scale)).all()
    assert (gradient.norm(dim=-1) <= a.norm(dim=-1) * (1 + 1e-15)).all()


@pytest.mark.parametrize("margin", [-20.001, -19.999, -25.0])
def test_the_logistic_loss_keeps_its_tail(margin):
    one = torch.ones(1, 1, dtype=F64)
    value, _ = sgd.logistic_loss(one, one[0])(margin * one, torch.tensor([0]))
    assert value.item() == pytest.approx(-margin + math.exp(margin), rel=1e-15)


@pytest.mark.parametrize("margin", [-1e4, 1e4])
def test_logistic_loss_far_out_is_finite(margin):
    value, gradient = sgd.logistic_loss(torch.ones(1, 1), torch.ones(1))(
        torch.tensor([[float(margin)]]), torch.tensor(0)
    )
    assert value.item() == pytest.approx(max(-margin, 0))
    assert gradient.item() == pytest.approx(-1 if margin < 0 else 0)


# The algorithm


def rows_of(steps: int, rows: int = 40, seed: int = 3) -> Tensor:
    return torch.randint(rows, (steps,), generator=rng_of(seed))


def numpy_loop(kind: str, a, b, rows, theta, etas, radius: float) -> tuple[list, np.ndarray]:
    losses, points = [], [theta]
    for i, eta in zip(rows, etas, strict=True):
        inner = theta @ a[i]
        if kind == "absolute":
            value, factor = np.abs(inner - b[i]), np.sign(inner - b[i])
        elif kind == "hinge":
            value, factor = np.maximum(0, 1 - b[i] * inner), -b[i] * (b[i] * inner < 1)
        else:
            value, factor = np.log1p(np.exp(-b[i] * inner)), -b[i] / (1 + np.exp(b[i] * inner))
        losses.append(value)
        theta = theta - eta * factor[:, None] * a[i]
        theta = theta * np.minimum(1, radius / np.linalg.norm(theta, axis=1, keepdims=True))
        points.append(theta)
    return losses, np.stack(points)


@KINDS
def test_a_run_equals_a_plain_loop(kind):
    a, b = data(kind)
    rows, theta0 = rows_of(60), sgd.project_ball(normal(5, 3, seed=4), 0.8)
    etas = 0.7 / torch.arange(1, 61, dtype=F64).sqrt()
    run = projected_sgd(
        LOSSES[kind](a, b), rows, theta0, etas, lambda x: sgd.project_ball(x, 0.8), trajectory=True
    )
    losses, points = numpy_loop(kind, *(x.numpy() for x in (a, b, rows, theta0, etas)), 0.8)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(run.trajectory, points, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(run.last, points[-1], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(run.average, points[:-1].mean(0), rtol=1e-12, atol=1e-13)
    assert (np.linalg.norm(points, axis=-1) > 0.8 - 1e-9).any()  # the ball was in the way
    assert (np.linalg.norm(points, axis=-1) < 0.7).any()


@KINDS
def test_a_run_equals_torch_optim_and_autograd(kind):
    a, b = data(kind)
    rows, theta0 = rows_of(60), sgd.project_ball(normal(5, 3, seed=4))
    etas = 0.7 / torch.arange(1, 61, dtype=F64).sqrt()
    run = projected_sgd(LOSSES[kind](a, b), rows, theta0, etas, sgd.project_ball, trajectory=True)
    theta = theta0.clone().requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=1.0)
    for t in range(60):
        optimizer.param_groups[0]["lr"] = etas[t].item()
        optimizer.zero_grad()
        value = written_out(kind, a[rows[t]], b[rows[t]], theta)
        torch.testing.assert_close(run.losses[t], value.detach(), rtol=0, atol=1e-12)
        value.sum().backward()
        torch.testing.assert_close(run.gradient_norms[t], theta.grad.norm(dim=-1), rtol=0, atol=1e-12)
        optimizer.step()
        with torch.no_grad():
            theta /= theta.norm(dim=-1, keepdim=True).clamp(min=1)
        torch.testing.assert_close(run.trajectory[t + 1], theta.detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("steps", [10, 37, 200])
@pytest.mark.parametrize(("kind", "name"), [("hinge", "hinge"), ("logistic", "log_loss")])
def test_a_run_in_row_order_equals_sklearn(kind, name, steps):
    """sklearn counts t from 1: its first step is eta0. It does not project. Its `average=True` is the mean of
    the points after each update, ours that of the points where the losses were met: one index apart."""
    a, b = data(kind, 200)
    etas = 0.5 / torch.arange(1, steps + 1, dtype=F64).sqrt()
    run = projected_sgd(
        LOSSES[kind](a, b), torch.arange(steps), torch.zeros(1, 3, dtype=F64), etas, trajectory=True
    )
    for average, expected in ((False, run.last), (True, run.trajectory[1:].mean(0))):
        peer = SGDClassifier(
            loss=name,
            penalty=None,
            learning_rate="invscaling",
            eta0=0.5,
            power_t=0.5,
            shuffle=False,
            fit_intercept=False,
            average=average,
            max_iter=1,
            tol=None,
        ).fit(a[:steps].numpy(), b[:steps].numpy())
        np.testing.assert_allclose(expected.numpy(), peer.coef_, rtol=0, atol=1e-6)
    assert (run.average - run.trajectory[1:].mean(0)).abs().max() > 1e-5  # the index matters


def follow(theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """|theta - x| on the line."""
    return (theta - x)[..., 0].abs(), (theta - x).sign()


def test_each_loss_is_met_before_its_own_update():
    one = torch.ones(1, dtype=F64)
    run = projected_sgd(follow, one, torch.zeros(1, 1, dtype=F64), one)
    assert run.losses.item() == 1  # after the update it would be 0
    assert run.average.item() == 0
    assert run.last.item() == 1
    a, b = data("absolute")
    loss, rows = sgd.absolute_loss(a, b), rows_of(30)
    run = projected_sgd(loss, rows, normal(4, 3), torch.full((30,), 0.1, dtype=F64), trajectory=True)
    for t in range(30):
        assert torch.equal(run.losses[t], loss(run.trajectory[t], rows[t])[0])


@KINDS
def test_seeds_do_not_touch_each_other(kind):
    a, b = data(kind)
    loss, rows = LOSSES[kind](a, b), torch.randint(40, (50, 6), generator=rng_of(3))
    theta0, etas = (
        sgd.project_ball(normal(6, 3, seed=4)),
        1.5 * uniform(50, 6).sort(0, descending=True).values,
    )
    for steps in (etas, sgd.adagrad_norm(2.0)):
        run = projected_sgd(loss, rows, theta0, steps, sgd.project_ball, trajectory=True)
        for seed in range(6):
            own = steps[:, [seed]] if isinstance(steps, Tensor) else steps
            alone = projected_sgd(
                loss, rows[:, [seed]], theta0[[seed]], own, sgd.project_ball, trajectory=True
            )
            for together, single in zip(run, alone, strict=True):
                by_point = together is run.average or together is run.last
                column = together[[seed]] if by_point else together[:, [seed]]
                torch.testing.assert_close(column, single, rtol=1e-12, atol=1e-13)


def test_one_list_of_steps_is_that_list_for_every_seed():
    a, b = data("absolute")
    loss, rows, theta0 = sgd.absolute_loss(a, b), rows_of(50), sgd.project_ball(normal(6, 3))
    etas = sgd.decaying(2, 3).steps(50)
    runs = [
        projected_sgd(loss, rows, theta0, steps, sgd.project_ball, trajectory=True)
        for steps in (etas, etas[:, None].expand(-1, 6))
    ]
    for other in runs[1:]:
        assert all(torch.equal(x, y) for x, y in zip(runs[0], other, strict=True))
    assert torch.equal(runs[0].step_sizes, etas[:, None].expand(-1, 6))


def test_a_rule_is_told_the_squares_of_all_gradients_with_the_present_one():
    a, b = data("logistic")
    told = []

    def rule(squares: Tensor) -> Tensor:
        told.append(squares)
        return 1 / (1 + squares)

    run = projected_sgd(sgd.logistic_loss(a, b), rows_of(20), normal(4, 3), rule, trajectory=True)
    torch.testing.assert_close(torch.stack(told), run.gradient_norms.square().cumsum(0))
    assert torch.equal(run.step_sizes, torch.stack([1 / (1 + squares) for squares in told]))
    moved = (run.trajectory[1:] - run.trajectory[:-1]).norm(dim=-1)
    torch.testing.assert_close(moved, run.step_sizes * run.gradient_norms)


@pytest.mark.parametrize("steps", [sgd.decaying(2, 3).steps(50), sgd.adagrad_norm(2.0)])
def test_to_keep_the_trajectory_changes_nothing_else(steps):
    a, b = data("absolute")
    theta0 = sgd.project_ball(normal(6, 3))
    kept = theta0.clone()
    short, long = (
        projected_sgd(sgd.absolute_loss(a, b), rows_of(50), theta0, steps, sgd.project_ball, trajectory=kept_)
        for kept_ in (False, True)
    )
    assert torch.equal(theta0, kept)
    assert all(torch.equal(x, y) for x, y in zip(short[:3], long[:3], strict=True))
    assert short[3:] == (None, None, None)
    assert [x.shape for x in long[3:]] == [(51, 6, 3), (50, 6), (50, 6)]
    assert torch.equal(long.trajectory[0], theta0)
    assert torch.equal(long.trajectory[-1], long.last)
    torch.testing.assert_close(long.average, long.trajectory[:-1].mean(0))


def test_a_single_step_is_a_run():
    a, b = data("logistic")
    run = projected_sgd(sgd.logistic_loss(a, b), rows_of(1), normal(2, 3), torch.ones(1, 2, dtype=F64))
    assert run.losses.shape == (1, 2)
    assert regret_bound(2.0, 1.0, torch.ones(1)).item() == 2.5


@KINDS
def test_float32_stays_float32_and_close_to_float64(kind):
    a, b = data(kind)
    etas, theta0 = sgd.decaying(2, 3).steps(50), sgd.project_ball(normal(6, 3))
    for steps in (etas, sgd.adagrad_norm(2.0)):
        double = projected_sgd(
            LOSSES[kind](a, b), rows_of(50), theta0, steps, sgd.project_ball, trajectory=True
        )
        single = projected_sgd(
            LOSSES[kind](a.float(), b.float()),
            rows_of(50),
            theta0.float(),
            steps,  # float64: they take the type of theta
            lambda x: sgd.project_ball(x),
            trajectory=True,
        )
        for x32, x64 in zip(single, double, strict=True):
            assert x32.dtype == torch.float32
            assert x64.dtype == F64
            # 50 steps of rounding 6e-8; a sign that flips would be 0.1
            torch.testing.assert_close(x32.double(), x64, rtol=1e-4, atol=1e-4)
    for name in NAMES:
        domain = make_set(name, 3, 1.5)
        x = scattered(domain, 20, 0)
        assert domain.project(x.float()).dtype == torch.float32
    best = sgd.best_fixed_point(
        sgd.logistic_loss(a.float(), b.sign().float()),
        rows_of(50)[:, None],
        theta0.float(),
        sgd.project_ball,
        tolerance=1e-3,
    )
    assert best.theta.dtype == best.value.dtype == torch.float32


# Errors


def absolute_run(**changes):
    a, b = data("absolute")
    arguments = {
        "loss": sgd.absolute_loss(a, b),
        "samples": rows_of(4),
        "theta0": torch.zeros(2, 3, dtype=F64),
        "step_sizes": torch.full((4,), 0.1, dtype=F64),
        "projection": sgd.project_ball,
    }
    return projected_sgd(**(arguments | changes))


def steps_with(value: float, at: int) -> Tensor:
    steps = torch.full((4, 2), 0.1, dtype=F64)
    steps[at, 1] = value
    return steps


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step_sizes": torch.tensor([0.1, 0.1, 0.0, 0.0])}, r"step_sizes: .*positive.* got 0\.0 at step 3"),
        ({"step_sizes": steps_with(-0.1, 3)}, r"step_sizes: .*positive.* -0\.1\] at step 4"),
        ({"step_sizes": steps_with(math.nan, 0)}, r"step_sizes: .*positive.* nan\] at step 1"),
        ({"step_sizes": steps_with(math.inf, 1)}, r"step_sizes: .*positive.* inf\] at step 2"),
        ({"step_sizes": torch.tensor(1.0)}, r"step_sizes: .*4 samples.*shape \(\)"),
        ({"step_sizes": torch.ones(3)}, r"step_sizes: .*4 samples.*shape \(3,\)"),
        ({"step_sizes": torch.ones(5)}, r"step_sizes: .*4 samples.*shape \(5,\)"),
        ({"step_sizes": torch.ones(4, 3)}, r"step_sizes: .*\(4, 2\), got \(4, 3\)"),
        ({"step_sizes": torch.ones(4, 2, 1)}, r"step_sizes: .*\(4, 2\), got \(4, 2, 1\)"),
        ({"samples": rows_of(0), "step_sizes": torch.ones(0)}, "samples: .*at least one"),
        ({"samples": rows_of(0), "step_sizes": sgd.adagrad_norm(1.0)}, "samples: .*at least one"),
        ({"theta0": torch.tensor([[0, 0, 0], [0, 0, 2.0]])}, r"theta0: seed 1 .*outside.* 1 from"),
        ({"theta0": torch.tensor([[0, 0, 0], [0, 0, math.nan]])}, "theta0: .*finite"),
        ({"theta0": torch.tensor([[0, 0, math.inf]]), "projection": None}, "theta0: .*finite"),
        ({"theta0": torch.zeros(3)}, r"theta0: .*\(seeds, dim\), got \(3,\)"),
        ({"loss": lambda theta, _: (theta, theta)}, r"loss: .*\(2,\).*\(2, 3\), got \(2, 3\)"),
        ({"loss": lambda theta, _: (theta[:, 0], theta[:, 0])}, r"loss: .*got \(2,\) and \(2,\)"),
        ({"loss": lambda theta, _: (theta[:, :1], theta)}, r"loss: .*got \(2, 1\) and \(2, 3\)"),
    ],
)
def test_a_bad_run_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        absolute_run(**changes)


def breaks(value: float, *, at: int, gradient: bool) -> Callable:
    """A loss that is not finite at one sample, for the second seed: its value or its subgradient."""

    def loss(theta: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes = theta.sum(-1), torch.ones_like(theta)
        if sample == at:
            (slopes if gradient else values)[1] = value
        return values, slopes

    return loss


@pytest.mark.parametrize("projection", [None, sgd.project_ball, sgd.project_box, sgd.project_simplex])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_value_that_is_not_finite_names_its_step(projection, value, at):
    theta0 = torch.full((2, 3), 1 / 3, dtype=F64)
    with pytest.raises(FloatingPointError, match=f"loss: not finite at step {at}"):
        absolute_run(
            loss=breaks(value, at=at, gradient=False),
            samples=torch.arange(1, 5),
            theta0=theta0,
            projection=projection,
        )


@pytest.mark.parametrize("projection", [None, sgd.project_ball, sgd.project_box, sgd.project_simplex])
@pytest.mark.parametrize(
    ("at", "words"),
    [
        (1, "loss: not finite at step 2, or a subgradient was just before it"),
        (3, "loss: not finite at step 4, or a subgradient was just before it"),
        (4, "loss: the subgradient at step 4 is not finite"),
    ],
)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_subgradient_that_is_not_finite_names_its_step(projection, at, words, value):
    theta0 = torch.full((2, 3), 1 / 3, dtype=F64)
    with pytest.raises(FloatingPointError, match=words):
        absolute_run(
            loss=breaks(value, at=at, gradient=True),
            samples=torch.arange(1, 5),
            theta0=theta0,
            projection=projection,
        )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda squares: -squares, r"step_sizes: .* at step 1"),
        (lambda squares: squares / 0 * squares, r"step_sizes: .* at step 1"),
        (lambda squares: squares[:1], r"step_sizes: expected 2 numbers .* at step 1"),
        (lambda squares: torch.where(squares > 1e3, -1.0, 1.0), r"step_sizes: .* at step 3"),
    ],
    ids=["negative", "not finite", "too few", "negative later"],
)
def test_what_a_rule_returns_is_checked_at_every_step(rule, words, unchecked):
    a = torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [100.0, 0, 0], [1.0, 0, 0]], dtype=F64)
    loss = sgd.absolute_loss(a, torch.ones(4, dtype=F64))
    with pytest.raises(ValueError, match=words):
        absolute_run(loss=loss, samples=torch.arange(4), step_sizes=rule)


@pytest.mark.parametrize("steps", [[0.1, 0.1, 0.1, 0.1], 0.1, None])
def test_steps_that_are_no_tensor_are_refused_by_type(steps, unchecked):
    with pytest.raises(TypeError, match="step_sizes: expected a tensor"):
        absolute_run(step_sizes=steps)
    if isinstance(steps, list):
        with pytest.raises(TypeError, match="step_sizes: expected a tensor"):
            regret_bound(1.0, 1.0, steps)


def test_an_infinite_point_has_no_projection():
    x = torch.tensor([[math.inf, 0.3, 0.2], [0.1, -math.inf, 0.2]], dtype=F64)
    for project in (sgd.project_ball, sgd.project_box, sgd.project_simplex):
        assert project(x).isnan().any(-1).all()


GROWING = torch.tensor([0.3, 0.2, 0.2, 0.25], dtype=F64)


def test_growing_steps_are_warned_of_and_have_no_first_bound():
    for steps in (GROWING, torch.stack([torch.ones(4, dtype=F64), GROWING], 1)):
        with pytest.warns(AssumptionWarning, match=r"step_sizes: they grow at step 4, .*regret_bound"):
            absolute_run(step_sizes=steps)
        with pytest.raises(ValueError, match=r"step_sizes: they grow at step 4, .*weighted_average_bound"):
            regret_bound(1.0, 1.0, steps)
    spent = GROWING.cumsum(0)
    expected = (4 + 9 * GROWING.square().cumsum(0)) / (2 * spent)
    torch.testing.assert_close(sgd.weighted_average_bound(2.0, 3.0, GROWING), expected)


def test_the_warning_points_at_the_caller():
    a, b = data("absolute")
    with pytest.warns(AssumptionWarning) as caught:
        inspect.unwrap(projected_sgd)(
            sgd.absolute_loss(a, b), rows_of(4), torch.zeros(1, 3, dtype=F64), GROWING
        )
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_steps_that_stay_equal_are_not_warned_of():
    absolute_run()
    absolute_run(step_sizes=sgd.doubling(2.0, 3.0).steps(4))
    absolute_run(step_sizes=sgd.adagrad_norm(2.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: regret_bound(0.0, 1.0, torch.ones(2)), "diameter: .*got 0"),
        (lambda: regret_bound(1.0, -1.0, torch.ones(2)), "gradient: .*got -1"),
        (lambda: regret_bound(1.0, 1.0, torch.tensor([1.0, 0.0])), "step_sizes: .*at step 2"),
        (lambda: regret_bound(1.0, 1.0, torch.ones(0)), "step_sizes: .*at least one"),
        (lambda: sgd.weighted_average_bound(math.nan, 1.0, torch.ones(2)), "distance: .*got nan"),
        (lambda: sgd.weighted_average_bound(-1.0, 1.0, torch.ones(2)), "distance: .*got -1"),
        (lambda: sgd.weighted_average_bound(1.0, math.inf, torch.ones(2)), "gradient: .*got inf"),
        (lambda: sgd.weighted_average_bound(1.0, 1.0, -torch.ones(2)), "step_sizes: .*at step 1"),
        (lambda: sgd.constant(0.0, 1.0), "diameter"),
        (lambda: sgd.constant(1.0, 0.0), "gradient"),
        (lambda: sgd.decaying(1.0, math.nan), "gradient"),
        (lambda: sgd.decaying(1.0, 1.0, 0.0), "alpha"),
        (lambda: sgd.doubling(-1.0, 1.0), "diameter"),
        (lambda: sgd.strongly_convex(0.0, 1.0), "curvature"),
        (lambda: sgd.strongly_convex(1.0, 0.0), "gradient"),
        (lambda: sgd.adagrad_norm(0.0), "diameter"),
    ],
)
def test_a_bad_constant_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# Regret


@pytest.mark.usefixtures("unchecked")
def test_regret_refuses_a_comparator_of_another_shape():
    with pytest.raises(ValueError, match=r"comparator: .*\(4, 2\), got \(4,\)"):
        average_regret(torch.zeros(4, 2), torch.zeros(4))


@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 3, 2)])
def test_regret_is_the_running_mean_of_differences(shape):
    losses, comparator = normal(*shape), normal(*shape, seed=1)
    found = average_regret(losses, comparator)
    expected = np.stack([(losses - comparator)[: t + 1].mean(0) for t in range(7)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 3)])  # as many seeds as steps: nothing may be swapped
def test_weights_weigh_steps(shape):
    losses, comparator, weights = normal(3, 3), normal(3, 3, seed=1), uniform(*shape)
    found = average_regret(losses, comparator, weights)
    full = (weights.reshape(3, -1) if len(shape) == 1 else weights).expand(3, 3).numpy()
    gaps = (losses - comparator).numpy()
    expected = np.stack([np.average(gaps[: t + 1], 0, full[: t + 1]) for t in range(3)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


# The bound. Losses are drawn for each seed and step: linear, absolute, hinge and logistic, mixed.


def mixed_losses(steps: int, seeds: int, dim: int, gradient: float, size: float, seed: int):
    """(loss, samples): no subgradient is longer than `gradient`, and some are that long."""
    rng = rng_of(seed)
    a = normal(steps, seeds, dim, seed=rng) + normal(1, seeds, dim, seed=rng)
    a = a / a.norm(dim=-1, keepdim=True) * gradient
    a = a * torch.where(uniform(steps, seeds, 1, seed=rng) < 0.3, uniform(steps, seeds, 1, seed=rng), 1.0)
    b = size * gradient * normal(steps, seeds, seed=rng)
    kind = torch.randint(4, (steps, seeds), generator=rng)
    hinge_at = torch.where(uniform(steps, seeds, seed=rng) < 0.5, 1.0, b.abs())

    def loss(theta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        inner = (a[t] * theta).sum(-1)
        error, short, k = inner - b[t], hinge_at[t] - inner, kind[t]
        values = [inner, error.abs(), short.relu(), torch.nn.functional.softplus(-inner)]
        slopes = [torch.ones_like(inner), error.sign(), -(short > 0).to(inner), -torch.sigmoid(-inner)]

        def pick(choices: list[Tensor]) -> Tensor:
            return torch.stack(choices).gather(0, k[None])[0]

        return pick(values), pick(slopes).unsqueeze(-1) * a[t]

    return loss, torch.arange(steps)


def schedule_steps(name: str, diameter: float, gradient: float, steps: int, seeds: int, seed: int) -> Tensor:
    unit = diameter / gradient
    if name == "sorted":
        draws = unit * 10 ** (4 * uniform(steps, seeds, seed=seed) - 3)
        return draws.sort(0, descending=True).values
    if name == "decaying":
        alpha = unit * 10 ** (3 * uniform(1, seed=seed).item() - 1.5)
        return sgd.decaying(diameter, gradient, alpha).steps(steps)
    return {"constant": sgd.constant, "doubling": sgd.doubling}[name](diameter, gradient).steps(steps)


SCHEDULES = ["constant", "decaying", "doubling", "sorted"]
ROUNDING = 1 + 1e-12


@settings(max_examples=40)
@given(sets, st.sampled_from(SCHEDULES), st.floats(0.01, 100), st.integers(1, 80), SEEDS)
def test_regret_stays_below_the_bound(domain, name, gradient, steps, seed):
    seeds, dim = 30, dim_of(domain)
    loss, samples = mixed_losses(steps, seeds, dim, gradient, domain.diameter, seed)
    etas = schedule_steps(name, domain.diameter, gradient, steps, seeds, seed)
    run = projected_sgd(
        loss, samples, domain.points(seeds, rng_of(seed)), etas, domain.project, trajectory=True
    )
    assert run.gradient_norms.max() <= gradient * ROUNDING
    bound = regret_bound(domain.diameter, gradient, etas).reshape(steps, -1)
    slopes = (loss(run.trajectory[t], samples[t])[1] for t in range(steps))
    rivals = [
        *(domain.points(seeds, rng_of(seed + i)) for i in range(1, 5)),
        domain.project(run.average),
        domain.project(run.last),
        domain.lowest(sum(slopes)),
    ]
    for rival in rivals:
        comparator = torch.stack([loss(rival, t)[0] for t in samples])
        assert (average_regret(run.losses, comparator) <= bound * ROUNDING).all()


def adversary(kind: str, gradient: float, seed: int) -> tuple[Callable, list[Tensor]]:
    """Linear losses <g_t, theta> whose g_t may depend on the run so far; the list fills with them."""
    rng, met = rng_of(seed), []

    def loss(theta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        random = normal(*theta.shape, seed=rng)
        direction = {
            "random": random,
            "against the point": theta + 1e-9 * random,  # the loss of where it stands is as high as can be
            "off and back": random + 30 * torch.sin(t / 3) * torch.ones_like(theta),
            "onwards": torch.ones_like(theta) + 0.1 * random,
            "one sign each": random.abs() * random[:, :1].sign(),
        }[kind]
        g = gradient * direction / direction.norm(dim=-1, keepdim=True)
        met.append(g)
        return (g * theta).sum(-1), g

    return loss, met


KINDS_OF_ADVERSARY = ["random", "against the point", "off and back", "onwards", "one sign each"]


def worst_regret(domain: Set, run: sgd.Run, met: list[Tensor]) -> Tensor:
    """The regret against the best fixed point of each prefix, (steps, seeds); exact for linear losses."""
    total = torch.stack(met).cumsum(0)
    least = (total * domain.lowest(total)).sum(-1)
    t = torch.arange(1, len(met) + 1, dtype=F64)[:, None]
    regret = average_regret(run.losses, torch.zeros_like(run.losses)) - least / t
    best_of_all = domain.lowest(total[-1])
    comparator = (torch.stack(met) * best_of_all).sum(-1)
    torch.testing.assert_close(average_regret(run.losses, comparator)[-1], regret[-1])
    return regret


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
@settings(max_examples=25)
@given(sets, st.sampled_from(SCHEDULES), st.floats(0.01, 100), st.integers(1, 80), SEEDS)
def test_no_adversary_gets_above_the_bound_at_any_time(kind, domain, name, gradient, steps, seed):
    loss, met = adversary(kind, gradient, seed)
    etas = schedule_steps(name, domain.diameter, gradient, steps, 30, seed)
    run = projected_sgd(loss, torch.arange(steps), domain.points(30, rng_of(seed)), etas, domain.project)
    bound = regret_bound(domain.diameter, gradient, etas).reshape(steps, -1)
    assert (worst_regret(domain, run, met) <= bound * ROUNDING).all()


@pytest.mark.parametrize("name", SCHEDULES)
def test_zero_of_1280_sequences_on_an_interval_exceed_the_bound(name, record_property):
    """On the line the best fixed point of losses with kinks is a kink or an end: none is left out."""
    steps, seeds, gradient, domain = 60, 1280, 1.5, ball(1, 2.0)
    rng = rng_of(7)
    a = gradient * torch.where(uniform(steps, seeds, seed=rng) < 0.5, 1.0, uniform(steps, seeds, seed=rng))
    a = a * normal(steps, seeds, seed=rng).add(normal(seeds, seed=rng)).sign()
    b, hinge = a * 4 * normal(steps, seeds, seed=rng), uniform(steps, seeds, seed=rng) < 0.5

    def loss(theta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        error = a[t] * theta[..., 0] - b[t]
        slope = torch.where(hinge[t], (error > 0).to(F64), error.sign())
        return torch.where(hinge[t], error.relu(), error.abs()), (slope * a[t]).unsqueeze(-1)

    etas = schedule_steps(name, domain.diameter, gradient, steps, seeds, 0)
    if name == "decaying":
        etas = sgd.decaying(domain.diameter, gradient).steps(steps)
    run = projected_sgd(loss, torch.arange(steps), domain.points(seeds, rng), etas, domain.project)
    bound = regret_bound(domain.diameter, gradient, etas).reshape(steps, -1)
    worst = torch.zeros(steps, seeds, dtype=F64)
    for rival in (*(b / a).clamp(-2, 2), *torch.tensor([-2.0, 2.0], dtype=F64)[:, None].expand(-1, seeds)):
        comparator = torch.stack([loss(rival.unsqueeze(-1), t)[0] for t in range(steps)])
        worst = torch.maximum(worst, average_regret(run.losses, comparator) / bound)
    record_property("measured", f"SGD, {name}: regret is at most {worst.max():.3f} of the bound")
    assert (worst <= ROUNDING).all()
    assert worst.max() > 0.3  # the losses are hard enough for a bound 4 times too small to fail


@pytest.mark.parametrize("name", SCHEDULES)
def test_regret_against_the_best_of_smooth_losses_stays_below_the_bound(name):
    steps, seeds = 40, 50
    a, b = data("logistic", 300, 4)
    rows = torch.randint(300, (steps, seeds), generator=rng_of(1))
    gradient, domain = a.norm(dim=-1).max().item(), ball(4, 1.5)
    etas = schedule_steps(name, domain.diameter, gradient, steps, seeds, 0)
    start = domain.points(seeds, rng_of(0))
    loss = sgd.logistic_loss(a, b)
    run = projected_sgd(loss, rows, start, etas, domain.project)
    best = sgd.best_fixed_point(loss, rows, start, domain.project)
    regret = average_regret(run.losses, loss(best.theta, rows)[0])
    assert (regret <= regret_bound(domain.diameter, gradient, etas).reshape(steps, -1) * ROUNDING).all()
    rival = loss(domain.points(seeds, rng_of(5)), rows)[0]
    assert (regret[-1] >= average_regret(run.losses, rival)[-1] - 1e-7).all()


@settings(max_examples=40)
@given(st.integers(1, 6), st.floats(0.01, 100), st.floats(0.01, 100), st.integers(1, 80), SEEDS)
@pytest.mark.filterwarnings("ignore::explainers.sgd.AssumptionWarning")
def test_weighted_regret_stays_below_its_bound_for_any_steps_without_a_set(
    dim, gradient, distance, steps, seed
):
    seeds = 30
    etas = distance / gradient * 10 ** (4 * uniform(steps, seeds, seed=seed) - 3)
    start = distance * normal(seeds, dim, seed=seed)
    away = normal(seeds, dim, seed=seed + 1)
    rival = start + distance * away / away.norm(dim=-1, keepdim=True)
    loss, samples = mixed_losses(steps, seeds, dim, gradient, distance, seed)
    for one, weights in ((etas, etas), (etas[:, 0], etas[:, 0])):
        run = projected_sgd(loss, samples, start, one)
        comparator = torch.stack([loss(rival, t)[0] for t in samples])
        regret = average_regret(run.losses, comparator, weights)
        bound = sgd.weighted_average_bound(distance * ROUNDING, gradient, one).reshape(steps, -1)
        assert (regret <= bound * ROUNDING).all()


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::explainers.sgd.AssumptionWarning")
def test_weighted_regret_stays_below_its_bound_in_a_set(name, kind):
    domain, steps = make_set(name, 3, 2.0), 100
    loss, met = adversary(kind, 1.5, 0)
    etas = 10 ** (2 * uniform(steps, seed=1) - 2)
    run = projected_sgd(loss, torch.arange(steps), domain.points(64, rng_of(0)), etas, domain.project)
    total = (etas[:, None, None] * torch.stack(met)).cumsum(0)
    least = (total * domain.lowest(total)).sum(-1) / etas.cumsum(0)[:, None]
    regret = average_regret(run.losses, torch.zeros_like(run.losses), etas) - least
    # no point of the set is farther from the start than its diameter
    assert (regret <= sgd.weighted_average_bound(domain.diameter, 1.5, etas)[:, None] * ROUNDING).all()


def slope_one(theta: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
    return theta[..., 0] + 0 * sample, torch.ones_like(theta)


def test_growing_steps_break_the_first_bound_and_not_the_second():
    """The loss theta on [0, 1], from 1: 99 steps of 1e-6, then one of 1."""
    etas = torch.tensor([1e-6] * 99 + [1.0], dtype=F64)
    with pytest.warns(AssumptionWarning):
        run = projected_sgd(
            slope_one,
            torch.zeros(100, dtype=F64),
            torch.ones(1, 1, dtype=F64),
            etas,
            lambda x: sgd.project_box(x, 0, 1),
        )
    regret = average_regret(run.losses, torch.zeros(100, 1, dtype=F64))[-1, 0]
    formula = 1 / (2 * 100 * etas[-1]) + etas.sum() / (2 * 100)
    assert regret > 0.9999
    assert formula < 0.0101
    with pytest.raises(ValueError, match="step 100"):
        regret_bound(1.0, 1.0, etas)
    weighted = average_regret(run.losses, torch.zeros(100, 1, dtype=F64), etas)[:, 0]
    assert (weighted <= sgd.weighted_average_bound(1.0, 1.0, etas) * ROUNDING).all()


def test_a_walk_straight_across_attains_both_bounds():
    """One step of size D / G from one end to the other: no smaller bound would be true."""

    def loss(theta: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        return 3 * theta[..., 0], 3 * torch.ones_like(theta)

    run = projected_sgd(loss, torch.zeros(1), torch.ones(1, 1, dtype=F64), torch.tensor([2 / 3], dtype=F64))
    regret = average_regret(run.losses, torch.tensor([[-3.0]], dtype=F64)).item()
    assert run.last.item() == pytest.approx(-1)
    assert regret == pytest.approx(regret_bound(2.0, 3.0, torch.tensor([2 / 3])).item())
    assert regret == pytest.approx(sgd.weighted_average_bound(2.0, 3.0, torch.tensor([2 / 3])).item())


def test_the_bounds_are_their_formulas():
    etas = uniform(30, 4).sort(0, descending=True).values
    for t in (1, 2, 17, 30):
        first = 4 / (2 * t * etas[t - 1]) + 9 / (2 * t) * etas[:t].sum(0)
        second = (4 + 9 * (etas[:t] ** 2).sum(0)) / (2 * etas[:t].sum(0))
        torch.testing.assert_close(regret_bound(2.0, 3.0, etas)[t - 1], first)
        torch.testing.assert_close(sgd.weighted_average_bound(2.0, 3.0, etas)[t - 1], second)
    torch.testing.assert_close(regret_bound(2.0, 3.0, etas[:, 0]), regret_bound(2.0, 3.0, etas)[:, 0])


# Schedules

horizons = st.integers(1, 3000)
sizes = st.floats(1e-3, 1e3)


@given(sizes, sizes, horizons)
def test_the_closed_form_of_constant_steps_is_the_bound(diameter, gradient, T):
    schedule = sgd.constant(diameter, gradient)
    steps = schedule.steps(T)
    assert steps.shape == (T,)
    assert steps.unique().numel() == 1
    bound = regret_bound(diameter, gradient, steps)[-1].item()
    assert schedule.bound(T) == pytest.approx(bound, rel=1e-12)
    assert schedule.bound(T) == pytest.approx(diameter * gradient / math.sqrt(T), rel=1e-12)
    for factor in (0.9, 1.1):  # no other constant step has a smaller one
        assert regret_bound(diameter, gradient, factor * steps)[-1] > bound * 1.004


@given(sizes, sizes, horizons, st.none() | st.floats(1e-3, 1e3))
def test_the_closed_form_of_decaying_steps_is_above_the_bound_by_the_slack_of_the_root_sum(
    diameter, gradient, T, alpha
):
    schedule = sgd.decaying(diameter, gradient, alpha)
    alpha = alpha or diameter / (math.sqrt(2) * gradient)
    roots = np.arange(1, T + 1) ** -0.5
    np.testing.assert_allclose(schedule.steps(T), alpha * roots, rtol=1e-14)
    bound = regret_bound(diameter, gradient, schedule.steps(T))[-1].item()
    slack = gradient**2 * alpha / (2 * T) * (2 * math.sqrt(T) - 1 - roots.sum())
    assert schedule.bound(T) >= bound * (1 - 1e-12)
    assert schedule.bound(T) - bound == pytest.approx(slack, rel=1e-6, abs=1e-12 * bound)
    assert 0 <= slack + 1e-12 <= gradient**2 * alpha / (2 * T) * 0.461 + 2e-12  # 1 + zeta(1/2) = -0.460...


@given(sizes, sizes, horizons)
def test_what_is_said_of_the_factors_of_decaying_steps(diameter, gradient, T):
    unit = diameter * gradient / math.sqrt(T)
    best = sgd.decaying(diameter, gradient)
    assert best.bound(T) < math.sqrt(2) * unit
    assert sgd.decaying(diameter, gradient, diameter / gradient).bound(T) < 1.5 * unit
    zinkevich = diameter**2 * math.sqrt(T) / 2 + (math.sqrt(T) - 1 / 2) * gradient**2
    assert T * sgd.decaying(diameter, gradient, 1.0).bound(T) == pytest.approx(zinkevich, rel=1e-12)
    far = 10**10
    least = diameter * gradient / math.sqrt(far) * math.sqrt(2)
    assert best.bound(far) == pytest.approx(least, rel=1e-4)
    for factor in (0.8, 1.25):
        assert (
            sgd.decaying(diameter, gradient, factor * diameter / (math.sqrt(2) * gradient)).bound(far) > least
        )


def test_doubling_steps_are_those_of_the_horizon_of_their_block():
    steps = sgd.doubling(2.0, 3.0).steps(2**17 + 5)
    blocks = np.array([t.bit_length() - 1 for t in range(1, 2**17 + 6)])
    np.testing.assert_allclose(steps, 2 / (3 * np.sqrt(2.0**blocks)), rtol=1e-14)
    for diameter, gradient in ((2.0, 3.0), (0.7, 0.3), (1e-3, 49.0)):
        for T in (
            *range(1, 70),
            1000,
            4097,
        ):  # rounding that depends on T or on the place made them grow once
            assert (sgd.doubling(diameter, gradient).steps(T).diff() <= 0).all()


@pytest.mark.parametrize(("diameter", "gradient"), [(1.0, 1.0), (2.0, 3.0), (1e-3, 50.0)])
def test_the_bound_of_doubling_holds_at_each_time_up_to_5000(diameter, gradient):
    schedule = sgd.doubling(diameter, gradient)
    claimed = torch.tensor([schedule.bound(T) for T in range(1, 5001)], dtype=F64)
    # restarting the bound of constant steps at each block: D G sqrt(N), and a block that is not over
    blocks = [0.0]
    for block in range(13):
        n, t = 2**block, torch.arange(1, 2**block + 1, dtype=F64)
        eta = diameter / (gradient * math.sqrt(n))
        blocks += (blocks[-1] + diameter**2 / (2 * eta) + gradient**2 / 2 * eta * t).tolist()
    times = torch.arange(1, 5001, dtype=F64)
    assert (torch.tensor(blocks[1:5001], dtype=F64) <= claimed * times).all()
    assert (regret_bound(diameter, gradient, schedule.steps(5000)) <= claimed).all()


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
def test_no_adversary_gets_above_the_bound_of_doubling(kind):
    domain, schedule = ball(1, 1.0), sgd.doubling(2.0, 3.0)
    loss, met = adversary(kind, 3.0, 0)
    steps = schedule.steps(2000)
    start = domain.points(100, rng_of(0))
    run = projected_sgd(loss, torch.arange(2000), start, steps, domain.project)
    claimed = torch.tensor([schedule.bound(T) for T in range(1, 2001)], dtype=F64)
    assert (worst_regret(domain, run, met) <= claimed[:, None]).all()


def test_a_schedule_is_named():
    made = [sgd.constant(1, 1), sgd.decaying(1, 1), sgd.doubling(1, 1), sgd.strongly_convex(1, 1)]
    assert [schedule.name for schedule in made] == ["constant", "decaying", "doubling", "strongly convex"]
    assert all(schedule.steps(1).shape == (1,) for schedule in made)


def quadratic_regret(
    curvature: float, believed: float, targets: Tensor, start: Tensor
) -> tuple[Tensor, Tensor]:
    """Regret on mu/2 |theta - x_t|^2 in the unit ball against the best of each prefix, and the bound."""
    schedule = sgd.strongly_convex(
        believed, 2 * curvature
    )  # no two points of the ball are farther than 2 apart

    def loss(theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return curvature / 2 * (theta - x).square().sum(-1), curvature * (theta - x)

    steps = len(targets)
    run = projected_sgd(loss, targets, start, schedule.steps(steps), sgd.project_ball, trajectory=True)
    assert run.gradient_norms.max() <= 2 * curvature * ROUNDING
    t = torch.arange(1, steps + 1, dtype=F64)[:, None]
    mean = targets.cumsum(0) / t[..., None]
    spread = targets.square().sum(-1).cumsum(0) / t - mean.square().sum(-1)
    regret = average_regret(run.losses, torch.zeros_like(run.losses)) - curvature / 2 * spread
    return regret, torch.tensor([schedule.bound(T) for T in range(1, steps + 1)], dtype=F64)


@settings(max_examples=40)
@given(st.integers(1, 4), st.floats(0.01, 100), st.floats(0.2, 1), st.integers(1, 80), SEEDS)
def test_regret_on_curved_losses_stays_below_their_bound(dim, curvature, belief, steps, seed):
    draws = ball(dim, 1.0).points(steps * 30, rng_of(seed)).reshape(steps, 30, dim)
    jumps = draws / draws.norm(dim=-1, keepdim=True) * draws[:, :, :1].sign()
    for targets in (draws, jumps):
        start = -targets[0]
        regret, bound = quadratic_regret(curvature, belief * curvature, targets, start)
        assert (regret <= bound[:, None] * ROUNDING + 1e-13 * curvature).all()


def test_a_curvature_believed_too_large_breaks_the_bound():
    regret, bound = quadratic_regret(
        1.0, 20.0, torch.ones(100, 1, 1, dtype=F64), -torch.ones(1, 1, dtype=F64)
    )
    assert regret[-1] > 5 * bound[-1]


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
@settings(max_examples=25)
@given(sets, st.integers(1, 80), SEEDS)
def test_adagrad_norm_stays_below_its_bound_without_knowing_a_gradient(kind, domain, steps, seed):
    even, met = adversary(kind, 1.0, seed)
    lengths = 10 ** (6 * uniform(steps, 30, seed=seed) - 3)  # a million times longer, or shorter
    lengths[0] = 0  # and nothing to begin with

    def loss(theta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = even(theta, t)
        met[-1] = lengths[t].unsqueeze(-1) * gradient
        return lengths[t] * value, met[-1]

    rule = sgd.adagrad_norm(domain.diameter)
    start = domain.points(30, rng_of(seed))
    run = projected_sgd(loss, torch.arange(steps), start, rule, domain.project, trajectory=True)
    t = torch.arange(1, steps + 1, dtype=F64)[:, None]
    bound = math.sqrt(2) * domain.diameter * run.gradient_norms.square().cumsum(0).sqrt() / t
    # the value of a loss has rounding errors as large as the point is far from the origin
    rounding = 1e-13 * lengths.cumsum(0) / t * (domain.diameter + start.norm(dim=-1).max())
    assert (worst_regret(domain, run, met) <= bound * ROUNDING + rounding).all()


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("diameter", [1e-3, 1.0, 1e6])
def test_adagrad_norm_waits_for_the_first_gradient(dtype, diameter):
    rule = sgd.adagrad_norm(diameter)
    steps = rule(torch.tensor([0.0, 0.5, 8.0], dtype=dtype))
    torch.testing.assert_close(steps, torch.tensor([0.0, diameter, diameter / 4], dtype=dtype))

    def loss(theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * theta[..., 0], x * torch.ones_like(theta)

    run = projected_sgd(
        loss, torch.tensor([0.0, 0.0, 2.0], dtype=dtype), torch.zeros(1, 1, dtype=dtype), rule
    )
    assert run.last.item() == pytest.approx(-diameter / math.sqrt(2))


# The best fixed point


def squares_loss(a: Tensor, b: Tensor) -> Callable:
    def loss(theta: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        error = (a[row] * theta).sum(-1) - b[row]
        return error.square() / 2, error.unsqueeze(-1) * a[row]

    return loss


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["ball", "box"])
@pytest.mark.parametrize("kind", ["logistic", "squares"])
def test_the_best_fixed_point_is_that_of_scipy(kind, name, seed):
    a, b = data("logistic" if kind == "logistic" else "absolute", 60, 4, seed)
    loss = sgd.logistic_loss(a, b) if kind == "logistic" else squares_loss(a, b)
    domain = ball(4, 0.2) if name == "ball" else box(4, *torch.tensor([[-0.1] * 4, [0.2] * 4], dtype=F64))
    samples = torch.randint(60, (50, 3), generator=rng_of(seed))
    start = domain.points(3, rng_of(seed))
    found = sgd.best_fixed_point(loss, samples, start, domain.project)
    assert domain.holds(found.theta).max() <= 1e-14
    torch.testing.assert_close(found.value, loss(found.theta, samples)[0].mean(0), rtol=1e-14, atol=0)
    for i in range(3):

        def mean(p: np.ndarray, rows: Tensor = samples[:, [i]]) -> tuple[float, np.ndarray]:
            value, gradient = loss(torch.tensor(p[None]), rows)
            return value.mean().item(), gradient.mean((0, 1)).numpy()

        if name == "ball":
            options = {"ftol": 1e-15, "maxiter": 500}
            edge = {"type": "ineq", "fun": lambda p: 0.2**2 - (p**2).sum(), "jac": lambda p: -2 * p}
            solved = optimize.minimize(
                mean, start[i].numpy(), jac=True, method="SLSQP", constraints=[edge], options=options
            )
        else:
            options = {"ftol": 1e-15, "gtol": 1e-12}
            solved = optimize.minimize(
                mean, start[i].numpy(), jac=True, method="L-BFGS-B", bounds=[(-0.1, 0.2)] * 4, options=options
            )
        assert found.value[i].item() == pytest.approx(solved.fun, abs=1e-6)
        # a solver that may step beyond the edge by its own tolerance can be lower by no more than that
        assert found.value[i].item() <= solved.fun + 1e-8


def test_the_best_fixed_point_is_one_for_seeds_with_the_same_samples():
    a, b = data("logistic")
    loss, rows, start = sgd.logistic_loss(a, b), rows_of(50), sgd.project_ball(normal(4, 3))
    for samples in (rows, rows[:, None], rows[:, None].expand(-1, 4)):
        best = sgd.best_fixed_point(loss, samples, start, sgd.project_ball)
        assert best.theta.shape == (4, 3)
        torch.testing.assert_close(best.theta, best.theta[:1].expand(4, -1), rtol=0, atol=1e-6)
        expected = loss(best.theta, rows[:, None])[0].mean(0)
        torch.testing.assert_close(best.value, expected, rtol=1e-14, atol=0)


def test_weights_stand_for_samples_that_occur_many_times():
    a, b = data("logistic", 20)
    counts = torch.randint(1, 9, (20,), generator=rng_of(0))
    start = torch.zeros(2, 3, dtype=F64)
    loss, rows = sgd.logistic_loss(a, b), torch.arange(20)[:, None]
    often = sgd.best_fixed_point(loss, rows.repeat_interleave(counts, 0), start, sgd.project_ball)
    weights = (counts / counts.sum()).to(F64)[:, None]
    weighed = sgd.best_fixed_point(loss, rows, start, sgd.project_ball, weights=weights)
    plain = sgd.best_fixed_point(loss, rows, start, sgd.project_ball)
    torch.testing.assert_close(often.value, weighed.value, rtol=0, atol=1e-7)  # the weights were float32 once
    torch.testing.assert_close(often.theta, weighed.theta, rtol=0, atol=1e-5)
    assert (plain.value - weighed.value).abs().max() > 1e-3


def test_the_best_fixed_point_inside_has_no_slope_and_on_the_edge_points_outwards():
    a, b = data("absolute")
    loss, rows, start = squares_loss(a, b), torch.arange(40)[:, None], torch.zeros(1, 3, dtype=F64)
    inside = sgd.best_fixed_point(loss, rows, start, lambda x: sgd.project_ball(x, 10))
    free = sgd.best_fixed_point(loss, rows, start)
    expected = torch.linalg.lstsq(a, b[:, None]).solution.T
    for found in (inside, free):
        torch.testing.assert_close(found.theta, expected, rtol=0, atol=1e-7)
        assert loss(found.theta, rows)[1].mean(0).norm() < 1e-7
    radius = expected.norm().item() / 2
    edge = sgd.best_fixed_point(loss, rows, start, lambda x: sgd.project_ball(x, radius))
    assert edge.theta.norm().item() == pytest.approx(radius, rel=1e-12)
    assert edge.value > inside.value + 1e-4
    slope = loss(edge.theta, rows)[1].mean(0)
    cosine = torch.nn.functional.cosine_similarity(slope, edge.theta)
    assert cosine.item() == pytest.approx(-1, abs=1e-9)


def test_the_search_is_fast_on_a_narrow_valley():
    """Curvatures from 1 to 100: it takes fewer than 200, and gradient steps without momentum 3,000."""
    scale = torch.logspace(0, 1, 5, dtype=F64)
    a = math.sqrt(5) * torch.diag(scale)
    loss = squares_loss(a, math.sqrt(5) * scale)
    found = sgd.best_fixed_point(
        loss, torch.arange(5), torch.zeros(2, 5, dtype=F64), iterations=250, tolerance=1e-6
    )
    torch.testing.assert_close(found.theta, torch.ones(2, 5, dtype=F64), rtol=0, atol=1e-6)


def test_a_loss_with_kinks_has_no_best_fixed_point_here():
    a, b = data("absolute")
    with pytest.raises(
        RuntimeError, match=r"loss: (no minimum .* 300 iterations|it has a kink); .*smooth convex"
    ):
        sgd.best_fixed_point(
            sgd.absolute_loss(a, b),
            torch.arange(40)[:, None],
            torch.zeros(2, 3, dtype=F64),
            sgd.project_ball,
            iterations=300,
        )


@pytest.mark.parametrize("start", [[5.0, 1000.0], [3.0, 7.0]])
def test_a_kink_that_stops_the_search_at_once_is_no_minimum(start):
    def ridge(theta: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        weights, away = torch.tensor([1.0, 1e-3], dtype=F64), theta - torch.tensor([1000.1, 0.0], dtype=F64)
        return (weights * away.abs()).sum(-1)[None], (weights * away.sign())[None]

    with pytest.raises(RuntimeError, match="loss: it has a kink"):
        sgd.best_fixed_point(ridge, torch.zeros(1), torch.tensor([start], dtype=F64))


def test_the_search_refuses_a_bad_start_and_tolerance():
    a, b = data("logistic")
    loss, rows = sgd.logistic_loss(a, b), torch.arange(40)[:, None]
    with pytest.raises(ValueError, match="theta0: seed 0 starts outside"):
        sgd.best_fixed_point(loss, rows, torch.full((1, 3), 5.0, dtype=F64), sgd.project_ball)
    with pytest.raises(ValueError, match=r"tolerance: .*got 0"):
        sgd.best_fixed_point(loss, rows, torch.zeros(1, 3, dtype=F64), tolerance=0.0)
