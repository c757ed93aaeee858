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
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        case()
    for _ in range(rounds):
        for name, case in cases.items():
            if sum(taken[name]) > 3 and len(taken[name]) >= 5:
                continue
            started = time.perf_counter()
            case()
            taken[name].append(time.perf_counter() - started)
    return taken


def rows(group: str, taken: Mapping[str, list[float]], against: str) -> list[dict[str, Any]]:
    """One row for each case: median, least and most milliseconds, and the ratio of medians to `against`."""
    middle = {name: statistics.median(seconds) for name, seconds in taken.items()}
    return [
        {
            "group": group,
            "case": name,
            "ms": 1e3 * middle[name],
            "least": 1e3 * min(seconds),
            "most": 1e3 * max(seconds),
            "ratio": middle[name] / middle[against],
            "rounds": len(seconds),
        }
        for name, seconds in taken.items()
    ]


def record(chapter: str, found: list[dict[str, Any]], module: str, seconds: float) -> Benchmark:
    """Print the rows and write them to results/bench-<chapter>.json."""
    for row in found:
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
    written = Benchmark(chapter, found, made, module)
    print("recorded", stored.write_record(written).name)
    return written
