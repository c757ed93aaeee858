"""The Fourier density beside scikit-learn's Gaussian mixture: time of a log density and of a fit, and KL.

    python benchmarks/fourier_density.py

Workload: 8,192 draws of `gauss4` and `mixed3`, a model of 10 waves (22 numbers and the two of the map) and a
mixture of 7 Gaussians (20 numbers). KL by quadrature, five samples.
"""

import time

import harness  # first: it sets the threads
import torch
from sklearn.mixture import GaussianMixture

from explainers import targets
from explainers.fourier_density import FourierDensity
from explainers.studies.fourier_density import LINE, TARGETS, grid, kl_divergence


def main() -> None:
    """Run and record."""
    started = time.perf_counter()
    torch.set_num_threads(2)
    density, _ = TARGETS["gauss4"]
    rng = torch.Generator().manual_seed(0)
    x = targets.draw_samples(density, 8192, support=LINE, generator=rng)
    double = FourierDensity(10, support="real").double()
    double.fit(x)
    on_interval = FourierDensity(10, support=LINE).double()  # 22 numbers, and no map to the line
    on_interval.fit(x)
    single = FourierDensity(10, support="real")
    single.load_state_dict(double.state_dict())
    interval32 = FourierDensity(10, support=LINE)
    interval32.load_state_dict(on_interval.state_dict())
    mixture = GaussianMixture(7, random_state=0).fit(x[:, None].numpy())
    column, x32 = x[:, None].numpy(), x.float()

    def quietly(model: FourierDensity, points: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return model.log_prob(points)

    measured = harness.rows(
        "log density of 8,192 points",
        harness.compare(
            {
                "mixture, float64": lambda: mixture.score_samples(column),
                "waves on an interval, float64": lambda: quietly(on_interval, x),
                "waves on an interval, float32": lambda: quietly(interval32, x32),
                "waves on the line, float64": lambda: quietly(double, x),
                "waves on the line, float32": lambda: quietly(single, x32),
            },
            rounds=101,
        ),
        "mixture, float64",
    )
    for name in ("gauss4", "mixed3"):
        drawn = targets.draw_samples(
            TARGETS[name][0], 8192, support=LINE, generator=torch.Generator().manual_seed(0)
        )
        as_column = drawn[:, None].numpy()
        measured += harness.rows(
            f"fit to 8,192 draws of {name}",
            harness.compare(
                {
                    "mixture by EM": lambda c=as_column: GaussianMixture(7, random_state=0).fit(c),
                    "waves, float64": lambda d=drawn: FourierDensity(10, support="real").double().fit(d),
                    "waves, float32": lambda d=drawn: FourierDensity(10, support="real").fit(d.float()),
                },
                rounds=9,
            ),
            "mixture by EM",
        )
    x_grid = grid(LINE)
    for name in ("gauss4", "mixed3"):
        for seed in range(5):
            rng = torch.Generator().manual_seed(seed)
            drawn = targets.draw_samples(TARGETS[name][0], 8192, support=LINE, generator=rng)
            model = FourierDensity(10, support="real").double()
            model.fit(drawn)
            fitted = model.log_prob(x_grid).exp().detach()
            kl = kl_divergence(TARGETS[name][0](x_grid), fitted, x_grid)
            measured.append({"group": f"KL on {name}", "case": "waves, N = 10", "seed": seed, "kl": kl})
    harness.record(
        "fourier_density", measured, "explainers.studies.fourier_density", time.perf_counter() - started
    )


if __name__ == "__main__":
    main()
