"""Bad input is refused in words that name it, and changes nothing."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from explainers.fourier_density import FourierDensity
from tests.fourier_density.densities import Support, two_bumps

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
def test_a_bad_model_is_refused(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        FourierDensity(**arguments)


@pytest.mark.parametrize("support", [(-1.0, 1.0), "real"])
@pytest.mark.parametrize(
    ("method", "value", "error", "words"),
    [
        ("log_prob", NAN, ValueError, "value"),
        ("cdf", NAN, ValueError, "value"),
        ("icdf", NAN, ValueError, "u:"),
        ("icdf", torch.tensor([0.5, 1.1]), ValueError, r"u: .* 0\.5 to 1\.1"),
        ("icdf", torch.tensor([-0.1]), ValueError, "u:"),
        ("log_prob", torch.zeros(2).double(), TypeError, "value: .*got torch.float64"),
        ("cdf", torch.zeros(2).double(), TypeError, "value: expected torch.float32"),
        ("icdf", torch.zeros(2).double(), TypeError, "u: expected torch.float32"),
        ("log_prob", torch.zeros(2, dtype=torch.long), TypeError, "value"),
        ("log_prob", torch.zeros(4), ValueError, r"value: .*\(3,\), got \(4,\)"),
    ],
)
def test_bad_values_are_refused(
    support: Support, method: str, value: Tensor, error: type[Exception], words: str
) -> None:
    model = FourierDensity(2, support=support, batch_shape=(3,) if value.shape == (4,) else ())
    with pytest.raises(error, match=words):
        getattr(model, method)(value)


GOOD = two_bumps(40, dtype=torch.float32)


@pytest.mark.parametrize(
    ("support", "samples", "options", "error", "words"),
    [
        ("real", torch.zeros(0), {}, ValueError, r"samples: .*the shape \(0,\)"),
        ("real", torch.tensor(0.5), {}, ValueError, r"samples: .*\(n,\), got \(\)"),
        ("real", torch.zeros(5, 2), {}, ValueError, r"samples: .*\(n,\), got \(5, 2\)"),
        ("real", NAN, {}, ValueError, "samples: .* nan"),
        ("real", torch.tensor([0.0, 1.0, math.inf]), {}, ValueError, "samples: .*inf"),
        ("real", torch.ones(5), {}, ValueError, "samples: .*scale"),
        ("real", GOOD.double(), {}, TypeError, "samples: expected torch.float32"),
        (
            (-1.0, 1.0),
            torch.tensor([0.0, 1.5]),
            {},
            ValueError,
            r"samples: .*-1\.0 to 1\.0, got 0\.0 to 1\.5",
        ),
        ((-1.0, 1.0), torch.tensor([-math.inf, 0.0]), {}, ValueError, "samples: .*got -inf"),
        ((-1.0, 1.0), GOOD, {"method": "sgd"}, ValueError, "method: .*got 'sgd'"),
        ((-1.0, 1.0), GOOD, {"penalty": -1.0}, ValueError, "penalty: .*got -1"),
        ((-1.0, 1.0), GOOD, {"penalty": math.nan}, ValueError, "penalty: .*got nan"),
        ((-1.0, 1.0), GOOD, {"steps": 0}, ValueError, "steps: .*got 0"),
        ((-1.0, 1.0), GOOD, {"lr": 0.0}, ValueError, "lr: .*got 0"),
        ("real", GOOD, {"method": "adam", "lr": 1e30}, FloatingPointError, "step 1"),
    ],
)
def test_bad_fits_are_refused_and_change_nothing(
    support: Support, samples: Tensor, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    model = FourierDensity(3, support=support)
    model.fit(GOOD, steps=3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(error, match=words):
        model.fit(samples, **options)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_failure_in_a_batch_changes_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
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
