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
    by_name: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(__path__):
        studies = importlib.import_module(f"{__name__}.{module.name}")
        for study in studies.EXPERIMENTS:
            if study.name in by_name:
                raise ValueError(f"{module.name}: another study has {study.name!r}")
            by_name[study.name] = study
    return by_name


def get_experiment(name: str) -> Experiment:
    """The experiment `name`. Raises `ValueError`, with all names, for another one."""
    by_name = experiments()
    if name not in by_name:
        raise ValueError(
            f"name: {name!r} is not an experiment; there are {sorted(by_name)}"
        )
    return by_name[name]


@overload
def experiment(name: Literal["bench"], preset: str) -> Benchmark: ...  # type: ignore[overload-overlap]
@overload
def experiment(name: str, preset: str = "cpu") -> Record: ...
def experiment(name: str, preset: str = "cpu") -> Record | Benchmark:
    """The recorded run, for a page to show; of the name "bench" it is the benchmark of
    the chapter `preset`.

    With preset "gpu", a CUDA device and EXPLAINERS_GPU=1 it is run and recorded first.
    Raises `ValueError` when nothing is recorded, and for a file that holds another
    record.
    """
    if preset == "gpu" and os.environ.get("EXPLAINERS_GPU") == "1":
        import torch

        if torch.cuda.is_available():
            from explainers.experiments.runner import run

            return run(get_experiment(name), preset)
    return recorded(name, preset)
