"""Timing that survives a busy machine: the cases take turns, and only ratios within a run are compared.

Two threads, as a reader's laptop would use them; set before torch is imported.
"""

import os

for name, value in {
    "OMP_NUM_THREADS": "2",
    "MKL_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",  # a waiting thread gives its core away
    "KMP_BLOCKTIME": "0",
}.items():
    os.environ[name] = value

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from explainers.experiments import Benchmark, provenance, stored

Case = Callable[[], object]
# as it is before anything was measured; `--dirty` tries out what is not committed
try:
    TREE = provenance.clean_working_tree(dirty="--dirty" in sys.argv)
except ValueError as refused:
    sys.exit(f"error: {refused}")


def compare(cases: Mapping[str, Case], rounds: int = 21) -> dict[str, list[float]]:
    """Seconds of each case in each round, the cases one after the other, after one round to warm up.

    Three seconds at most go to a case that is slow: then it has fewer rounds, but never below five.
    """
    timings: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        case()
    for _ in range(rounds):
        for name, case in cases.items():
            if sum(timings[name]) > 3 and len(timings[name]) >= 5:
                continue
            started = time.perf_counter()
            case()
            timings[name].append(time.perf_counter() - started)
    return timings


def rows(group: str, timings: Mapping[str, list[float]], against: str) -> list[dict[str, Any]]:
    """One row for each case: median, least and most milliseconds, and the ratio of medians to `against`."""
    medians = {name: statistics.median(seconds) for name, seconds in timings.items()}
    return [
        {
            "group": group,
            "case": name,
            "ms": 1e3 * medians[name],
            "least": 1e3 * min(seconds),
            "most": 1e3 * max(seconds),
            "ratio": medians[name] / medians[against],
            "rounds": len(seconds),
        }
        for name, seconds in timings.items()
    ]


def record(chapter: str, rows: list[dict[str, Any]], module: str, seconds: float) -> Benchmark:
    """Print the rows and write them to results/bench-<chapter>.json."""
    for row in rows:
        words = ", ".join(
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in row.items()
        )
        print(words)
    made = provenance.run_metadata(
        provenance.fingerprint(module),
        TREE.revision,
        TREE.dirty,
        seconds,
        f"python benchmarks/{chapter}.py",
        threads=2,
    )
    written = Benchmark(chapter, rows, made, module)
    print("recorded", stored.write_record(written).name)
    return written
