"""Losses and their subgradients."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explainers import sgd
from tests.sgd.draws import F64, SEEDS, normal, rng_of
from tests.sgd.losses import KINDS, LOSSES, data, written_out


@KINDS
def test_a_loss_and_its_subgradient_are_those_of_autograd(kind: str) -> None:
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
def test_rows_for_each_seed_and_many_rows_at_once(kind: str) -> None:
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
def test_a_loss_lies_above_each_of_its_tangents(kind: str, seed: int, scale: float) -> None:
    a, b = data(kind, seed=seed)
    loss, rows = LOSSES[kind](a, b), torch.arange(40)
    here, there = scale * normal(2, 40, 3, seed=seed + 2)
    value, gradient = loss(here, rows)
    tangent = value + ((there - here) * gradient).sum(-1)
    assert (loss(there, rows)[0] >= tangent - 1e-13 * (1 + 10 * scale)).all()
    assert (gradient.norm(dim=-1) <= a.norm(dim=-1) * (1 + 1e-15)).all()


@pytest.mark.parametrize("margin", [-20.001, -19.999, -25.0])
def test_the_logistic_loss_keeps_its_tail(margin: float) -> None:
    one = torch.ones(1, 1, dtype=F64)
    value, _ = sgd.logistic_loss(one, one[0])(margin * one, torch.tensor([0]))
    assert value.item() == pytest.approx(-margin + math.exp(margin), rel=1e-15)


@pytest.mark.parametrize("margin", [-1e4, 1e4])
def test_logistic_loss_far_out_is_finite(margin: float) -> None:
    value, gradient = sgd.logistic_loss(torch.ones(1, 1), torch.ones(1))(
        torch.tensor([[float(margin)]]), torch.tensor(0)
    )
    assert value.item() == pytest.approx(max(-margin, 0))
    assert gradient.item() == pytest.approx(-1 if margin < 0 else 0)
