"""Recorded runs: what is too heavy for a page, run once and kept with how it was made.

A study needs `Experiment` and `Preset`, a page `Record`; `explainers.studies` knows
every experiment by name. What runs a sweep is `explainers.experiments.runner`.
"""

from explainers.experiments.benchmarks import Benchmark
from explainers.experiments.record import Experiment, Preset, Record
from explainers.experiments.stored import experiment

__all__ = ["Benchmark", "Experiment", "Preset", "Record", "experiment"]
