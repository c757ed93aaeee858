"""The record of a benchmark: times of one chapter's implementation beside its peers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explainers.experiments.record import (
    Row,
    check_finite,
    check_made,
    expect,
    matching,
)

PREFIX = "bench-"
_TIMES = ("ms", "least", "most", "ratio", "rounds")


@dataclass(frozen=True)
class Benchmark:
    """Times measured in one run, in which the cases took turns.

    Each of `cases` names its `group`, within which times compare, and the `case`. A
    timed one has the median `ms` of its `rounds`, the `least` and the `most`
    milliseconds, and the `ratio` of its median to that of the group's first; another
    holds something that was measured beside the times. `made` says by which code, with
    which versions, on what machine and with how many threads, when, and by what
    command; `module` is the one that was timed, empty in older records.
    """

    chapter: str
    cases: list[Row]
    made: dict[str, Any]
    module: str = ""

    @property
    def machine(self) -> str:
        """What it ran on."""
        return str(self.made["device"])

    @property
    def versions(self) -> dict[str, str]:
        """The version of Python and of each library."""
        return dict(self.made["versions"])

    @property
    def date(self) -> str:
        """The day, YYYY-MM-DD."""
        return str(self.made["date"])

    @property
    def command(self) -> str:
        """What measures it again."""
        return str(self.made["command"])

    @property
    def rounds(self) -> tuple[int, int]:
        """The fewest and the most rounds that a timed case had."""
        counts = [row["rounds"] for row in self.cases if "rounds" in row]
        return min(counts), max(counts)

    @property
    def summary(self) -> str:
        """What it is, in the words that stand under a table."""
        fewest, most = self.rounds
        words = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        threads = self.made["threads"]
        return (
            f"Benchmark `{self.chapter}`, medians of {words} rounds, the cases in "
            f"turn, {threads} thread{'' if threads == 1 else 's'}"
        )

    def where(self, **setting: Any) -> list[Row]:
        """The cases with these values. Raises `ValueError` if there is none."""
        return matching(self.cases, setting, f"{PREFIX}{self.chapter}")

    def medians(self, group: str) -> dict[str, float]:
        """Milliseconds of the timed cases of a group, by case.

        Raises `ValueError` if there is no such group.
        """
        return {
            row["case"]: row["ms"] for row in self.where(group=group) if "ms" in row
        }


def read_benchmark(content: Mapping[str, Any], stem: str) -> Benchmark:
    """`content` as a benchmark, checked.

    Raises `ValueError`, which names the file `<stem>.json` and the key or case, if it
    is not the benchmark of `stem`, if a case stands there twice, or if its times are no
    median between least and most. What was written before benchmarks had a form of
    their own, that of a sweep, is read as well.
    """
    where = f"{stem}.json"
    if content.get("name") == "bench":
        older = {"chapter": "preset", "cases": "rows", "made": "made"}
        content = {key: content[old] for key, old in older.items() if old in content}
    missing = {"chapter", "cases", "made"} - set(content)
    if missing:
        raise ValueError(f"{where}: no benchmark, it lacks {sorted(missing)}")
    chapter, cases, made = content["chapter"], content["cases"], content["made"]
    if f"{PREFIX}{chapter}" != stem:
        raise ValueError(f"{where}: it holds another benchmark, {chapter}")
    module = content.get("module", "")
    expect(module, (str,), f"{where}: module")
    expect(cases, (list,), f"{where}: cases")
    _check_cases(cases, where)
    check_made(made, where)
    return Benchmark(chapter, cases, made, module)


def _check_cases(cases: list[Any], where: str) -> None:
    seen = []
    for row in cases:
        expect(row, (dict,), f"{where}: cases")
        for key in ("group", "case"):
            expect(row.get(key), (str,), f"{where}: cases: {key}")
        name = {key: row[key] for key in ("group", "case", "seed") if key in row}
        if name in seen:
            raise ValueError(f"{where}: cases: {name} stands there twice")
        seen.append(name)
        check_finite(row, f"{where}: cases", name)
        if any(key in row for key in _TIMES):
            _check_times(row, f"{where}: cases: {name}")
    if not any("ms" in row for row in cases):
        raise ValueError(f"{where}: cases: none of them is timed")


def _check_times(row: Row, where: str) -> None:
    for key in _TIMES:
        expect(row.get(key), (int, float), f"{where}: {key}")
    if not 0 < row["least"] <= row["ms"] <= row["most"]:
        raise ValueError(f"{where}: ms: {row['ms']} is no median, {row}")
    if type(row["rounds"]) is not int or row["rounds"] < 1 or row["ratio"] <= 0:
        raise ValueError(f"{where}: rounds and ratio: expected above 0, got {row}")
