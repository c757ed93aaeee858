"""Every test runs with the library's shapes checked, on one thread, with the same examples each time."""

import sys
from collections.abc import Iterator

import jaxtyping
import pytest
import torch
from hypothesis import settings

from tests import seconds

if "explainers" in sys.modules:
    raise RuntimeError("explainers was imported before its shapes could be checked")
# beartype with the numeric tower of PEP 484, as mypy has it: where a float is asked for, 1 will do
jaxtyping.install_import_hook(
    "explainers", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
)

torch.set_num_threads(1)

settings.register_profile("explainers", derandomize=True, deadline=None)
settings.load_profile("explainers")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(seconds.Plugin(), "seconds")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stop where pytest-xdist does not group tests: what a group shares would be made in each process."""
    if getattr(config.option, "loadgroup", False):
        for item in items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError(f"{item.nodeid}: pytest-xdist does not heed its group")


@pytest.fixture
def unchecked() -> Iterator[None]:
    """The library as a reader has it, without the checks of shapes, which would refuse first."""
    from tests.cells import unchecked  # it imports the library, after the hook above

    with unchecked():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured: `record_property("measured", words)`; workers' prints would be lost."""
    lines = [
        words
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, words in report.user_properties
        if name == "measured"
    ]
    if lines:
        terminalreporter.section("measured")
        for line in sorted(lines):
            terminalreporter.write_line(str(line))
