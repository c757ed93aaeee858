"""Bad input to every public function of the science: refused by the argument's name, or allowed as stated.

A row is a call that works. What is tried in place of each argument follows from its good value: another type,
another shape, NaN, nothing at all, zero, a negative number, ends in reverse, ... All of it is to be refused
with `ValueError` or `TypeError` whose message holds the argument's name; what is not stands in `allowed`. The
checks of shapes that the other tests load are off: a reader has none.

`studies` and `proofs` are left out: they run with the settings of their records and take none of a reader's.
"""

import importlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from explainers import data, decoder, ngrams, rope, sgd, targets, training
from explainers import fourier_density as fd

# `pretrained` has rows to fill as soon as one of its functions takes an argument
SCIENCE = (
    "sgd", "fourier_density", "targets", "ngrams", "rope", "data", "decoder", "training", "pretrained",
)  # fmt: skip

Check = Callable[[Any], bool]
Outcome = Check | type[Exception] | str


@dataclass(frozen=True)
class Row:
    """A call that works, by keywords, and what its arguments may be besides.

    `allowed` maps "argument: kind" to a check of the result, to another error, or to the name that the
    message holds instead. `extra` holds
    bad values that do not follow from the good one, by argument and name.
    """

    call: Callable[..., Any]
    good: Mapping[str, Any]
    allowed: Mapping[str, Outcome] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    offline: bool = True  # or the good call may download something


# ---- kinds of bad values


def bad_tensors(good: Tensor) -> Iterator[tuple[str, Any]]:
    yield "a list", good.tolist()
    yield "no axis", good.reshape(-1)[0]
    yield "one axis more", good[None]
    yield "one fewer", good[:-1] if len(good) > 1 else torch.cat([good, good])
    yield "one fewer at the end", good[..., :-1]
    yield "empty", good[:0]
    if good.dtype == torch.bool:
        yield "integers", good.long()
        yield "floats", good.double()
    elif good.is_floating_point() or good.is_complex():
        yield "NaN", with_first(good, math.nan)
        yield "infinite", with_first(good, math.inf)
        yield "integers", torch.ones_like(good, dtype=torch.long)
    else:
        yield "floats", good.double()
        yield "booleans", good.bool()
        if good.dtype != torch.uint8:
            yield "negative", -good - 1
    if good.is_complex():
        yield "real", good.real


def with_first(good: Tensor, value: float) -> Tensor:
    bad = good.clone()
    bad.view(-1)[0] = value
    return bad


def bad_values(good: Any) -> Iterator[tuple[str, Any]]:
    """What is tried in place of a good value, each with the name of its kind."""
    if good is not None:
        yield "None", None
    match good:
        case Tensor():
            yield from bad_tensors(good)
        case bool():
            yield "two", 2
        case int():
            yield from (("zero", 0), ("negative", -1), ("a fraction", 1.5), ("True", True), ("text", "3"))
        case float():
            yield from (("zero", 0.0), ("negative", -good), ("NaN", math.nan), ("infinite", math.inf))
            yield from (("text", "0.5"), ("a list", [good]))
        case str():
            yield from (("a number", 3), ("another word", "no such word"), ("empty", ""))
        case (float(), float()):
            yield from (("reversed", good[::-1]), ("equal", (good[0], good[0])), ("one", good[:1]))
            yield from (("NaN first", (math.nan, good[1])), ("NaN last", (good[0], math.nan)))
            yield from (("words", ("a", "b")), ("a number", 0.5))
        case tuple():
            yield from (("a number", 2), ("negative", (-1,)), ("fractions", (1.5,)), ("text", "3"))
        case torch.dtype() | torch.Generator():
            yield "a number", 3
        case decoder.Config():
            yield "a mapping", {"hidden_size": 4}
        case _ if callable(good):
            yield from (("a number", 3), ("text", "f"))


# ---- what is allowed


def is_nan(result: Tensor) -> bool:
    return bool(result.isnan().any())


def is_empty(result: Tensor) -> bool:
    return result.numel() == 0


def shape(*sizes: int) -> Check:
    return lambda result: tuple(result.shape) == sizes


# ---- the rows

F64 = torch.float64
THETA = torch.tensor([[0.1, 0.2, 0.3], [0.3, 0.3, 0.1]], dtype=F64)
A = torch.tensor([[1.0, 0.5, 0.0], [0.0, -1.0, 0.5], [1.0, 1.0, 1.0], [-1.0, 0.0, 1.0]], dtype=F64)
LABELS = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=F64)
STEPS = torch.tensor([0.3, 0.2, 0.2, 0.1], dtype=F64)
LOSSES = torch.tensor([[1.0, 2.0], [0.5, 1.0], [0.2, 0.4]], dtype=F64)
ROWS_OUTSIDE = {"a row too many": torch.tensor([0, 1, 2, 4])}

POINTS: dict[str, Outcome] = {
    "x: one axis more": shape(1, 2, 3),
    "x: one fewer": shape(1, 3),
    "x: one fewer at the end": shape(2, 2),
    "x: empty": shape(0, 3),
    "x: NaN": is_nan,
    "x: infinite": is_nan,
}
SIZES = {"diameter": 2.0, "gradient_bound": 1.5}
HORIZON: dict[str, Any] = {"T": 4}


def of_horizon(function: Callable[[int], Any], T: int) -> Any:
    return function(T)


def of_schedule(schedule: sgd.Schedule) -> Iterator[tuple[str, Row]]:
    for name in ("step_sizes", "bound"):
        yield f"sgd.{schedule.name}.{name}", Row(partial(of_horizon, getattr(schedule, name)), HORIZON)


SGD: dict[str, Row] = {
    "sgd.project_ball": Row(sgd.project_ball, {"x": THETA, "radius": 0.5}, POINTS),
    "sgd.project_box": Row(
        sgd.project_box,
        {"x": THETA, "low": -0.2, "high": 1.0},
        POINTS
        | {
            "low: zero": lambda x: bool((x >= 0).all()),
            "low: negative": lambda x: bool((x >= 0.2).all()),
            "high: zero": lambda x: bool((x <= 0).all()),
            "low: a list": shape(2, 3),
            "high: a list": shape(2, 3),
            "high: infinite": lambda x: torch.equal(x, THETA),
        },
        {
            "low": {
                "above high": 1.3,
                "another shape": torch.zeros(2),
                "too many axes": torch.zeros(5, 2, 3),
            },
            "high": {"below low": -0.3, "another shape": torch.ones(2)},
        },
    ),
    "sgd.project_simplex": Row(sgd.project_simplex, {"x": THETA, "total": 1.0}, POINTS),
    "sgd.linear_loss": Row(
        sgd.linear_loss,
        {"theta": THETA, "gradient": A[:2]},
        {
            "theta: one axis more": lambda pair: pair[0].shape == (1, 2),
            "theta: one fewer": lambda pair: pair[0].shape == (2,),
            "gradient: one axis more": lambda pair: pair[0].shape == (1, 2),
            "gradient: one fewer": lambda pair: pair[0].shape == (2,),
            "theta: NaN": lambda pair: is_nan(pair[0]),
            "theta: infinite": lambda pair: not pair[0].isfinite().all(),
            "gradient: NaN": lambda pair: is_nan(pair[0]),
            "gradient: infinite": lambda pair: not pair[0].isfinite().all(),
        },
    ),
    "sgd.absolute_loss": Row(
        sgd.absolute_loss, {"features": A, "targets": LABELS}, {"features: one fewer at the end": callable}
    ),
    "sgd.hinge_loss": Row(
        sgd.hinge_loss,
        {"features": A, "labels": LABELS},
        {"features: one fewer at the end": callable},
        {"labels": {"0 and 1": (LABELS + 1) / 2}},
    ),
    "sgd.logistic_loss": Row(
        sgd.logistic_loss,
        {"features": A, "labels": LABELS},
        {"features: one fewer at the end": callable},
        {"labels": {"0 and 1": (LABELS + 1) / 2}},
    ),
    "sgd.projected_sgd": Row(
        sgd.projected_sgd,
        {
            "loss": sgd.linear_loss,
            "samples": torch.stack([A, -A], 1),
            "theta0": THETA,
            "step_sizes": STEPS,
            "projection": sgd.project_ball,
            "trajectory": False,
        },
        {
            "samples: one axis more": "step_sizes",  # there is then one sample
            "samples: one fewer": "step_sizes",
            "samples: one fewer at the end": "gradient",  # the loss is the one who knows
            "samples: integers": "gradient",
            "samples: NaN": FloatingPointError,
            "samples: infinite": FloatingPointError,
            "trajectory: None": lambda run: run.trajectory is None,
            "trajectory: two": lambda run: run.trajectory.shape == (5, 2, 3),
            "projection: None": lambda run: run.last.shape == (2, 3),
            "theta0: one fewer": "loss",
            "theta0: one fewer at the end": "theta",
        },
        {
            "loss": {
                "returns one tensor": lambda theta, sample: theta,
                "returns numbers": lambda theta, sample: (1.0, 2.0),
                "returns other shapes": lambda theta, sample: (theta, theta),
            },
            "projection": {
                "returns another shape": lambda theta: theta[:, :1],
                "returns a number": lambda theta: 1.0,
            },
            "step_sizes": {"a rule that returns a number": lambda squares: 0.1, "zeros": 0 * STEPS},
            "theta0": {"outside": 5 * THETA},
        },
    ),
    "sgd.best_in_hindsight": Row(
        sgd.best_in_hindsight,
        {
            "loss": sgd.logistic_loss(A, LABELS),
            "samples": torch.arange(4),
            "theta0": THETA,
            "projection": sgd.project_ball,
            "weights": torch.full((4, 1), 0.25, dtype=F64),
            "tol": 1e-3,
            "max_iter": 500,
        },
        {
            "projection: None": lambda point: point.theta.isfinite().all(),
            "samples: one fewer": "weights",
            "weights: None": lambda point: point.theta.shape == (2, 3),
            "theta0: one fewer": lambda point: point.theta.shape == (1, 3),
        },
        {
            "samples": ROWS_OUTSIDE,
            "weights": {
                "negative": torch.tensor([[-1.0], [1], [0.5], [0.5]]),
                "twice": torch.full((4, 1), 0.5),
            },
            "loss": {
                "returns one tensor": lambda theta, sample: theta,
                "returns other shapes": lambda theta, sample: (theta, theta),
            },
            "projection": {"returns another shape": lambda theta: theta[:, :1]},
        },
    ),
    "sgd.average_regret": Row(
        sgd.average_regret,
        {"losses": LOSSES, "comparator_losses": LOSSES / 2, "weights": torch.ones(3, 1, dtype=F64)},
        {"weights: None": shape(3, 2)},
        {"weights": {"negative": -torch.ones(3, dtype=F64)}},
    ),
    "sgd.regret_bound": Row(
        sgd.regret_bound,
        SIZES | {"step_sizes": STEPS},
        {
            "step_sizes: one axis more": shape(1, 4),
            "step_sizes: one fewer": shape(3),
            "step_sizes: one fewer at the end": shape(3),
        },
        {"step_sizes": {"growing": STEPS.flip(0), "negative": -STEPS}},
    ),
    "sgd.weighted_regret_bound": Row(
        sgd.weighted_regret_bound,
        {"distance": 1.0, "gradient_bound": 1.0, "step_sizes": STEPS},
        {
            "distance: zero": shape(4),
            "step_sizes: one axis more": shape(1, 4),
            "step_sizes: one fewer": shape(3),
            "step_sizes: one fewer at the end": shape(3),
        },
        {"step_sizes": {"negative": -STEPS}},
    ),
    "sgd.Schedule": Row(
        sgd.Schedule,
        {"name": "halves", "step_sizes": lambda T: torch.full((T,), 0.5), "bound": lambda T: 1.0},
        {"name: another word": lambda schedule: True, "name: empty": lambda schedule: schedule.name == ""},
    ),
    "sgd.constant": Row(sgd.constant, SIZES),
    "sgd.decaying": Row(
        sgd.decaying,
        SIZES | {"alpha": 0.5},
        {"alpha: None": lambda schedule: schedule.bound(4) < math.sqrt(2) * 3 / 2},
    ),
    "sgd.doubling": Row(sgd.doubling, SIZES),
    "sgd.strongly_convex": Row(sgd.strongly_convex, {"strong_convexity": 1.0, "gradient_bound": 1.0}),
    "sgd.adagrad_norm": Row(sgd.adagrad_norm, {"diameter": 1.0}),
    **dict(of_schedule(sgd.constant(2.0, 1.5))),
    **dict(of_schedule(sgd.decaying(2.0, 1.5))),
    **dict(of_schedule(sgd.doubling(2.0, 1.5))),
    **dict(of_schedule(sgd.strongly_convex(2.0, 1.5))),
}

X = torch.tensor([-0.4, 0.0, 0.3], dtype=F64)
DENSITY: dict[str, Outcome] = {
    "x: one fewer": shape(2),
    "x: one fewer at the end": shape(2),
    "x: empty": shape(0),
    "x: infinite": lambda p: round(float(p[0]), 6) in (0, 0.8),  # `step` goes on beyond the interval
}
DENSITIES = {
    "returns another shape": lambda x: x[:-1],
    "returns a number": lambda x: 1.0,
    "returns NaN": lambda x: x * math.nan,
    "negative": lambda x: -torch.ones_like(x),
    "nothing": torch.zeros_like,
}

TARGETS: dict[str, Row] = {
    **{
        f"targets.{density.__name__}": Row(density, {"x": X}, DENSITY)
        for density in (
            targets.seven_modes,
            targets.two_modes,
            targets.step,
            targets.gauss4,
            targets.mixed3,
            targets.raised_cosines,
        )
    },
    "targets.equal_modes": Row(targets.equal_modes, {"x": X, "num_modes": 3, "scale": 0.1}, DENSITY),
    "targets.draw_samples": Row(
        targets.draw_samples,
        {"density": targets.gauss4, "num_samples": 3, "support": (-3.0, 3.0), "generator": torch.Generator()},
        {"generator: None": shape(3)},
        {"density": DENSITIES, "support": {"infinite": (-math.inf, 1.0)}},
    ),
    "targets.quantiles": Row(
        targets.quantiles,
        {"density": targets.two_modes, "num_quantiles": 3, "num_points": 101},
        extra={"density": DENSITIES, "num_points": {"one": 1}},
    ),
    "targets.kl_divergence": Row(
        targets.kl_divergence,
        {"p": X.abs(), "q": X.abs() + 0.1, "dx": 0.5},
        {"p: empty": "q"},
        {"p": {"negative": -X.abs()}, "q": {"negative": -X.abs() - 0.1}},
    ),
}

WAVES = torch.tensor([[1.0 + 0j, 0.3, 0.2j], [0.5 + 0j, 0.1, 0.1]], dtype=torch.complex128)
UNIT = torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], dtype=F64)
NOTHING = {"a": {"all zero": 0 * WAVES}}
UNIFORM = {"a": {"one coefficient": WAVES[:, :1]}}


def is_bad(result: Tensor) -> bool:
    return not bool(result.isfinite().all())


def of_waves(last: bool) -> dict[str, Outcome]:
    """What a function of `a`, (2, 3), returns; its last axis is or is not that of `a`."""

    def sizes(*batch: int, end: int = 3) -> Check:
        return shape(*batch, *([end] if last else []))

    return {
        "a: one axis more": sizes(1, 2),
        "a: one fewer": sizes(1),
        "a: one fewer at the end": sizes(2, end=2),
        "a: NaN": is_nan,
        "a: infinite": is_bad,
    }


def of_points(name: str, *last: int, numbers: bool = True) -> dict[str, Outcome]:
    """What a function of points, (3, 2), returns at others."""
    allowed: dict[str, Outcome] = {
        f"{name}: no axis": shape(*last),
        f"{name}: one axis more": shape(1, 3, 2, *last),
        f"{name}: one fewer": shape(2, 2, *last),
        f"{name}: one fewer at the end": shape(3, 1, *last),
        f"{name}: empty": shape(0, 2, *last),
    }
    return allowed | ({f"{name}: NaN": is_nan, f"{name}: infinite": is_bad} if numbers else {})


def against_batch(name: str, numbers: bool = True) -> dict[str, Outcome]:
    """The same where points broadcast against a batch of two."""
    return of_points(name, numbers=numbers) | {
        f"{name}: no axis": shape(2),
        f"{name}: one fewer at the end": shape(3, 2),
    }


OF_BOTH: dict[str, Outcome] = {
    "a: one axis more": shape(3, 2),
    "a: one fewer": shape(3, 2),
    "a: one fewer at the end": shape(3, 2),
    "a: NaN": is_nan,
    "a: infinite": is_bad,
}


def density(**changes: Any) -> fd.FourierDensity:
    return fd.FourierDensity(2, batch_shape=(2,), **changes)


def dead() -> fd.FourierDensity:
    """A density whose `a` somebody has set to 0."""
    model = density()
    model.parts.data.zero_()
    return model


def of_new(method: str, model: Callable[[], fd.FourierDensity], /, **arguments: Any) -> Any:
    return getattr(model(), method)(**arguments)


def method(name: str) -> Callable[..., Any]:
    return partial(of_new, name, density)


FLOATS = UNIT.float()
OTHER_DTYPE = {"another dtype": UNIT}

FOURIER: dict[str, Row] = {
    "fourier_density.autocorrelation": Row(
        fd.autocorrelation,
        {"a": WAVES},
        of_waves(True) | {"a: one coefficient": shape(2, 1)},
        UNIFORM,
    ),
    "fourier_density.roughness": Row(
        fd.roughness,
        {"a": WAVES},
        of_waves(False) | {"a: all zero": is_nan},
        NOTHING,
    ),
    "fourier_density.log_normalizer": Row(
        fd.log_normalizer, {"a": WAVES}, of_waves(False) | {"a: all zero": is_bad}, NOTHING
    ),
    "fourier_density.phase": Row(fd.phase, {"x": UNIT}, of_points("x")),
    "fourier_density.fourier_basis": Row(
        fd.fourier_basis, {"x": UNIT, "num_frequencies": 3}, of_points("x", 4)
    ),
    "fourier_density.amplitude": Row(
        fd.amplitude,
        {"a": WAVES, "x": UNIT},
        OF_BOTH | against_batch("x") | {"a: one coefficient": shape(3, 2)},
        UNIFORM,
    ),
    "fourier_density.log_power": Row(
        fd.log_power,
        {"amplitude": WAVES},
        {
            "amplitude: no axis": shape(),
            "amplitude: one axis more": shape(1, 2, 3),
            "amplitude: one fewer": shape(1, 3),
            "amplitude: one fewer at the end": shape(2, 2),
            "amplitude: empty": shape(0, 3),
            "amplitude: NaN": is_nan,
            "amplitude: infinite": is_bad,
        },
    ),
    "fourier_density.log_density": Row(
        fd.log_density,
        {"a": WAVES, "x": UNIT},
        OF_BOTH | against_batch("x") | {"a: all zero": is_nan},
        NOTHING,
    ),
    "fourier_density.cdf": Row(
        fd.cdf,
        {"a": WAVES, "x": UNIT},
        OF_BOTH
        | against_batch("x")
        | {"a: all zero": is_nan, "a: one coefficient": lambda p: torch.equal(p, (UNIT + 1) / 2)},
        {"a": NOTHING["a"] | UNIFORM["a"]},
    ),
    "fourier_density.icdf": Row(
        fd.icdf,
        {"a": WAVES, "u": UNIT},
        {place: outcome for place, outcome in OF_BOTH.items() if callable(outcome) and "one" in place}
        | against_batch("u", numbers=False)
        | {"u: infinite": lambda x: x[0, 0] == 1},
        NOTHING,
    ),
    "fourier_density.log_sech2": Row(fd.log_sech2, {"u": UNIT}, of_points("u")),
    "fourier_density.FourierDensity": Row(
        fd.FourierDensity,
        {"num_frequencies": 2, "support": (-1.0, 2.0), "batch_shape": (2,)},
        extra={
            "support": {"another word": "line", "infinite": (0.0, math.inf)},
            "batch_shape": {"zero": (0,), "True": (True,)},
        },
    ),
    "fourier_density.FourierDensity.log_prob": Row(
        method("log_prob"),
        {"value": FLOATS},
        against_batch("value", numbers=False) | {"value: infinite": lambda p: p[0, 0] == -math.inf},
        {"value": OTHER_DTYPE},
    ),
    "fourier_density.FourierDensity.cdf": Row(
        method("cdf"),
        {"value": FLOATS},
        against_batch("value", numbers=False) | {"value: infinite": lambda p: p[0, 0] == 1},
        {"value": OTHER_DTYPE},
    ),
    "fourier_density.FourierDensity.icdf": Row(
        method("icdf"),
        {"u": FLOATS},
        against_batch("u", numbers=False),
        {"u": OTHER_DTYPE | {"above 1": FLOATS + 1, "negative": -FLOATS}},
    ),
    "fourier_density.FourierDensity.sample": Row(
        method("sample"),
        {"sample_shape": (3,), "generator": torch.Generator()},
        {
            "generator: None": shape(3, 2),
            "sample_shape: zero": shape(0, 2),
            "sample_shape: a list": shape(3, 2),
        },
        {"sample_shape": {"zero": (0,), "a list": [3], "True": (True,)}},
    ),
    "fourier_density.FourierDensity.fit": Row(
        method("fit"),
        {
            "samples": FLOATS,
            "penalty": 0.1,
            "steps": 2,
            "method": "lbfgs",
            "lr": 0.5,
            "callback": lambda step, nll: False,
        },
        {
            "samples: one fewer": shape(3, 2),
            "penalty: zero": shape(3, 2),
            "steps: None": lambda nll: len(nll) > 3,
            "lr: None": shape(3, 2),
            "callback: None": shape(3, 2),
        },
        {"samples": OTHER_DTYPE},
    ),
}

X34 = torch.arange(24.0).reshape(2, 3, 4)
HEAD: dict[str, Outcome] = {
    "x: one axis more": shape(1, 2, 3, 4),
    "x: one fewer": shape(1, 3, 4),
    "x: empty": shape(0, 3, 4),
    "x: NaN": is_nan,
    "x: infinite": lambda x: not x.isfinite().all(),
    "x: integers": shape(2, 3, 4),
}
TABLES = {
    "another size": torch.ones(3, 3),
    "a size of one": torch.ones(3, 1),
    "more axes than x": torch.ones(1, 1, 3, 2),
}


def of_table(name: str) -> dict[str, Outcome]:
    return {
        f"{name}: one axis more": shape(2, 3, 4),
        f"{name}: NaN": is_nan,
        f"{name}: infinite": is_bad,
        f"{name}: integers": shape(2, 3, 4),
    }


ROPE: dict[str, Row] = {
    "rope.frequencies": Row(rope.frequencies, {"head_dim": 4, "base": 100.0}, extra={"head_dim": {"odd": 3}}),
    "rope.cos_sin": Row(
        rope.cos_sin,
        {"positions": torch.arange(6).reshape(2, 3), "frequencies": torch.ones(2), "dtype": torch.float32},
        {
            "positions: no axis": "positions",
            "positions: one axis more": lambda both: both[0].shape == (1, 2, 3, 2),
            "positions: one fewer": lambda both: both[0].shape == (1, 3, 2),
            "positions: one fewer at the end": lambda both: both[0].shape == (2, 2, 2),
            "positions: empty": lambda both: both[0].shape == (0, 3, 2),
            "positions: floats": lambda both: both[0].shape == (2, 3, 2),
            "positions: negative": lambda both: both[0].shape == (2, 3, 2),
            "frequencies: one fewer": lambda both: both[0].shape == (2, 3, 1),
            "frequencies: one fewer at the end": lambda both: both[0].shape == (2, 3, 1),
            "frequencies: empty": lambda both: both[0].shape == (2, 3, 0),
        },
        {"positions": {"NaN": torch.tensor([0.0, math.nan])}, "dtype": {"of integers": torch.long}},
    ),
    "rope.rotate": Row(
        rope.rotate,
        {"x": X34, "cos": torch.full((3, 2), 0.6), "sin": torch.full((3, 2), 0.8), "layout": "halves"},
        HEAD | of_table("cos") | of_table("sin") | {"x: one fewer at the end": "x"},
        {"cos": TABLES, "sin": TABLES},
    ),
    "rope.to_halves": Row(rope.to_halves, {"x": X34}, HEAD),
    "rope.to_interleaved": Row(rope.to_interleaved, {"x": X34}, HEAD),
}

BYTES = torch.tensor([1, 2, 3, 1, 2, 3, 1, 2], dtype=torch.uint8)
SHORTER: dict[str, Outcome] = {
    f"{name}: {kind}": lambda result: bool(result)
    for name in ("text", "train")
    for kind in ("one fewer", "one fewer at the end")
}


def some(*names: str) -> dict[str, Outcome]:
    return {place: check for place, check in SHORTER.items() if place.startswith(names)}


NGRAMS: dict[str, Row] = {
    "ngrams.Unigram": Row(
        ngrams.Unigram,
        {"train": BYTES},
        some("train") | {"train: empty": lambda model: float(model.probabilities[0]) == 1 / 256},
    ),
    "ngrams.Unigram.bits_per_byte": Row(ngrams.Unigram(BYTES).bits_per_byte, {"text": BYTES}, some("text")),
    "ngrams.KneserNey": Row(
        ngrams.KneserNey, {"train": BYTES, "order": 2}, some("train"), {"order": {"too long": 8}}
    ),
    "ngrams.KneserNey.bits_per_byte": Row(
        ngrams.KneserNey(BYTES, 2).bits_per_byte, {"text": BYTES}, some("text")
    ),
    "ngrams.KneserNey.log2_probabilities": Row(
        ngrams.KneserNey(BYTES, 2).log2_probabilities,
        {"text": BYTES},
        {"text: one fewer": shape(6), "text: one fewer at the end": shape(6)},
    ),
}

PIXELS = torch.zeros(2, 28, 28, dtype=torch.uint8)
LONG_BYTES: dict[str, Outcome] = {
    f"{name}: {kind}": lambda corpus: isinstance(corpus, data.Corpus)
    for name in ("train", "validation")
    for kind in ("one fewer", "one fewer at the end", "empty")
}

DATA: dict[str, Row] = {
    "data.Corpus": Row(
        data.Corpus,
        {"name": "two", "train": BYTES, "validation": BYTES},
        LONG_BYTES
        | {
            "name: another word": lambda corpus: corpus.name == "no such word",
            "name: empty": lambda corpus: corpus.name == "",
        },
    ),
    "data.Images": Row(
        data.Images,
        {"pixels": PIXELS, "labels": torch.zeros(2, dtype=torch.uint8)},
        extra={"pixels": {"another size": PIXELS[:, :3]}},
    ),
    "data.as_bytes": Row(
        data.as_bytes,
        {"text": "abc"},
        {"text: another word": lambda raw: len(raw) == 12, "text: empty": shape(0)},
    ),
    "data.as_text": Row(
        data.as_text,
        {"text": torch.tensor([97, 98])},
        {
            "text: one fewer": lambda text: text == "a",
            "text: one fewer at the end": lambda text: text == "a",
            "text: empty": lambda text: text == "",
        },
        {"text": {"above 255": torch.tensor([256])}},
    ),
    "data.photograph_patches": Row(
        data.photograph_patches,
        {"patch_size": 64, "split": "validation"},
        extra={"patch_size": {"too large": 500}},
    ),
    "data.fashion_mnist": Row(data.fashion_mnist, {"split": "train"}, offline=False),
}


TRAINING: dict[str, Row] = {
    "training.Plan": Row(
        training.Plan,
        {
            "steps": 3,
            "lr": 0.1,
            "warmup_steps": 1,
            "min_lr_ratio": 0.1,
            "max_grad_norm": 1.0,
            "weight_decay": 0.1,
            "betas": (0.9, 0.95),
            "seed": 1,
        },
        {
            f"{name}: {kind}": lambda plan: isinstance(plan, training.Plan)
            for name, kind in (
                ("warmup_steps", "zero"),
                ("min_lr_ratio", "zero"),
                ("max_grad_norm", "infinite"),
                ("weight_decay", "zero"),
                ("betas", "reversed"),
                ("betas", "equal"),
                ("seed", "zero"),
            )
        },
        {"min_lr_ratio": {"above 1": 1.5}, "betas": {"one is 1": (0.9, 1.0)}},
    ),
    "training.Plan.lr_at": Row(
        training.Plan(3).lr_at, {"step": 2}, {"step: zero": lambda lr: lr > 0}, {"step": {"too late": 4}}
    ),
    "training.train": Row(
        training.train,
        {
            "model": torch.nn.Linear(1, 1),
            "draw_batch": lambda generator: torch.ones(1, 1),
            "loss_fn": lambda model, batch: model(batch).square().mean(),
            "plan": training.Plan(1),
            "checkpoint": None,
            "save_steps": 200,
            "fingerprint": "",
            "progress": False,
        },
        {
            "fingerprint: another word": lambda losses: len(losses) == 1,
            "fingerprint: empty": lambda losses: len(losses) == 1,
            "progress: None": lambda losses: len(losses) == 1,
            "progress: two": lambda losses: len(losses) == 1,
        },
        {
            "model": {"a function": torch.sin},
            "loss_fn": {
                "returns a number": lambda model, batch: 1.0,
                "returns two": lambda model, batch: torch.ones(2),
            },
            "plan": {"a number": 3},
            "checkpoint": {"a number": 3, "in no folder": "/no/such/folder/file"},
        },
    ),
}

SMALL = decoder.Config(
    vocab_size=7,
    num_hidden_layers=1,
    hidden_size=4,
    num_attention_heads=2,
    num_key_value_heads=1,
    intermediate_size=6,
    max_position_embeddings=8,
)
MODEL = decoder.Decoder(SMALL)
IDS = torch.tensor([[1, 2, 3], [4, 5, 6]])
NOT_IDS = {"beyond the vocabulary": IDS + 1}
MASK = torch.tensor([[True, True, True], [False, True, True]])
FORWARD = {
    "ids": IDS,
    "positions": torch.arange(3).expand(2, 3),
    "attention_mask": MASK,
    "caches": None,
}
FORWARDED: dict[str, Outcome] = {
    "ids: one fewer": "attention_mask",
    "ids: one fewer at the end": "positions",
    "ids: empty": "attention_mask",
    "positions: None": lambda result: result.shape[:2] == (2, 3),
    "attention_mask: None": lambda result: result.shape[:2] == (2, 3),
}
FORWARD_EXTRA: dict[str, dict[str, Any]] = {
    "ids": NOT_IDS,
    "positions": {"beyond the model": torch.full((2, 3), 8)},
    "caches": {"none": [], "too many": [None, None], "a number": 3, "numbers": [3]},
}
FORWARDED["caches: numbers"] = "cache"

HIDDEN = torch.arange(24.0).reshape(2, 3, 4) / 24


def of_hidden(name: str, size: int) -> dict[str, Outcome]:
    return {
        f"{name}: one axis more": shape(1, 2, 3, size),
        f"{name}: one fewer": shape(1, 3, size),
        f"{name}: empty": shape(0, 3, size),
        f"{name}: NaN": is_nan,
        f"{name}: infinite": is_bad,
    }


LAYER = {
    "x": HIDDEN,
    "positions": torch.arange(3).expand(2, 3),
    "attention_mask": MASK,
    "cache": None,
}
LAYERED: dict[str, Outcome] = {
    "x: one fewer": "attention_mask",
    "x: empty": "attention_mask",
    "x: NaN": is_nan,
    "x: infinite": is_bad,
    "x: too long": "attention_mask",
    "positions: None": shape(2, 3, 4),
    "attention_mask: None": shape(2, 3, 4),
}
LAYER_EXTRA: dict[str, dict[str, Any]] = {
    "x": {"too long": torch.ones(2, 9, 4)},
    "positions": {"beyond the model": torch.full((2, 3), 8)},
    "cache": {"a number": 3, "for another batch": decoder.GroupedQueryAttention(SMALL).new_cache(1, 8)},
}
QUERY, KEY = torch.arange(12.0).reshape(2, 2, 3, 1).expand(2, 2, 3, 2) / 12, torch.ones(2, 1, 3, 2)
HEADS = {"query": QUERY, "key": KEY, "value": KEY}
NOT_HEADS = {
    "query": {"one more": torch.ones(2, 2, 4, 2), "three heads": torch.ones(2, 3, 3, 2)},
    "key": {"another dtype": KEY.double(), "two more heads": KEY.expand(2, 3, 3, 2)},
    "value": {"another dtype": KEY.double()},
}
HEADED: dict[str, Outcome] = {
    "query: one fewer": "key",
    "query: one fewer at the end": "key",
    "query: empty": "key",
    "key: two more heads": "value",
    "query: three heads": shape(2, 3, 3, 2),
    "value: one fewer at the end": shape(2, 2, 3, 1),
    **{f"{name}: NaN": is_nan for name in HEADS},
    **{f"{name}: infinite": is_bad for name in HEADS},
}
STORES = torch.zeros(2, 1, 8, 2), torch.zeros(2, 1, 8, 2)
TOKENS = torch.ones(2, 1, 3, 2)


def of_stores(stores: Any) -> decoder.KeyValueCache:
    return decoder.KeyValueCache(*stores) if isinstance(stores, tuple) else decoder.KeyValueCache(stores)


def appended(new: Any) -> Tensor:
    """What a new cache returns for its first store, unless it refuses and stays as it was."""
    cache = of_stores(STORES)
    try:
        return cache.append(*new)[0] if isinstance(new, tuple) else cache.append(new)[0]
    except (TypeError, ValueError):
        assert cache.seen == 0
        assert not any(store.any() for store in cache.stores)
        raise
    finally:
        [store.zero_() for store in STORES]


DECODER: dict[str, Row] = {
    "decoder.Config": Row(
        decoder.Config,
        {
            "vocab_size": 7,
            "num_hidden_layers": 1,
            "hidden_size": 4,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "intermediate_size": 6,
            "max_position_embeddings": 8,
            "rope_theta": 100.0,
            "rms_norm_eps": 1e-5,
        },
        extra={"num_attention_heads": {"odd sizes": 4}, "num_key_value_heads": {"no divisor": 3}},
    ),
    "decoder.positions_from_mask": Row(
        decoder.positions_from_mask,
        {"attention_mask": MASK},
        {
            "attention_mask: one fewer": shape(1, 3),
            "attention_mask: one fewer at the end": shape(2, 2),
            "attention_mask: empty": shape(0, 3),
        },
    ),
    "decoder.KeyValueCache": Row(
        of_stores,
        {"stores": STORES},
        {"stores: one": lambda cache: cache.seen == 0},
        {
            "stores": {
                "none": (),
                "one": STORES[:1],
                "two axes": (torch.zeros(2, 8),),
                "two batches": (STORES[0], STORES[1][:1]),
                "two lengths": (STORES[0], STORES[1][:, :, :5]),
            }
        },
    ),
    "decoder.KeyValueCache.check": Row(
        of_stores(STORES).check,
        {"batch_size": 2, "num_new": 8},
        {"num_new: zero": lambda result: result is None, "num_new: too many": "cache"},
        {"batch_size": {"more": 3}, "num_new": {"too many": 9}},
    ),
    "decoder.KeyValueCache.append": Row(
        appended,
        {"new": (TOKENS, TOKENS)},
        {"new: no token": shape(2, 1, 0, 2), "new: too many": "cache"},
        {
            "new": {
                "none": (),
                "one": (TOKENS,),
                "three": (TOKENS,) * 3,
                "no token": (TOKENS[:, :, :0],) * 2,
                "too many": (torch.ones(2, 1, 9, 2),) * 2,
                "two counts": (TOKENS, TOKENS[:, :, :1]),
                "another batch": (TOKENS[:1], TOKENS[:1]),
                "a batch that broadcasts": (TOKENS, TOKENS[:1]),
                "another dtype": (TOKENS, TOKENS.double()),
                "another size": (TOKENS, TOKENS[..., :1]),
            }
        },
    ),
    "decoder.causal_attention": Row(
        decoder.causal_attention,
        {**HEADS, "attention_mask": MASK, "bias": torch.ones(2, 3, 3)},
        HEADED
        | {
            "attention_mask: None": shape(2, 2, 3, 2),
            "bias: None": shape(2, 2, 3, 2),
            "bias: one axis more": shape(2, 2, 3, 2),
            "bias: one fewer": shape(2, 2, 3, 2),
            "bias: NaN": is_nan,
            "bias: infinite": is_bad,
            "query: three heads": "bias",
        },
        NOT_HEADS
        | {
            "bias": {"one size": torch.ones(1), "five axes": torch.ones(1, 1, 1, 3, 3)},
        },
    ),
    "decoder.GroupedQueryAttention.new_cache": Row(
        decoder.GroupedQueryAttention(SMALL).new_cache,
        {"batch_size": 2, "max_length": 5},
        extra={"max_length": {"too long": 9}},
    ),
    "decoder.GroupedQueryAttention.forward": Row(
        decoder.GroupedQueryAttention(SMALL).forward, LAYER, LAYERED, LAYER_EXTRA
    ),
    "decoder.GroupedQueryAttention.attend": Row(
        decoder.GroupedQueryAttention(SMALL).attend,
        {**HEADS, "positions": LAYER["positions"], "attention_mask": MASK, "cache": None},
        HEADED
        | {
            "positions: None": shape(2, 2, 3, 2),
            "attention_mask: None": shape(2, 2, 3, 2),
            "query: one more": "key",
        },
        NOT_HEADS
        | {
            "positions": LAYER_EXTRA["positions"],
            "cache": LAYER_EXTRA["cache"],
        },
    ),
    "decoder.FeedForward.forward": Row(decoder.FeedForward(SMALL).forward, {"x": HIDDEN}, of_hidden("x", 4)),
    "decoder.DecoderLayer.forward": Row(MODEL.layers[0].forward, LAYER, LAYERED, LAYER_EXTRA),
    "decoder.Decoder.logits": Row(MODEL.logits, {"hidden_states": HIDDEN}, of_hidden("hidden_states", 7)),
    "decoder.GroupedQueryAttention": Row(decoder.GroupedQueryAttention, {"config": SMALL}),
    "decoder.FeedForward": Row(decoder.FeedForward, {"config": SMALL}),
    "decoder.DecoderLayer": Row(
        decoder.DecoderLayer, {"config": SMALL, "attention": decoder.GroupedQueryAttention(SMALL)}
    ),
    "decoder.Decoder": Row(decoder.Decoder, {"config": SMALL, "attention": decoder.GroupedQueryAttention}),
    "decoder.Decoder.new_caches": Row(
        MODEL.new_caches, {"batch_size": 2, "max_length": 5}, extra={"max_length": {"too long": 9}}
    ),
    "decoder.Decoder.hidden_states": Row(MODEL.hidden_states, FORWARD, FORWARDED, FORWARD_EXTRA),
    "decoder.Decoder.forward": Row(MODEL.forward, FORWARD, FORWARDED, FORWARD_EXTRA),
    "decoder.generate": Row(
        decoder.generate,
        {
            "model": MODEL,
            "ids": IDS,
            "max_new_tokens": 1,
            "temperature": 0.5,
            "generator": torch.Generator(),
            "attention_mask": MASK,
        },
        {
            "ids: one fewer": "attention_mask",
            "ids: one fewer at the end": "attention_mask",
            "ids: empty": "attention_mask",
            "max_new_tokens: zero": shape(2, 3),
            "temperature: zero": shape(2, 4),
            "generator: None": shape(2, 4),
            "attention_mask: None": shape(2, 4),
        },
        {"ids": NOT_IDS, "attention_mask": {"padded on the right": MASK.flip(1)}},
    ),
    "decoder.num_parameters": Row(decoder.num_parameters, {"model": MODEL}),
}

TABLE: dict[str, Row] = SGD | TARGETS | FOURIER | ROPE | NGRAMS | DATA | TRAINING | DECODER


# ---- the tests


@dataclass(frozen=True)
class Case:
    row: str
    argument: str
    kind: str
    value: Any

    @property
    def place(self) -> str:
        return f"{self.argument}: {self.kind}"


def cases() -> Iterator[Case]:
    for name, row in TABLE.items():
        for argument, good in row.good.items():
            for kind, value in [*bad_values(good), *row.extra.get(argument, {}).items()]:
                yield Case(name, argument, kind, value)


CASES = list(cases())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}-{case.place}")
def test_bad_input_is_refused_by_name_or_allowed(case: Case) -> None:
    row = TABLE[case.row]
    arguments = {**row.good, case.argument: case.value}
    outcome = row.allowed.get(case.place, case.argument)
    if isinstance(outcome, str):
        with pytest.raises((ValueError, TypeError), match=rf"\b{outcome}\b"):
            row.call(**arguments)
    elif isinstance(outcome, type):
        with pytest.raises(outcome):
            row.call(**arguments)
    else:
        assert outcome(row.call(**arguments))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.offline])
def test_the_good_call_works(name: str) -> None:
    TABLE[name].call(**TABLE[name].good)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "argument"),
    [(n, a) for n, row in TABLE.items() for a, v in row.good.items() if isinstance(v, float)],
)
def test_an_integer_is_a_float(name: str, argument: str) -> None:
    """1 does for 1.0, with the same result."""
    row = TABLE[name]
    results = []
    for value in (1.0, 1):
        if isinstance(generator := row.good.get("generator"), torch.Generator):
            generator.manual_seed(0)
        results.append(row.call(**{**row.good, argument: value}))
    one, integer = results
    if isinstance(one, Tensor):
        assert torch.equal(one, integer)
    else:
        assert type(one) is type(integer)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("log_prob", {"value": FLOATS}),
        ("cdf", {"value": FLOATS}),
        ("icdf", {"u": FLOATS}),
        ("sample", {"sample_shape": (3,)}),
    ],
)
def test_a_density_that_was_set_to_zero_is_refused(name: str, arguments: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="a: it is 0 or not finite"):
        of_new(name, dead, **arguments)


def test_what_is_allowed_is_tried() -> None:
    """An exception for a kind that no longer exists would hide nothing, but says what is not so."""
    tried = {(case.row, case.place) for case in CASES}
    assert {(name, place) for name, row in TABLE.items() for place in row.allowed} <= tried


def public(module: ModuleType) -> Iterator[tuple[str, set[str]]]:
    """The functions, constructors and methods that take arguments, each with their names."""
    short = module.__name__.rpartition(".")[2]
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(value):
            yield f"{short}.{name}", arguments_of(value)
        elif inspect.isclass(value) and not issubclass(value, Warning) and not hasattr(value, "_fields"):
            if "__init__" in vars(value):
                yield f"{short}.{name}", arguments_of(value.__init__)
            for method, code in vars(value).items():
                if inspect.isfunction(code) and not method.startswith("_"):
                    yield f"{short}.{name}.{method}", arguments_of(code)


def arguments_of(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


def wanted_rows(module: str) -> dict[str, set[str]]:
    """The arguments of what takes any."""
    named = public(importlib.import_module(f"explainers.{module}"))
    return {name: arguments for name, arguments in named if arguments}


@pytest.mark.parametrize("module", SCIENCE)
def test_every_public_name_has_its_row_with_every_argument(module: str) -> None:
    wanted = wanted_rows(module)
    assert {name: set(TABLE[name].good) if name in TABLE else set() for name in wanted} == wanted
