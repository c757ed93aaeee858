"""Wrong versions of the chapter's central functions, and the claims that must notice each."""

from typing import Any

import torch

from explainers import sgd
from tests.chapters.wrong import Wrong

_projected_sgd, _regret_bound, _weighted = sgd.projected_sgd, sgd.regret_bound, sgd.weighted_regret_bound
_logistic_loss = sgd.logistic_loss


def after_the_update(loss: sgd.Loss, samples: torch.Tensor, *rest: Any, **keywords: Any) -> sgd.Run:
    """Each loss as it is after the step that it caused."""
    run = _projected_sgd(loss, samples, *rest, **{**keywords, "trajectory": True})
    assert run.trajectory is not None
    pairs = zip(run.trajectory[1:], samples, strict=True)
    return run._replace(losses=torch.stack([loss(theta, sample)[0] for theta, sample in pairs]))


def uphill(loss: sgd.Loss, *rest: Any, **keywords: Any) -> sgd.Run:
    """With the gradient instead of against it."""

    def turned(theta: torch.Tensor, sample: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        value, gradient = loss(theta, sample)
        return value, -gradient

    return _projected_sgd(turned, *rest, **keywords)


def one_step_early(
    loss: sgd.Loss, samples: torch.Tensor, theta0: torch.Tensor, steps: Any, *rest: Any, **keywords: Any
) -> sgd.Run:
    """Each step as long as the next one should be."""
    steps = torch.cat([steps[1:], steps[-1:]]) if isinstance(steps, torch.Tensor) else steps
    return _projected_sgd(loss, samples, theta0, steps, *rest, **keywords)


def radius_for_diameter(diameter: float, gradient: float, steps: torch.Tensor) -> torch.Tensor:
    """Half of the diameter in its place."""
    return _regret_bound(diameter / 2, gradient, steps)


def halves_forgotten(diameter: float, gradient: float, steps: torch.Tensor) -> torch.Tensor:
    """Both terms without their one half."""
    return 2 * _regret_bound(diameter, gradient, steps)


def start_forgotten(distance: float, gradient: float, steps: torch.Tensor) -> torch.Tensor:
    """As if the run began at the point that it is compared with."""
    return _weighted(0.0, gradient, steps)


def clipped(x: torch.Tensor, radius: float = 1.0) -> torch.Tensor:
    """Coordinate by coordinate."""
    return x.clamp(-radius, radius)


def onto_the_sphere(x: torch.Tensor, radius: float = 1.0) -> torch.Tensor:
    """Scaled to the radius also from inside."""
    return radius * torch.nn.functional.normalize(x, dim=-1)


def scaled_onto_simplex(x: torch.Tensor, total: float = 1.0) -> torch.Tensor:
    """Negative coordinates cut off, and the rest divided by its sum."""
    positive = x.clamp(min=1e-9)
    return total * positive / positive.sum(-1, keepdim=True)


def wrong_label(a: torch.Tensor, y: torch.Tensor) -> sgd.Loss:
    """The gradient of the other label's loss."""
    right, other = _logistic_loss(a, y), _logistic_loss(a, -y)
    return lambda theta, row: (right(theta, row)[0], other(theta, row)[1])


def left_outside(x: torch.Tensor, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """No projection at all: what is outside of the box stays there."""
    return x


WRONG = {
    "after the update": Wrong(sgd, "projected_sgd", after_the_update, {"SG-04", "SG-14", "SG-X3"}),
    "uphill": Wrong(
        sgd,
        "projected_sgd",
        uphill,
        {"SG-02", "SG-03", "SG-07", "SG-10", "SG-21", "SG-23", "SG-24", "SG-26", "SG-27", "SG-X4"},
    ),
    "one step early": Wrong(sgd, "projected_sgd", one_step_early, {"SG-02", "SG-21", "SG-22"}),
    "a radius for a diameter": Wrong(sgd, "regret_bound", radius_for_diameter, {"SG-X2"}),
    "halves forgotten": Wrong(sgd, "regret_bound", halves_forgotten, {"SG-13"}),
    "start forgotten": Wrong(sgd, "weighted_regret_bound", start_forgotten, {"SG-X1", "SG-X5"}),
    "clipped": Wrong(sgd, "project_ball", clipped, {"SG-30", "SG-X2"}),
    "onto the sphere": Wrong(
        sgd, "project_ball", onto_the_sphere, {"SG-29", "SG-31", "SG-33", "SG-34", "SG-X8"}
    ),
    "scaled onto the simplex": Wrong(
        sgd, "project_simplex", scaled_onto_simplex, {"SG-30", "SG-32", "SG-33"}
    ),
    "the other label": Wrong(sgd, "logistic_loss", wrong_label, {"SG-19"}),
    "left outside": Wrong(sgd, "project_box", left_outside, {"SG-30", "SG-X7"}),
}
# Claims that hold by proof alone: the mutants of these derivations are refused
PROVED = {"SG-06", "SG-09", "SG-11", "SG-12", "SG-X6"}
DERIVATIONS = [
    "The distance after one step",
    "The inner product, from two distances",
    "The gap at one step",
    "The gap at one step, with bounded gradients",
    "The sum of the payments",
    "The total gap",
    "The average regret",
    "The total gap, by one induction",
    "The bound with a constant step",
    "The best constant step",
    "One term of the root sum, $t=T+1$",
    "The root sum",
    "The bound with decaying steps",
    "The best factor of decaying steps",
    "Where it is attained",
    "The rounder choice",
    "Zinkevich's theorem",
    "Blocks of doubled length",
    "The sum of the scaled squares",
    "The steps of AdaGrad-norm never grow",
    "The total gap of AdaGrad-norm",
    "The angle at the nearest point",
    "An obtuse Pythagoras",
    "Projecting never hurts",
    "A point that passes the test is nearest",
    "Cauchy and Schwarz",
    "Rescaling is the projection onto a ball",
    "Clipping at the upper edge of a box",
    "Clipping at the lower edge of a box",
    "The shifted cut is the projection onto the simplex",
    "No fixed point does better, for $S\\ge0$",
    "No fixed point does better, for $-S\\le0$",
    "The edge does it",
    "The ends from $-2q$ to $2q$, counted",
    "How far the walk gets",
    "How far the walk gets, return by return",
    "The expected average regret",
    "Two powers of the sine",
    "Two neighbours",
    "The even powers",
    "Higher powers are smaller",
    "The chance to be back, from above",
    "The chance to be back, from below",
    "A rougher bound without an integral",
    "The expected average regret, from above",
    "The expected average regret, from below",
    "A slow start",
    "What the slow start costs",
    "What the formula would allow",
    "The weighted sum of the gaps",
    "The weighted average",
    "A logarithm lies below its tangent",
    "The harmonic sum",
    "The root sum, from below",
    "The weighted average with decaying steps",
    "Later steps are never longer",
    "The plain average again",
    "The loss of the average",
    "One iterate more in the average",
    "The last of all, from the average of the last $k$",
    "The last iterate",
    "The last of six, in full",
    "The gap at one step, for curved losses",
    "The total gap, for curved losses",
    "The average regret, for curved losses",
    "A start in the centre",
]
