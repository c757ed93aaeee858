"""Projections are the nearest points of their sets."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy import optimize
from torch import Tensor

from explainers import sgd
from tests.sgd.draws import F64, SEEDS, normal, rng_of, uniform
from tests.sgd.sets import NAMES, Set, ball, box, make_set, scattered, sets, simplex


@settings(max_examples=60)
@given(sets, SEEDS)
def test_a_projection_ends_in_the_set_and_stays_there(domain: Set, seed: int) -> None:
    x = scattered(domain, 50, seed)
    nearest = domain.project(x)
    # the simplex takes its sum from coordinates as large as x
    slack = 1e-13 * (domain.diameter + x.abs().amax())
    assert domain.holds(nearest).max() <= slack
    torch.testing.assert_close(domain.project(nearest), nearest, rtol=0, atol=slack.item())


@settings(max_examples=60)
@given(sets, SEEDS)
def test_a_point_of_the_set_is_left_where_it_is(domain: Set, seed: int) -> None:
    inside = domain.points(50, rng_of(seed))
    torch.testing.assert_close(domain.project(inside), inside, rtol=0, atol=1e-14 * domain.diameter)
    if domain.name != "simplex":  # there a shift is computed, right but for rounding
        assert torch.equal(domain.project(inside), inside)


@settings(max_examples=60)
@given(sets, SEEDS)
def test_no_point_of_the_set_is_nearer_than_the_projection(domain: Set, seed: int) -> None:
    x = scattered(domain, 20, seed)
    nearest = domain.project(x)
    others = domain.points(500, rng_of(seed + 1))
    near = nearest[:, None] + 10.0 ** -(3 * uniform(500, 1, seed=seed)) * (others - nearest[:, None])
    distance = (x - nearest).norm(dim=-1)[:, None]
    for rivals in (others, near):
        assert ((x[:, None] - rivals).norm(dim=-1) >= distance * (1 - 1e-12) - 1e-13 * domain.diameter).all()


def sharpest(project: Callable[[Tensor], Tensor], domain: Set, seed: int) -> Tensor:
    """The least <Px - theta, x - Px> over x and points theta of the set, in units of |x - Px| D.

    A point theta is best taken where the inner product is least, which `lowest` knows.
    """
    x = scattered(domain, 50, seed)
    nearest = project(x)
    away = x - nearest
    theta = torch.stack(
        [*domain.points(50, rng_of(seed)).unsqueeze(1).expand(-1, 50, -1), domain.lowest(-away)]
    )
    products = ((nearest - theta) * away).sum(-1)
    scale = (x.norm(dim=-1) + domain.diameter) * domain.diameter
    return (products / scale).min()


@settings(max_examples=60)
@given(sets, SEEDS)
def test_the_angle_at_a_projection_is_never_acute(domain: Set, seed: int) -> None:
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
def test_what_is_no_projection_makes_an_acute_angle(domain: Set, wrong: sgd.Projection) -> None:
    x = scattered(domain, 50, 0)
    assert domain.holds(wrong(x)).max() <= 1e-14
    torch.testing.assert_close(wrong(wrong(x)), wrong(x))
    assert sharpest(wrong, domain, 0) < -0.05


@settings(max_examples=60)
@given(sets, SEEDS)
def test_a_projection_never_moves_two_points_apart(domain: Set, seed: int) -> None:
    x, y = scattered(domain, 50, seed), scattered(domain, 50, seed + 1)
    before, after = (x - y).norm(dim=-1), (domain.project(x) - domain.project(y)).norm(dim=-1)
    assert (after <= before * (1 + 1e-12) + 1e-13 * domain.diameter).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_projected_like_each_point_alone(name: str) -> None:
    domain = make_set(name, 4, 1.5)
    x = scattered(domain, 24, 0).reshape(2, 3, 4, 4)
    alone = torch.stack([domain.project(point) for point in x.reshape(-1, 4)]).reshape(x.shape)
    torch.testing.assert_close(domain.project(x), alone, rtol=1e-15, atol=0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NAMES)
def test_a_projection_equals_the_solver_of_scipy(name: str, seed: int) -> None:
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
def test_a_far_point_finds_its_corner_of_the_simplex(dtype: torch.dtype) -> None:
    far = torch.tensor([[1e9, 0.0, -1e9], [0.0, 1e17, 1.0], [-1e17, -1e17, -1e12]], dtype=dtype)
    corners = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=dtype)
    assert torch.equal(sgd.project_simplex(far), corners)


def test_ends_of_a_box_may_be_numbers_or_tensors() -> None:
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
def test_a_set_that_is_none_is_refused(call: sgd.Projection, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(torch.zeros(3, 2, dtype=F64))
