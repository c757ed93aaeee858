"""The algorithm against a plain loop, torch.optim and sklearn, and what its batches and its record are."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import SGDClassifier
from torch import Tensor

from explainers import sgd
from explainers.sgd import projected_sgd, regret_bound
from tests.sgd.draws import F64, normal, rng_of, uniform
from tests.sgd.losses import KINDS, LOSSES, data, rows_of, written_out
from tests.sgd.sets import NAMES, make_set, scattered


def numpy_loop(
    kind: str,
    a: np.ndarray,
    b: np.ndarray,
    rows: np.ndarray,
    theta: np.ndarray,
    etas: np.ndarray,
    *,
    radius: float,
) -> tuple[list, np.ndarray]:
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
def test_a_run_equals_a_plain_loop(kind: str) -> None:
    a, b = data(kind)
    rows, theta0 = rows_of(60), sgd.project_ball(normal(5, 3, seed=4), 0.8)
    etas = 0.7 / torch.arange(1, 61, dtype=F64).sqrt()
    run = projected_sgd(
        LOSSES[kind](a, b), rows, theta0, etas, lambda x: sgd.project_ball(x, 0.8), trajectory=True
    )
    assert run.trajectory is not None
    losses, points = numpy_loop(kind, *(x.numpy() for x in (a, b, rows, theta0, etas)), radius=0.8)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(run.trajectory, points, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(run.last, points[-1], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(run.average, points[:-1].mean(0), rtol=1e-12, atol=1e-13)
    assert (np.linalg.norm(points, axis=-1) > 0.8 - 1e-9).any()  # the ball was in the way
    assert (np.linalg.norm(points, axis=-1) < 0.7).any()


@KINDS
def test_a_run_equals_torch_optim_and_autograd(kind: str) -> None:
    a, b = data(kind)
    rows, theta0 = rows_of(60), sgd.project_ball(normal(5, 3, seed=4))
    etas = 0.7 / torch.arange(1, 61, dtype=F64).sqrt()
    run = projected_sgd(LOSSES[kind](a, b), rows, theta0, etas, sgd.project_ball, trajectory=True)
    assert run.trajectory is not None
    assert run.gradient_norms is not None
    theta = theta0.clone().requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=1.0)
    for t in range(60):
        optimizer.param_groups[0]["lr"] = etas[t].item()
        optimizer.zero_grad()
        value = written_out(kind, a[rows[t]], b[rows[t]], theta)
        torch.testing.assert_close(run.losses[t], value.detach(), rtol=0, atol=1e-12)
        torch.autograd.backward(value.sum())
        assert theta.grad is not None
        torch.testing.assert_close(run.gradient_norms[t], theta.grad.norm(dim=-1), rtol=0, atol=1e-12)
        optimizer.step()
        with torch.no_grad():
            theta /= theta.norm(dim=-1, keepdim=True).clamp(min=1)
        torch.testing.assert_close(run.trajectory[t + 1], theta.detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("steps", [10, 37, 200])
@pytest.mark.parametrize(("kind", "name"), [("hinge", "hinge"), ("logistic", "log_loss")])
def test_a_run_in_row_order_equals_sklearn(kind: str, name: str, steps: int) -> None:
    """sklearn counts t from 1: its first step is eta0. It does not project. Its `average=True` is the mean of
    the points after each update, ours that of the points where the losses were met: one index apart."""
    a, b = data(kind, 200)
    etas = 0.5 / torch.arange(1, steps + 1, dtype=F64).sqrt()
    run = projected_sgd(
        LOSSES[kind](a, b), torch.arange(steps), torch.zeros(1, 3, dtype=F64), etas, trajectory=True
    )
    assert run.trajectory is not None
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


def test_each_loss_is_met_before_its_own_update() -> None:
    one = torch.ones(1, dtype=F64)
    run = projected_sgd(follow, one, torch.zeros(1, 1, dtype=F64), one)
    assert run.losses.item() == 1  # after the update it would be 0
    assert run.average.item() == 0
    assert run.last.item() == 1
    a, b = data("absolute")
    loss, rows = sgd.absolute_loss(a, b), rows_of(30)
    run = projected_sgd(loss, rows, normal(4, 3), torch.full((30,), 0.1, dtype=F64), trajectory=True)
    assert run.trajectory is not None
    for t in range(30):
        assert torch.equal(run.losses[t], loss(run.trajectory[t], rows[t])[0])


@KINDS
def test_seeds_do_not_touch_each_other(kind: str) -> None:
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
                assert together is not None
                by_point = together is run.average or together is run.last
                column = together[[seed]] if by_point else together[:, [seed]]
                torch.testing.assert_close(column, single, rtol=1e-12, atol=1e-13)


def test_one_list_of_steps_is_that_list_for_every_seed() -> None:
    a, b = data("absolute")
    loss, rows, theta0 = sgd.absolute_loss(a, b), rows_of(50), sgd.project_ball(normal(6, 3))
    etas = sgd.decaying(2, 3).step_sizes(50)
    runs = [
        projected_sgd(loss, rows, theta0, steps, sgd.project_ball, trajectory=True)
        for steps in (etas, etas[:, None].expand(-1, 6))
    ]
    for other in runs[1:]:
        for x, y in zip(runs[0], other, strict=True):
            assert x is not None
            assert y is not None
            assert torch.equal(x, y)
    assert runs[0].step_sizes is not None
    assert torch.equal(runs[0].step_sizes, etas[:, None].expand(-1, 6))


def test_a_rule_is_told_the_squares_of_all_gradients_with_the_present_one() -> None:
    a, b = data("logistic")
    told: list[Tensor] = []

    def rule(squares: Tensor) -> Tensor:
        told.append(squares)
        return 1 / (1 + squares)

    run = projected_sgd(sgd.logistic_loss(a, b), rows_of(20), normal(4, 3), rule, trajectory=True)
    assert run.trajectory is not None
    assert run.gradient_norms is not None
    assert run.step_sizes is not None
    torch.testing.assert_close(torch.stack(told), run.gradient_norms.square().cumsum(0))
    assert torch.equal(run.step_sizes, torch.stack([1 / (1 + squares) for squares in told]))
    moved = (run.trajectory[1:] - run.trajectory[:-1]).norm(dim=-1)
    torch.testing.assert_close(moved, run.step_sizes * run.gradient_norms)


@pytest.mark.parametrize("steps", [sgd.decaying(2, 3).step_sizes(50), sgd.adagrad_norm(2.0)])
def test_to_keep_the_trajectory_changes_nothing_else(steps: Tensor | sgd.StepRule) -> None:
    a, b = data("absolute")
    theta0 = sgd.project_ball(normal(6, 3))
    before = theta0.clone()
    short, long = (
        projected_sgd(sgd.absolute_loss(a, b), rows_of(50), theta0, steps, sgd.project_ball, trajectory=kept_)
        for kept_ in (False, True)
    )
    assert torch.equal(theta0, before)
    assert all(torch.equal(x, y) for x, y in zip(short[:3], long[:3], strict=True))
    assert short[3:] == (None, None, None)
    assert [x.shape for x in long[3:] if x is not None] == [(51, 6, 3), (50, 6), (50, 6)]
    assert long.trajectory is not None
    assert torch.equal(long.trajectory[0], theta0)
    assert torch.equal(long.trajectory[-1], long.last)
    torch.testing.assert_close(long.average, long.trajectory[:-1].mean(0))


def test_a_single_step_is_a_run() -> None:
    a, b = data("logistic")
    run = projected_sgd(sgd.logistic_loss(a, b), rows_of(1), normal(2, 3), torch.ones(1, 2, dtype=F64))
    assert run.losses.shape == (1, 2)
    assert regret_bound(2.0, 1.0, torch.ones(1)).item() == 2.5


@KINDS
def test_float32_stays_float32_and_close_to_float64(kind: str) -> None:
    a, b = data(kind)
    etas, theta0 = sgd.decaying(2, 3).step_sizes(50), sgd.project_ball(normal(6, 3))
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
            assert x32 is not None
            assert x64 is not None
            assert x32.dtype == torch.float32
            assert x64.dtype == F64
            # 50 steps of rounding 6e-8; a sign that flips would be 0.1
            torch.testing.assert_close(x32.double(), x64, rtol=1e-4, atol=1e-4)
    for name in NAMES:
        domain = make_set(name, 3, 1.5)
        x = scattered(domain, 20, 0)
        assert domain.project(x.float()).dtype == torch.float32
    best = sgd.best_in_hindsight(
        sgd.logistic_loss(a.float(), b.sign().float()),
        rows_of(50)[:, None],
        theta0.float(),
        sgd.project_ball,
        tol=1e-3,
    )
    assert best.theta.dtype == best.value.dtype == torch.float32
