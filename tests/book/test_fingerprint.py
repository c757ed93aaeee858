"""The fingerprint of a page: the records and modules that it includes."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))

from extension import fingerprint  # noqa: E402  (the path comes first)


@pytest.mark.parametrize(
    ("stem", "texts", "named"),
    [
        ("sgd-cpu", {"sgd"}, True),
        ("sgd-cpu", {"sgd-cpu"}, True),
        ("sgd_other-cpu", {"sgd"}, False),
        ("sgd-cpu", {"cpu"}, False),
        ("bench-sgd", {"sgd"}, True),
        ("bench-sgd", {"bench-sgd"}, True),
        ("bench-sgd", {"bench"}, False),  # the library says so, for whatever chapter
        ("bench-sgd", {"bench", "fourier_density"}, False),
    ],
)
def test_a_record_is_named_by_experiment_chapter_or_stem(stem: str, texts: set[str], named: bool) -> None:
    assert fingerprint._is_named(stem, texts) is named


def test_a_page_depends_on_its_modules_their_packages_and_what_lies_beside_them() -> None:
    code = "from explainers.notebook.explore import explore\nfrom explainers.studies import sgd"
    library = ROOT / "lib/explainers"
    paths = {path.relative_to(library).as_posix() for path in fingerprint._reached(ROOT, code)}
    assert {
        "__init__.py", "notebook/__init__.py", "notebook/explore/explorable.js", "studies/__init__.py",
        "studies/sgd.py", "sgd.py", "experiments/record.py", "resources.py",
    } <= paths  # fmt: skip
    assert not {"studies/byte_lm.py", "fourier_density.py", "command_line.py"} & paths
