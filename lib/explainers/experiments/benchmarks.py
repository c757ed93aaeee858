"""The record of a benchmark: times of a chapter's implementation and of others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explainers.experiments.record import (
    Row,
    check_finite,
    check_made,
    check_type,
    select_rows,
)

PREFIX = "bench-"
_TIMES = ("ms", "least", "most", "ratio", "rounds")


@dataclass(frozen=True)
class Benchmark:
    """Times that were measured in one run, with the cases in turn in each round.

    Each entry of `cases` is a dict with the names of its `group` and its `case`; times
    are comparable within a group. An entry with times has the number of `rounds`, and
    the median `ms`, the minimum `least` and the maximum `most` of their times in
    milliseconds; `ratio` is its median divided by that of a reference case of the
    group. Other entries hold other measurements. `made` describes the run: code,
    versions, device, number of threads, date and command. `module` is the name of the
    module that was timed, empty in older records.
    """

    chapter: str
    cases: list[Row]
    made: dict[str, Any]
    module: str = ""

    @property
    def machine(self) -> str:
        """The device, a GPU or the number of cores and the architecture."""
        return str(self.made["device"])

    @property
    def versions(self) -> dict[str, str]:
        """The versions of Python and of the libraries."""
        return dict(self.made["versions"])

    @property
    def date(self) -> str:
        """The date of the run, YYYY-MM-DD."""
        return str(self.made["date"])

    @property
    def command(self) -> str:
        """The command that runs the benchmark again."""
        return str(self.made["command"])

    @property
    def rounds(self) -> tuple[int, int]:
        """The smallest and the largest number of rounds of a case with times."""
        counts = [row["rounds"] for row in self.cases if "rounds" in row]
        return min(counts), max(counts)

    @property
    def summary(self) -> str:
        """One line about the benchmark, printed below a table."""
        fewest, most = self.rounds
        words = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        threads = self.made["threads"]
        return (
            f"Benchmark `{self.chapter}`, medians of {words} rounds, the cases in "
            f"turn, {threads} thread{'' if threads == 1 else 's'}"
        )

    def where(self, **setting: Any) -> list[Row]:
        """The cases that have all values of `setting`.

        Raises `ValueError` if there is none.
        """
        return select_rows(self.cases, setting, f"{PREFIX}{self.chapter}")

    def medians(self, group: str) -> dict[str, float]:
        """The median times of a group in milliseconds, by case.

        Raises `ValueError` if there is no such group.
        """
        return {
            row["case"]: row["ms"] for row in self.where(group=group) if "ms" in row
        }


def read_benchmark(content: Mapping[str, Any], stem: str) -> Benchmark:
    """The benchmark in `content`, the parsed file `<stem>.json`.

    Raises `ValueError` that names the file and the key or the case for missing keys,
    for values of the wrong type, for a `stem` that is not the chapter's, for a case
    that occurs twice, and for a median outside of the minimum and the maximum. Older
    files in the format of a `Record` are accepted.
    """
    where = f"{stem}.json"
    if content.get("name") == "bench":
        old_keys = {"chapter": "preset", "cases": "rows", "made": "made"}
        content = {key: content[old] for key, old in old_keys.items() if old in content}
    missing = {"chapter", "cases", "made"} - set(content)
    if missing:
        raise ValueError(f"{where}: missing keys: {sorted(missing)}")
    chapter, cases, made = content["chapter"], content["cases"], content["made"]
    if f"{PREFIX}{chapter}" != stem:
        raise ValueError(f"{where}: this is the benchmark of {chapter}")
    module = content.get("module", "")
    check_type(module, (str,), f"{where}: module")
    check_type(cases, (list,), f"{where}: cases")
    _check_cases(cases, where)
    check_made(made, where)
    return Benchmark(chapter, cases, made, module)


def _check_cases(cases: list[Any], where: str) -> None:
    seen = []
    for row in cases:
        check_type(row, (dict,), f"{where}: cases")
        for key in ("group", "case"):
            check_type(row.get(key), (str,), f"{where}: cases: {key}")
        name = {key: row[key] for key in ("group", "case", "seed") if key in row}
        if name in seen:
            raise ValueError(f"{where}: cases: {name} occurs twice")
        seen.append(name)
        check_finite(row, f"{where}: cases", name)
        if any(key in row for key in _TIMES):
            _check_times(row, f"{where}: cases: {name}")
    if not any("ms" in row for row in cases):
        raise ValueError(f"{where}: cases: expected at least one with times")


def _check_times(row: Row, where: str) -> None:
    for key in _TIMES:
        check_type(row.get(key), (int, float), f"{where}: {key}")
    if not 0 < row["least"] <= row["ms"] <= row["most"]:
        raise ValueError(f"{where}: ms: expected 0 < least <= ms <= most, got {row}")
    if type(row["rounds"]) is not int or row["rounds"] < 1 or row["ratio"] <= 0:
        raise ValueError(f"{where}: rounds and ratio: expected above 0, got {row}")
