"""How long the tests take: wall and CPU seconds of each part, and of each chapter, against budgets.

    python tests/seconds.py PART ...

runs `make PART` for each in turn and prints a table. Inside pytest (`tests/conftest.py`) it does the same for
the tests. CPU seconds are judged, those of browsers and kernels too, since they depend less on what else the
machine does. A part fails above one and a half times its budget.

A machine that is slower, or shared with others, takes longer for everything. So budgets grow by as much as
half of the parts need, up to `SLOWEST`: what fails is a part that takes longer than its share, or all of them
on any machine.
"""

import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[1]
TOLERATED = 1.5
SLOWEST = 3.0  # times slower than the machine that the budgets are for; slower ones were not seen
SHARED = "shared"


@dataclass(frozen=True)
class Budget:
    """CPU seconds on an idle machine with two cores: what is needed anyway, and for each chapter."""

    shared: float
    chapter: float = 0.0

    def of(self, chapters: int) -> float:
        """The budget of a book with so many chapters."""
        return self.shared + chapters * self.chapter


# of `make test`
STEPS = {
    "lint": Budget(30),
    "types": Budget(150),
    "book": Budget(60, 80),
    "browser": Budget(120),
    "colab": Budget(240, 10),
}
# of all tests of one chapter, whatever they test; two idle cores should need four minutes for it, so 480 is
# the goal, and `sgd`, whose page has 130 cells, takes more
CHAPTER = Budget(600)
# of the tests, by folder and file
TESTS = {
    "the library": Budget(240),
    "experiments": Budget(80),
    "derive": Budget(110),  # alone it takes 45: what only computes gains most from a second core that is free
    "notebook": Budget(30),
    "a chapter's own tests": Budget(0, 60),
    "chapters/wrong_versions": Budget(0, 70),
    "chapters/mutants": Budget(0, 80),
    "chapters/rerun": Budget(0, 60),
    "chapters/ninth": Budget(100),
    "chapters/new_chapter": Budget(20),
    "chapters/exercises": Budget(5, 10),
    "chapters/slices": Budget(10),
    "chapters/lint": Budget(10),
    "chapters/rooms": Budget(10),
    "chapters/announced": Budget(10),
    "book/site": Budget(160, 80),
    "book/explorables": Budget(60, 130),
    "book/drawings": Budget(30, 40),
    "book/formulas": Budget(30, 10),
    "book/landing": Budget(110, 80),
    "book/page": Budget(30),
    "book/search": Budget(30),
    "book/formats": Budget(10),
    "book/marks": Budget(60),
    "book/jupyterlab": Budget(200),
    "book/build": Budget(220),
    "book/fingerprint": Budget(10),
    "book/export": Budget(30),
    "book/colab": Budget(60, 80),
}


@dataclass
class Seconds:
    """Wall and CPU seconds."""

    wall: float = 0.0
    cpu: float = 0.0

    def add(self, wall: float, cpu: float) -> None:
        """Count some more."""
        self.wall += wall
        self.cpu += cpu


def chapters() -> list[str]:
    """The chapters of the book, by the lists of their claims."""
    return sorted(path.stem for path in (ROOT / "book/claims").glob("*.yml"))


def part_of(nodeid: str) -> str:
    """The part that a test belongs to: a file of the tests of book and chapters, else a folder."""
    folder, _, rest = nodeid.partition("::")[0].removeprefix("tests/").partition("/")
    if not rest:
        return "the library"
    if folder in chapters():
        return "a chapter's own tests"
    if folder in ("book", "chapters"):
        return f"{folder}/{Path(rest).stem.removeprefix('test_')}"
    return "the library" if folder == "studies" else folder


def chapter_of(nodeid: str) -> str:
    """The chapter that a test is about, by its folder or its parameters."""
    names = [name for name in chapters() if re.search(rf"(?<![a-z_]){name}(?![a-z_])", nodeid)]
    return names[0] if len(names) == 1 else SHARED


def slowness(taken: Mapping[str, Seconds], budgets: Mapping[str, Budget]) -> float:
    """How many times longer than its budget half of the parts take, from 1 to `SLOWEST`."""
    ratios = [s.cpu / budgets[part].of(len(chapters())) for part, s in taken.items() if part in budgets]
    return min(max(1.0, statistics.median(ratios or [1.0])), SLOWEST)


def over_budget(taken: Mapping[str, Seconds], budgets: Mapping[str, Budget], slow: float = 1.0) -> list[str]:
    """What has no budget, or takes more than one and a half times it, in a sentence each.

    `slow` is how many times slower than usual this machine is.
    """
    complaints = []
    for part, seconds in taken.items():
        if part not in budgets:
            complaints.append(f"{part}: has no budget in tests/seconds.py, and took {seconds.cpu:.0f} CPU s")
            continue
        budget = budgets[part].of(len(chapters()))
        if seconds.cpu > TOLERATED * slow * budget:
            on_this = f" on a machine {slow:.1f} times slower than usual" if slow > 1 else ""
            complaints.append(f"{part}: {seconds.cpu:.0f} CPU s are over {TOLERATED} × {budget:.0f}{on_this}")
    return complaints


def table(taken: Mapping[str, Seconds], budgets: Mapping[str, Budget]) -> list[str]:
    """A line for each part, the longest first, and their sum."""
    total = Seconds(sum(s.wall for s in taken.values()), sum(s.cpu for s in taken.values()))
    rows = sorted(taken.items(), key=lambda row: -row[1].cpu)
    count = len(chapters())
    known = {part: f"{budgets[part].of(count):8.0f}" for part in taken if part in budgets}
    return [
        f"{'':32}{'wall s':>8}{'CPU s':>8}{'budget':>8}" if budgets else f"{'':32}{'wall s':>8}{'CPU s':>8}"
    ] + [
        f"{part:32}{s.wall:8.0f}{s.cpu:8.0f}{known.get(part, '')}" for part, s in [*rows, ("together", total)]
    ]


def _each_chapter() -> dict[str, Budget]:
    return dict.fromkeys(chapters(), CHAPTER)


# ---- inside pytest


class Plugin:
    """Measures each test where it runs, and prints and judges the sums where the reports come together."""

    def __init__(self) -> None:
        self.parts: dict[str, Seconds] = defaultdict(Seconds)
        self.chapters: dict[str, Seconds] = defaultdict(Seconds)
        self._last = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        this = psutil.Process()
        family = [this, *this.children(recursive=True)]
        cpu = 0.0
        for process in family:
            try:
                cpu += sum(process.cpu_times()[:4])  # its own, and those of its children that have ended
            except psutil.NoSuchProcess:
                continue
        return time.perf_counter(), cpu

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "teardown":
            now = self._now()
            # what lies between two tests counts to the second one
            report.user_properties.append(("seconds", (now[0] - self._last[0], now[1] - self._last[1])))
            self._last = self._now()
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == "seconds" and isinstance(value, tuple | list):
                wall, cpu = value
                self.parts[part_of(report.nodeid)].add(wall, max(cpu, 0.0))
                self.chapters[chapter_of(report.nodeid)].add(wall, max(cpu, 0.0))

    def _complaints(self) -> list[str]:
        of_chapters = {name: taken for name, taken in self.chapters.items() if name != SHARED}
        slow = slowness(self.parts, TESTS)
        return over_budget(self.parts, TESTS, slow) + over_budget(of_chapters, _each_chapter(), slow)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput") and self._complaints():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("seconds")
        for line in [
            *table(self.parts, TESTS),
            "",
            *table(self.chapters, _each_chapter()),
        ]:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Complain last, where one looks who wonders why all tests passed and the run failed."""
        for complaint in self._complaints():
            print(complaint)


# ---- around it


def run(parts: Iterable[str], make: str) -> None:
    """Run `make PART` for each, print the table, and leave as the first one does that fails."""
    taken: dict[str, Seconds] = {}
    for part in parts:
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        code = subprocess.run([make, "--no-print-directory", part], cwd=ROOT).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        taken[part] = Seconds(time.perf_counter() - begun, cpu)
        if code:
            sys.exit(code)
    judged = {part: seconds for part, seconds in taken.items() if part in STEPS}
    complaints = over_budget(judged, STEPS, slowness(judged, STEPS))
    print("\n".join(["", *table(taken, STEPS), *complaints]))
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    run(sys.argv[1:], os.environ.get("MAKE", "make"))
