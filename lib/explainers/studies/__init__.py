"""What the book measures: one module for each chapter, each with its `EXPERIMENTS`.

The registry of these experiments is here, and with it what finds one by its name.
"""

import importlib
import os
import pkgutil
from typing import Literal, overload

from explainers.experiments import Benchmark, Experiment, Record
from explainers.experiments import experiment as recorded


def experiments() -> dict[str, Experiment]:
    """Every experiment of the book by name, from the modules of this package."""
    found: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(__path__):
        studies = importlib.import_module(f"{__name__}.{module.name}")
        for study in studies.EXPERIMENTS:
            if study.name in found:
                raise ValueError(f"{module.name}: another study has {study.name!r}")
            found[study.name] = study
    return found


def known(name: str) -> Experiment:
    """The experiment `name`; `ValueError` that lists them all if there is none."""
    found = experiments()
    if name not in found:
        raise ValueError(
            f"name: {name!r} is not an experiment; there are {sorted(found)}"
        )
    return found[name]


@overload
def experiment(name: Literal["bench"], preset: str) -> Benchmark: ...  # type: ignore[overload-overlap]
@overload
def experiment(name: str, preset: str = "cpu") -> Record: ...
def experiment(name: str, preset: str = "cpu") -> Record | Benchmark:
    """The recorded run, for a page to show; of the name "bench" it is the benchmark of
    the chapter `preset`.

    With preset "gpu", a CUDA device and EXPLAINERS_GPU=1 it is run and recorded first.
    Raises `ValueError` when nothing is recorded, and for a file that is no such record.
    """
    if preset == "gpu" and os.environ.get("EXPLAINERS_GPU") == "1":
        import torch

        if torch.cuda.is_available():
            from explainers.experiments.runner import run

            return run(known(name), preset)
    return recorded(name, preset)
