"""The rivals of the Fourier chapter are densities, and a cell of a sweep repeats with its seed."""

from collections.abc import Callable

import pytest
import torch

from explainers import targets
from explainers.studies import experiments
from explainers.studies import fourier_density as study


@pytest.mark.parametrize("model", study.MODELS)
def test_every_rival_is_a_density(model: str) -> None:
    drawn = targets.draw_samples(
        targets.gauss4, 400, support=study.LINE, generator=torch.Generator().manual_seed(0)
    )
    x = torch.linspace(-40, 40, 80_001, dtype=torch.float64)
    density = study.fit(model, drawn, 24, study.LINE, seed=0)(x).exp()
    assert (density >= 0).all()
    assert abs(torch.trapezoid(density, x).item() - 1) < 1e-3


def test_the_network_only_rises_and_keeps_to_its_size() -> None:
    drawn = targets.draw_samples(
        targets.gauss4, 200, support=study.LINE, generator=torch.Generator().manual_seed(0)
    )
    log_density = study.fit_monotone_network(drawn, 24, seed=0, steps=20)
    assert log_density(study.grid(study.LINE)).isfinite().all()
    with pytest.raises(ValueError, match="empty"):
        study.fit_monotone_network(drawn, 7, seed=0)


@pytest.mark.parametrize(
    ("shift", "recovered"), [(0.0, 4), (0.05, 4)], ids=["the truth itself", "the truth a little aside"]
)
def test_modes_are_found_where_they_are(shift: float, recovered: int) -> None:
    x = study.grid(study.LINE)
    assert study.count_modes(targets.gauss4(x), targets.gauss4(x - shift), x) == (recovered, 4)


def test_one_hump_finds_one_mode() -> None:
    x = study.grid(study.LINE)
    assert study.count_modes(targets.gauss4(x), torch.exp(-(x**2) / 2), x)[0] == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: study.compare(1, "raised cosines", "fourier", 24, samples=500),
        lambda: study.boundary(1, 0.03, "mixture", 8, modes=10, samples=500),
        lambda: study.cross_validate(1, "petal length", "fourier", 6),
        lambda: study.starts(1, "EM from random_from_data", numbers=20, samples=500),
        lambda: study.penalised(1, 0.01, waves=4, samples=50),
    ],
)
def test_a_cell_repeats_with_its_seed(call: Callable[[], dict[str, float]]) -> None:
    assert call() == call()


def test_the_studies_are_known_by_name() -> None:
    assert {"fourier_density", "fourier_density_boundary", "fourier_density_real"} <= set(experiments())
