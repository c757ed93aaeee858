"""What is refused or warned of, in words that name it."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from explainers import sgd
from explainers.sgd import AssumptionWarning, projected_sgd, regret_bound
from tests.sgd.draws import F64
from tests.sgd.losses import data, rows_of


def absolute_run(**changes: Any) -> sgd.Run:
    a, b = data("absolute")
    arguments: dict[str, Any] = {
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
        ({"step_sizes": torch.tensor(1.0)}, r"step_sizes: .*\(4,\) or \(4, 2\), got \(\)"),
        ({"step_sizes": torch.ones(3)}, r"step_sizes: .*\(4,\) or \(4, 2\), got \(3,\)"),
        ({"step_sizes": torch.ones(5)}, r"step_sizes: .*\(4,\) or \(4, 2\), got \(5,\)"),
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
def test_a_bad_run_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        absolute_run(**changes)


def breaks(value: float, *, at: int, gradient: bool) -> sgd.Loss:
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
def test_a_value_that_is_not_finite_names_its_step(
    projection: sgd.Projection | None, value: float, at: int
) -> None:
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
def test_a_subgradient_that_is_not_finite_names_its_step(
    projection: sgd.Projection | None, at: int, words: str, value: float
) -> None:
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
def test_what_a_rule_returns_is_checked_at_every_step(
    rule: sgd.StepRule, words: str, unchecked: None
) -> None:
    a = torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [100.0, 0, 0], [1.0, 0, 0]], dtype=F64)
    loss = sgd.absolute_loss(a, torch.ones(4, dtype=F64))
    with pytest.raises(ValueError, match=words):
        absolute_run(loss=loss, samples=torch.arange(4), step_sizes=rule)


@pytest.mark.parametrize("steps", [[0.1, 0.1, 0.1, 0.1], 0.1, None])
def test_steps_that_are_no_tensor_are_refused_by_type(steps: Any, unchecked: None) -> None:
    with pytest.raises(TypeError, match="step_sizes: expected a tensor"):
        absolute_run(step_sizes=steps)
    if isinstance(steps, list):
        with pytest.raises(TypeError, match="step_sizes: expected a tensor"):
            regret_bound(1.0, 1.0, steps)  # type: ignore[arg-type]


def test_an_infinite_point_has_no_projection() -> None:
    x = torch.tensor([[math.inf, 0.3, 0.2], [0.1, -math.inf, 0.2]], dtype=F64)
    for project in (sgd.project_ball, sgd.project_box, sgd.project_simplex):
        assert project(x).isnan().any(-1).all()


GROWING = torch.tensor([0.3, 0.2, 0.2, 0.25], dtype=F64)


def test_growing_steps_are_warned_of_and_have_no_first_bound() -> None:
    for steps in (GROWING, torch.stack([torch.ones(4, dtype=F64), GROWING], 1)):
        with pytest.warns(AssumptionWarning, match=r"step_sizes: they grow at step 4, .*regret_bound"):
            absolute_run(step_sizes=steps)
        with pytest.raises(ValueError, match=r"step_sizes: they grow at step 4, .*weighted_regret_bound"):
            regret_bound(1.0, 1.0, steps)
    spent = GROWING.cumsum(0)
    expected = (4 + 9 * GROWING.square().cumsum(0)) / (2 * spent)
    torch.testing.assert_close(sgd.weighted_regret_bound(2.0, 3.0, GROWING), expected)


def test_the_warning_points_at_the_caller() -> None:
    a, b = data("absolute")
    with pytest.warns(AssumptionWarning) as caught:
        inspect.unwrap(projected_sgd)(
            sgd.absolute_loss(a, b), rows_of(4), torch.zeros(1, 3, dtype=F64), GROWING
        )
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_steps_that_stay_equal_are_not_warned_of() -> None:
    absolute_run()
    absolute_run(step_sizes=sgd.doubling(2.0, 3.0).step_sizes(4))
    absolute_run(step_sizes=sgd.adagrad_norm(2.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: regret_bound(0.0, 1.0, torch.ones(2)), "diameter: .*got 0"),
        (lambda: regret_bound(1.0, -1.0, torch.ones(2)), "gradient_bound: .*got -1"),
        (lambda: regret_bound(1.0, 1.0, torch.tensor([1.0, 0.0])), "step_sizes: .*at step 2"),
        (lambda: regret_bound(1.0, 1.0, torch.ones(0)), "step_sizes: .*at least one"),
        (lambda: sgd.weighted_regret_bound(math.nan, 1.0, torch.ones(2)), "distance: .*got nan"),
        (lambda: sgd.weighted_regret_bound(-1.0, 1.0, torch.ones(2)), "distance: .*got -1"),
        (lambda: sgd.weighted_regret_bound(1.0, math.inf, torch.ones(2)), "gradient_bound: .*got inf"),
        (lambda: sgd.weighted_regret_bound(1.0, 1.0, -torch.ones(2)), "step_sizes: .*at step 1"),
        (lambda: sgd.constant(0.0, 1.0), "diameter"),
        (lambda: sgd.constant(1.0, 0.0), "gradient_bound"),
        (lambda: sgd.decaying(1.0, math.nan), "gradient_bound"),
        (lambda: sgd.decaying(1.0, 1.0, 0.0), "alpha"),
        (lambda: sgd.doubling(-1.0, 1.0), "diameter"),
        (lambda: sgd.strongly_convex(0.0, 1.0), "strong_convexity"),
        (lambda: sgd.strongly_convex(1.0, 0.0), "gradient_bound"),
        (lambda: sgd.adagrad_norm(0.0), "diameter"),
    ],
)
def test_a_bad_constant_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
