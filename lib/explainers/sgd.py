"""Projected stochastic (sub)gradient descent, and what bounds its average loss.

After M. Zinkevich, "Online Convex Programming and Generalized Infinitesimal Gradient
Ascent" (ICML 2003), and Su Jianlin's articles on it (kexue.fm, archives 9902, 11469).
At step t a convex loss l_t is met at theta_t, which then moves against a subgradient
and back to the nearest point of a closed convex set::

    theta_{t+1} = P(theta_t - eta_t g_t)

If the set has diameter D, no subgradient is longer than G, and the steps eta_t never
grow, then for every fixed point phi of the set::

    1/T sum l_t(theta_t) - 1/T sum l_t(phi) <= D^2 / (2 T eta_T) + G^2 / (2 T) sum eta_t

The left side is the *average regret*. Nothing here is random: the losses may come from
a sampler or from an adversary. Runs are batched: theta has the shape (seeds, dim).
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from explainers import checks

Projection: TypeAlias = Callable[[Tensor], Tensor]
# (theta, sample) -> (value, subgradient); broadcasts over leading axes
Loss: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
# the sum of squared gradient lengths so far, (seeds,) -> step sizes, (seeds,)
StepRule: TypeAlias = Callable[[Tensor], Tensor]


class AssumptionWarning(UserWarning):
    """A run goes on where the theorem has stopped; the message names the assumption."""


# ---- projections: the nearest point of a closed convex set
#
# Each raises `TypeError` if x is not a floating-point tensor, and `ValueError` or
# `TypeError` for a radius, total or ends that make no set. A point that is not finite
# has no projection: NaN comes back, as a check at every step would cost more than the
# step.


def project_ball(
    x: Float[Tensor, "*batch dim"], radius: float = 1.0
) -> Float[Tensor, "*batch dim"]:
    """The nearest point of the ball |x| <= radius: what is outside is scaled back.

    The square of |x| must not overflow.
    """
    _check_point("x", x)
    checks.positive("radius", radius)
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / (length / radius).clamp(min=1)


def project_box(
    x: Float[Tensor, "*batch dim"],
    low: float | Tensor = -1.0,
    high: float | Tensor = 1.0,
) -> Float[Tensor, "*batch dim"]:
    """The nearest point of the box low <= x <= high: each coordinate is clipped."""
    _check_point("x", x)
    low, high = _end("low", low, x), _end("high", high, x)
    if not bool((low <= high).all()):
        raise ValueError(f"low: expected at most high, got {low} and {high}")
    # what is not finite has no place in the box
    return torch.where(x.isfinite(), torch.clamp(x, low, high), torch.nan)


def project_simplex(
    x: Float[Tensor, "*batch dim"], total: float = 1.0
) -> Float[Tensor, "*batch dim"]:
    """The nearest point with x >= 0 and sum x = total: shifted down, cut off at 0.

    The shift makes the sum right; sorting tells how many coordinates stay positive
    (Held, Wolfe and Crowder 1974).
    """
    _check_point("x", x)
    checks.positive("total", total)
    x = x - x.amax(-1, keepdim=True)  # a common shift moves no nearest point
    largest_first = x.sort(-1, descending=True).values
    excess = largest_first.cumsum(-1) - total
    count = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    positive = (largest_first * count > excess).sum(-1, keepdim=True).clamp(min=1)
    nearest = (x - excess.gather(-1, positive - 1) / positive).clamp(min=0)
    # what is not finite has no place in the simplex
    return torch.where(x.isfinite().all(-1, keepdim=True), nearest, torch.nan)


# ---- losses; for a linear model a sample is the index of a row
#
# Rows are looked up by `embedding` and `take`, not by a[row]: that one would wake a
# second thread at each of thousands of small steps, and take ten times as long.
#
# Each raises `TypeError` if an argument is not a floating-point tensor and `ValueError`
# for other shapes, numbers that are not finite, and other labels.


def linear_loss(theta: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """g . theta, for samples that are the gradients themselves.

    Raises `TypeError` if an argument is not a floating-point tensor, `ValueError` for
    another number of coordinates.
    """
    _check_point("theta", theta)
    _check_point("gradient", gradient)
    if gradient.shape[-1] != theta.shape[-1]:
        raise ValueError(
            f"gradient: expected {theta.shape[-1]} coordinates as theta has, got "
            f"{gradient.shape[-1]}"
        )
    try:
        return torch.linalg.vecdot(gradient, theta), gradient
    except RuntimeError as error:
        raise ValueError(f"gradient: it does not go with theta: {error}") from error


def absolute_loss(
    features: Float[Tensor, "rows dim"], targets: Float[Tensor, " rows"]
) -> Loss:
    """|x_i . theta - y_i| with the subgradient sign(.) x_i, at most |x_i| long."""
    _check_rows(features, "targets", targets)

    def loss(theta: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        x, predicted = _at(row, features, theta)
        error = predicted - targets.take(row)
        return error.abs(), error.sign().unsqueeze(-1) * x

    return loss


def hinge_loss(
    features: Float[Tensor, "rows dim"], labels: Float[Tensor, " rows"]
) -> Loss:
    """max(0, 1 - y_i x_i . theta) for labels -1 and 1; at most |x_i| steep."""
    _check_labels(features, labels)
    signed = labels[:, None] * features

    def loss(theta: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        x, margin = _at(row, signed, theta)
        short = 1 - margin
        return short.clamp(min=0), (short > 0).unsqueeze(-1) * -x

    return loss


def logistic_loss(
    features: Float[Tensor, "rows dim"], labels: Float[Tensor, " rows"]
) -> Loss:
    """log(1 + exp(-y_i x_i . theta)) in nats, for labels -1 and 1; at most |x_i|
    steep."""
    _check_labels(features, labels)
    signed = labels[:, None] * features

    def loss(theta: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        x, margin = _at(row, signed, theta)
        wrong = torch.sigmoid(-margin).unsqueeze(-1)
        # softplus is linear from 20 on: the step there would not be convex
        return -torch.nn.functional.logsigmoid(margin), -wrong * x

    return loss


# ---- the algorithm


class Run(NamedTuple):
    """What `projected_sgd` saw. The last three are there if `trajectory` was asked."""

    losses: Float[Tensor, "steps seeds"]  # each before its own update
    average: Float[Tensor, "seeds dim"]  # of the points at which losses were met
    last: Float[Tensor, "seeds dim"]
    trajectory: Float[Tensor, "points seeds dim"] | None = None  # steps + 1 points
    gradient_norms: Float[Tensor, "steps seeds"] | None = None
    step_sizes: Float[Tensor, "steps seeds"] | None = None


def projected_sgd(
    loss: Loss,
    samples: Shaped[Tensor, " steps *rest"],
    theta0: Float[Tensor, "seeds dim"],
    step_sizes: Float[Tensor, " steps"] | Float[Tensor, "steps seeds"] | StepRule,
    projection: Projection | None = None,
    *,
    trajectory: bool = False,
) -> Run:
    """theta <- projection(theta - eta_t g_t), once for each sample, for all seeds.

    `loss(theta, samples[t])` returns values (seeds,) and subgradients (seeds, dim).
    `step_sizes` are fixed in advance, or a rule that gets the sum of squared gradient
    lengths up to now. Without a projection theta is free to go anywhere.

    Raises `TypeError` for step sizes and other arguments of another type,
    `ValueError` for steps that are not positive or not as many as the samples, for a
    start that the projection moves, and for a loss or projection that returns another
    shape at the start, `FloatingPointError` if a loss or theta is not finite, naming
    the step. Warns (`AssumptionWarning`) if fixed steps grow: the run is sound, but
    `regret_bound` says nothing about it.
    """
    _check_problem(loss, samples, theta0, projection)
    rule = step_sizes if callable(step_sizes) else None
    if not callable(step_sizes):
        _check_steps(step_sizes, len(samples), len(theta0))
        grows = _grows_at(step_sizes)
        if grows is not None:
            warnings.warn(
                f"step_sizes: they grow at step {grows + 1}, so regret_bound does not "
                "hold for this run; weighted_regret_bound does",
                AssumptionWarning,
                stacklevel=2,
            )
        # (steps, 1, 1) or (steps, seeds, 1)
        etas = step_sizes.reshape(len(samples), -1, 1).to(theta0.dtype).unbind(0)
    theta, total = theta0, torch.zeros_like(theta0)
    squares = torch.zeros_like(theta0[:, 0])
    values, points, gradient_norms, etas_used = [], [theta0], [], []
    for t, sample in enumerate(samples.unbind(0)):
        pair = loss(theta, sample)
        if t == 0:
            _check_loss(pair, theta0.shape[:1], theta0.shape)
        value, gradient = pair
        if rule is not None or trajectory:
            square = gradient.square().sum(-1)
            squares = squares + square
            gradient_norms.append(square.sqrt())
        eta = etas[t] if rule is None else _from_rule(rule, squares, t)
        values.append(value)
        total += theta
        theta = torch.addcmul(theta, gradient, eta, value=-1)
        if projection is not None:
            theta = projection(theta)
        if trajectory:
            points.append(theta)
            etas_used.append(eta.expand(theta.shape[0], 1).squeeze(-1))
    losses = torch.stack(values)
    _check_finite(losses, theta)
    extra = (points, gradient_norms, etas_used) if trajectory else ()
    return Run(losses, total / len(samples), theta, *map(torch.stack, extra))


class BestInHindsight(NamedTuple):
    """The best fixed point of each seed, and its mean loss."""

    theta: Float[Tensor, "seeds dim"]
    value: Float[Tensor, " seeds"]


def best_in_hindsight(
    loss: Loss,
    samples: Shaped[Tensor, " steps *rest"],
    theta0: Float[Tensor, "seeds dim"],
    projection: Projection | None = None,
    *,
    weights: Float[Tensor, " steps #seeds"] | None = None,
    tol: float = 1e-8,
    max_iter: int = 20_000,
) -> BestInHindsight:
    """The point that would have had the least mean loss on the same samples.

    For smooth convex losses: accelerated projected gradient (Beck and Teboulle 2009)
    with backtracking, and a restart when the momentum points uphill. It stops when the
    gradient mapping is shorter than `tol`; the value then is within `tol`
    times the distance to the best point of the least. `weights` (they add up to 1)
    replace the mean over samples, for samples that occur many times.

    Raises `RuntimeError` if that is not reached, or if the loss curves so much that it
    must have a kink; `FloatingPointError` if the loss is not finite at the start; for
    the rest `TypeError` or `ValueError` as `projected_sgd`, and `ValueError` for
    weights that are negative or do not add up to 1.
    """
    _check_problem(loss, samples, theta0, projection)
    checks.positive("tol", tol)
    checks.integer("max_iter", max_iter, least=1)
    steps, (seeds, dim) = len(samples), theta0.shape
    share = theta0.new_tensor(1 / steps)
    if weights is not None:
        share = _shares(weights, (steps, seeds))
        if bool(((share.sum(0) - 1).abs() > 1e-4).any()):
            raise ValueError("weights: expected numbers that add up to 1")
    if samples.ndim == 1:  # the same ones for all seeds
        samples = samples.unsqueeze(1)

    pair = loss(theta0, samples)
    _check_loss(pair, (steps, seeds), (steps, seeds, dim), (steps, 1, dim))
    if not all(bool(part.isfinite().all()) for part in pair):
        raise FloatingPointError("loss: not finite at the start")

    def mean(theta: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = loss(theta, samples)
        return (share * value).sum(0), (share.unsqueeze(-1) * gradient).sum(0)

    def inner(u: Tensor, v: Tensor) -> Tensor:
        return (u * v).sum(-1, keepdim=True)

    at = ahead = theta0
    curvature = torch.ones_like(theta0[:, :1])  # an upper bound on it, per seed
    pace = torch.ones_like(curvature)
    for _ in range(max_iter):
        value, gradient = mean(ahead)
        while True:
            new = ahead - gradient / curvature
            new = new if projection is None else projection(new)
            move = new - ahead
            promised = value[:, None] + inner(gradient, move)
            promised = promised + curvature / 2 * inner(move, move)
            new_value, _ = mean(new)
            # a rounding error is no reason to doubt the curvature
            short = new_value[:, None] > promised + 1e-14 * (1 + value.abs()[:, None])
            if not bool(short.any()):
                break
            if float(curvature.max()) > 1e12:
                raise RuntimeError(
                    "loss: it has a kink; this search needs a smooth convex loss"
                )
            curvature = torch.where(short, 2 * curvature, curvature)
        if bool((curvature * inner(move, move).sqrt() < tol).all()):
            return BestInHindsight(new, new_value)
        uphill = inner(ahead - new, new - at) > 0
        next_pace = torch.where(uphill, 1.0, (1 + (1 + 4 * pace**2).sqrt()) / 2)
        ahead = torch.where(uphill, new, new + (pace - 1) / next_pace * (new - at))
        at, pace = new, next_pace
    raise RuntimeError(
        f"loss: no minimum within tol {tol} after {max_iter} iterations; "
        "this search needs a smooth convex loss"
    )


# ---- regret, and its bounds


def average_regret(
    losses: Float[Tensor, " steps *seeds"],
    comparator_losses: Float[Tensor, " steps *seeds"],
    weights: Float[Tensor, " steps *#seeds"] | None = None,
) -> Float[Tensor, " steps *seeds"]:
    """The (weighted) average of losses - comparator_losses after t = 1 ... T steps.

    `losses` are those of `Run`, each met before its own update, `comparator_losses`
    those of one fixed point on the same samples. While the weights so far are all 0,
    the average is NaN.

    Raises `TypeError` if an argument is not a floating-point tensor, `ValueError` for
    another shape, numbers that are not finite and negative weights.
    """
    for name, value in (("losses", losses), ("comparator_losses", comparator_losses)):
        checks.floats(name, value)
        checks.finite(name, value)
        checks.not_empty(name, value)
    checks.tensor("comparator_losses", comparator_losses, losses.shape, fit="losses")
    share = torch.ones_like(losses)
    if weights is not None:
        share = _shares(weights, losses.shape)
    return (share * (losses - comparator_losses)).cumsum(0) / share.cumsum(0)


def regret_bound(
    diameter: float, gradient_bound: float, step_sizes: Float[Tensor, " steps *seeds"]
) -> Float[Tensor, " steps *seeds"]:
    """D^2 / (2 t eta_t) + G^2 / (2 t) sum_{s <= t} eta_s, after t = 1 ... T steps.

    Bounds the average regret of `projected_sgd` on convex losses, if no two points of
    the closed convex set are farther apart than `diameter` and no subgradient is longer
    than `gradient_bound` (from the proof of Zinkevich 2003, Theorem 1). Raises
    `ValueError` for steps that grow and for numbers that are not positive, `TypeError`
    for other types.
    """
    _check_sizes(diameter, gradient_bound)
    _check_steps(step_sizes)
    grows = _grows_at(step_sizes)
    if grows is not None:
        raise ValueError(
            f"step_sizes: they grow at step {grows + 1}, and this bound needs steps "
            "that never do; weighted_regret_bound holds for any"
        )
    t = _times(len(step_sizes)).to(step_sizes.dtype)
    t = t.reshape(-1, *[1] * (step_sizes.ndim - 1))
    return diameter**2 / (2 * t * step_sizes) + gradient_bound**2 / 2 * (
        step_sizes.cumsum(0) / t
    )


def weighted_regret_bound(
    distance: float, gradient_bound: float, step_sizes: Float[Tensor, " steps *seeds"]
) -> Float[Tensor, " steps *seeds"]:
    """(d^2 + G^2 sum eta_s^2) / (2 sum eta_s), after t = 1 ... T steps.

    Bounds the average regret of `projected_sgd` on convex losses, weighted by the
    steps, for any positive steps and any closed convex set, also an unbounded one;
    `distance` is that from the start to the fixed point (Su, archive 11469).
    Raises `ValueError` for numbers that are not positive, `TypeError` for other types.
    """
    checks.number("distance", distance, least=0)
    checks.positive("gradient_bound", gradient_bound)
    _check_steps(step_sizes)
    squares = step_sizes.square().cumsum(0)
    return (distance**2 + gradient_bound**2 * squares) / (2 * step_sizes.cumsum(0))


# ---- schedules, each with the closed form of its bound
#
# Each raises `ValueError` for numbers that are not positive and `TypeError` for other
# types; so do `step_sizes` and `bound` of a schedule for such a horizon T.


@dataclass(frozen=True)
class Schedule:
    """Step sizes for a horizon, `step_sizes(T)` of shape (T,), and a bound on the
    average regret after T of them, `bound(T)`. Raises `TypeError` if one of the two
    cannot be called."""

    name: str
    step_sizes: Callable[[int], Float[Tensor, " steps"]]
    bound: Callable[[int], float]

    def __post_init__(self) -> None:
        checks.instance("name", self.name, str)
        checks.function("step_sizes", self.step_sizes)
        checks.function("bound", self.bound)


def constant(diameter: float, gradient_bound: float) -> Schedule:
    """D / (G sqrt(T)) at every step: the best constant one, bound D G / sqrt(T). It has
    to know T."""
    _check_sizes(diameter, gradient_bound)
    return Schedule(
        "constant",
        lambda T: diameter / (gradient_bound * _root(T)) * torch.ones_like(_times(T)),
        lambda T: diameter * gradient_bound / _root(T),
    )


def decaying(
    diameter: float, gradient_bound: float, alpha: float | None = None
) -> Schedule:
    """alpha / sqrt(t); by default alpha = D / (sqrt(2) G), which makes the leading term
    of the bound least: the bound is less than sqrt(2) D G / sqrt(T).

    alpha = D / G gives 3/2 D G / sqrt(T), and alpha = 1 is Zinkevich's Theorem 1.
    """
    _check_sizes(diameter, gradient_bound)
    if alpha is None:
        alpha = diameter / (math.sqrt(2) * gradient_bound)
    checks.positive("alpha", alpha)
    return Schedule(
        "decaying",
        lambda T: alpha / _times(T).sqrt(),
        lambda T: (
            (diameter**2 / (2 * alpha) + gradient_bound**2 * alpha) / _root(T)
            - gradient_bound**2 * alpha / (2 * T)
        ),
    )


def doubling(diameter: float, gradient_bound: float) -> Schedule:
    """The constant step of a horizon that doubles whenever it is reached: 1, 2, 4, …
    steps.

    Bound sqrt(2) / (sqrt(2) - 1) D G / sqrt(T), about 3.41 D G / sqrt(T), for every T.
    """
    _check_sizes(diameter, gradient_bound)

    def step_sizes(T: int) -> Tensor:
        # T < 2^k: block k - 1. One number for each block, or rounding could make a
        # step grow.
        _, binary_digits = torch.frexp(_times(T))
        of_block = [
            diameter / (gradient_bound * 2 ** (k / 2))
            for k in range(int(T).bit_length())
        ]
        return torch.tensor(of_block, dtype=torch.float64)[binary_digits.long() - 1]

    factor = math.sqrt(2) / (math.sqrt(2) - 1)
    return Schedule(
        "doubling", step_sizes, lambda T: factor * diameter * gradient_bound / _root(T)
    )


def strongly_convex(strong_convexity: float, gradient_bound: float) -> Schedule:
    """1 / (mu t), for losses whose curvature is mu at least, on a closed convex set
    where no subgradient is longer than G: bound G^2 (1 + ln T) / (2 mu T) (Hazan,
    Agarwal and Kale 2007)."""
    checks.positive("strong_convexity", strong_convexity)
    checks.positive("gradient_bound", gradient_bound)

    def bound(T: int) -> float:
        checks.integer("T", T, least=1)
        return gradient_bound**2 * (1 + math.log(T)) / (2 * strong_convexity * T)

    return Schedule(
        "strongly convex", lambda T: 1 / (strong_convexity * _times(T)), bound
    )


def adagrad_norm(diameter: float) -> StepRule:
    """D / sqrt(2 sum |g|^2) over the gradients so far: a rule for `projected_sgd` that
    needs no G.

    With a projection onto a closed convex set of that diameter, the average regret is
    at most sqrt(2) D sqrt(sum |g_t|^2) / T (Streeter and McMahan 2010).
    """
    checks.positive("diameter", diameter)
    # before the first gradient that is not 0 there is nothing to move
    return lambda squares: torch.where(
        squares > 0, diameter / (2 * squares).sqrt(), 0.0
    )


# ---- checks of the assumptions, and of what losses, rules and projections return


def _root(T: int) -> float:
    checks.integer("T", T, least=1)
    return math.sqrt(T)


def _times(T: int) -> Tensor:
    """1 ... T."""
    checks.integer("T", T, least=1)
    return torch.arange(1, T + 1, dtype=torch.float64)


def _check_sizes(diameter: float, gradient_bound: float) -> None:
    checks.positive("diameter", diameter)
    checks.positive("gradient_bound", gradient_bound)


def _check_point(name: str, x: Tensor) -> None:
    """Cheap, as it runs at every step."""
    checks.floats(name, x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(
            f"{name}: expected at least one coordinate, got the shape {tuple(x.shape)}"
        )


def _end(name: str, end: float | Tensor, x: Tensor) -> Tensor:
    """One end of a box."""
    try:
        end = torch.as_tensor(end, dtype=x.dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name}: expected a number or tensor, got {end!r}") from error
    checks.broadcasts(name, end, x.shape)
    return end


def _check_rows(features: Tensor, name: str, values: Tensor) -> None:
    """The rows of a linear model, and one number for each."""
    checks.floats("features", features, ("rows", "dim"))
    checks.not_empty("features", features)
    checks.finite("features", features)
    checks.floats(name, values)
    checks.finite(name, values)
    checks.tensor(name, values, features.shape[:1], fit="the rows of features")


def _check_labels(features: Tensor, labels: Tensor) -> None:
    _check_rows(features, "labels", labels)
    wrong = labels[labels.abs() != 1]
    if len(wrong):
        raise ValueError(f"labels: expected -1 and 1, got {wrong[0].item()}")


def _at(row: Tensor, table: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """The features of the rows, and their products with theta."""
    try:
        features = torch.nn.functional.embedding(row, table)
        return features, torch.linalg.vecdot(features, theta)
    except (IndexError, RuntimeError) as error:
        raise ValueError(
            f"samples: expected integers from 0 to {len(table) - 1}, and theta0 with "
            f"{table.shape[1]} coordinates: {error}"
        ) from error


def _shares(weights: Tensor, shape: Sequence[int]) -> Tensor:
    """The weights of losses of this shape, and as many axes as it has: one weight for
    each step, or one for each seed too."""
    checks.floats("weights", weights)
    checks.finite("weights", weights)
    if weights.shape[:1] != shape[:1]:
        raise ValueError(
            f"weights: expected one for each of {shape[0]} samples, got the shape "
            f"{tuple(weights.shape)}"
        )
    weights = weights.reshape(*weights.shape, *[1] * (len(shape) - weights.ndim))
    checks.broadcasts("weights", weights, shape)
    if bool((weights < 0).any()):
        raise ValueError("weights: expected numbers from 0 up")
    return weights


def _check_steps(step_sizes: Any, *shape: int) -> None:
    """Positive steps, for as many samples and seeds as `shape` says, if it does."""
    checks.floats("step_sizes", step_sizes)
    if shape and step_sizes.shape not in (shape[:1], shape):
        raise ValueError(
            f"step_sizes: expected the shape {shape[:1]} or {shape}, got "
            f"{tuple(step_sizes.shape)}"
        )
    checks.not_empty("step_sizes", step_sizes)
    wrong = ~((step_sizes > 0) & step_sizes.isfinite())
    if bool(wrong.any()):
        t = int(wrong.nonzero()[0, 0])
        raise ValueError(
            f"step_sizes: expected positive numbers, got {step_sizes[t].tolist()} at "
            f"step {t + 1}"
        )


def _grows_at(step_sizes: Tensor) -> int | None:
    """The first step that is larger than the one before, counted from 0."""
    grows = (step_sizes[1:] > step_sizes[:-1]).nonzero()
    return int(grows[0, 0]) + 1 if len(grows) else None


def _from_rule(rule: StepRule, squares: Tensor, t: int) -> Tensor:
    eta = rule(squares)
    checks.tensor("step_sizes", eta)
    if eta.shape != squares.shape or not bool(((eta >= 0) & eta.isfinite()).all()):
        raise ValueError(
            f"step_sizes: expected {len(squares)} numbers from 0 up of the rule, got "
            f"{eta.tolist()} at step {t + 1}"
        )
    return eta.unsqueeze(-1)


def _check_problem(
    loss: Loss, samples: Tensor, theta0: Tensor, projection: Projection | None
) -> None:
    checks.function("loss", loss)
    checks.tensor("samples", samples)
    if samples.ndim == 0 or len(samples) == 0:
        raise ValueError(
            f"samples: expected at least one, got the shape {tuple(samples.shape)}"
        )
    checks.floats("theta0", theta0, ("seeds", "dim"))
    checks.not_empty("theta0", theta0)
    checks.finite("theta0", theta0)
    if projection is None:
        return
    checks.function("projection", projection)
    nearest = projection(theta0)
    if not isinstance(nearest, Tensor) or nearest.shape != theta0.shape:
        raise ValueError(
            f"projection: expected a tensor of the shape {tuple(theta0.shape)}, got "
            f"{getattr(nearest, 'shape', nearest)}"
        )
    moved = (nearest - theta0).abs().amax(-1)
    # a point on the edge may round to the outside
    outside = moved > 1e3 * torch.finfo(theta0.dtype).eps * (1 + theta0.abs().amax(-1))
    if bool(outside.any()):
        raise ValueError(
            f"theta0: seed {int(outside.int().argmax())} starts outside of the set, "
            f"{float(moved.max()):.2g} from its projection"
        )


def _check_loss(pair: Any, values: Sequence[int], *gradients: Sequence[int]) -> None:
    """That a loss returned values and subgradients, the latter in one of the shapes."""
    if not (
        isinstance(pair, tuple)
        and len(pair) == 2
        and all(isinstance(part, Tensor) for part in pair)
    ):
        raise TypeError("loss: expected it to return two tensors, (value, subgradient)")
    value, gradient = pair
    if value.shape != values or gradient.shape not in gradients:
        raise ValueError(
            f"loss: expected values {tuple(values)} and subgradients "
            f"{tuple(gradients[0])}, got {tuple(value.shape)} and "
            f"{tuple(gradient.shape)}"
        )


def _check_finite(losses: Tensor, theta: Tensor) -> None:
    """A gradient that is not finite makes theta so, and with it the next loss."""
    bad = ~losses.isfinite().all(-1)
    if bool(bad.any()):
        step = int(bad.int().argmax()) + 1
        raise FloatingPointError(
            f"loss: not finite at step {step}, or a subgradient was just before it"
        )
    if not bool(theta.isfinite().all()):
        raise FloatingPointError(
            f"loss: the subgradient at step {len(losses)} is not finite"
        )
