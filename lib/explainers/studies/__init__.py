"""The registry of all experiments of the book, and their records.

Each module of this package defines the experiments of one chapter, `EXPERIMENTS`.
"""

import importlib
import os
import pkgutil
from typing import Literal, overload

from explainers.experiments import Benchmark, Experiment, Record, load_record


def experiments() -> dict[str, Experiment]:
    """All experiments in the modules of this package, by name.

    Raises `ValueError` if two have the same name.
    """
    by_name: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(__path__):
        studies = importlib.import_module(f"{__name__}.{module.name}")
        for study in studies.EXPERIMENTS:
            if study.name in by_name:
                raise ValueError(
                    f"{module.name}: the name {study.name!r} is not unique"
                )
            by_name[study.name] = study
    return by_name


def get_experiment(name: str) -> Experiment:
    """The experiment `name`. Raises `ValueError` that lists all names if there is
    none."""
    by_name = experiments()
    if name not in by_name:
        raise ValueError(f"name: expected one of {sorted(by_name)}, got {name!r}")
    return by_name[name]


@overload
def experiment(name: Literal["bench"], preset: str) -> Benchmark: ...  # type: ignore[overload-overlap]
@overload
def experiment(name: str, preset: str = "cpu") -> Record: ...
def experiment(name: str, preset: str = "cpu") -> Record | Benchmark:
    """The record of the experiment `name` with `preset`; if `name` is "bench", the
    benchmark of the chapter `preset`.

    With the preset "gpu" and EXPLAINERS_GPU=1 in the environment, the experiment is run
    and recorded first if there is a CUDA device. Raises `ValueError` if there is no
    such file in `results`, or if it is not a valid record.
    """
    if preset == "gpu" and os.environ.get("EXPLAINERS_GPU") == "1":
        import torch

        if torch.cuda.is_available():
            from explainers.experiments.runner import run

            return run(get_experiment(name), preset)
    return load_record(name, preset)
