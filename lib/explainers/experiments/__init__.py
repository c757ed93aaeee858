"""Recorded runs: experiments that take too long for a page are run once, and their
results are stored as JSON with code version, machine and date.

A study defines an `Experiment` with one or more `Preset`, and a page reads its
`Record`. `explainers.studies` finds an experiment by its name, and
`explainers.experiments.runner` runs one.
"""

from explainers.experiments.benchmarks import Benchmark
from explainers.experiments.record import Experiment, Preset, Record
from explainers.experiments.stored import load_record

__all__ = ["Benchmark", "Experiment", "Preset", "Record", "load_record"]
