"""The names that code imports, and the modules reachable from them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from explainers import imports

FILES = {
    "a/__init__.py": "",
    "a/one.py": "import os\nfrom a.inner.deep import thing\n",
    "a/two.py": "def later():\n    from . import one\n",
    "a/other.py": "import b.one\n",
    "a/inner/__init__.py": "from .deep import thing\n",
    "a/inner/deep.py": "from ..two import later\nthing = 1\n",
    "b/one.py": "",
}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for name, code in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    return tmp_path


@pytest.mark.parametrize(
    ("code", "base", "names"),
    [
        ("import a.b.c", "", ["a.b.c"]),
        ("import os, a.b as x", "", ["a.b"]),
        ("from a import b, c", "", ["a", "a.b", "a.c"]),
        ("from a.b import *", "", ["a.b", "a.b.*"]),
        ("def f():\n    if True:\n        import a.b", "", ["a.b"]),
        ("from . import c", "a.b", ["a.b", "a.b.c"]),
        ("from .c import d", "a.b", ["a.b.c", "a.b.c.d"]),
        ("from .. import c", "a.b", ["a", "a.c"]),
        ("from ..c import d", "a.b", ["a.c", "a.c.d"]),
        ("from ... import c", "a.b", []),  # above the package: Python raises
        ("from .c import d", "", []),  # relative to nothing: a notebook
        ("import ab.c, b.a", "", []),
        ("'import a.b'", "", []),
    ],
)
def test_every_form_of_import_is_seen(code: str, base: str, names: list[str]) -> None:
    assert imports.imported_names(ast.parse(code), "a", base) == names


def test_modules_are_reached_through_others_and_each_once(library: Path) -> None:
    files = imports.reachable_modules(library, ["a.one", "a.nothing", "a.one.name"], parents=False)
    assert set(files) == {"a.one", "a.inner.deep", "a.two", "a"}  # a by `from . import one`
    assert files["a.inner.deep"] == library / "a/inner/deep.py"


def test_the_packages_around_a_module_count_where_they_are_asked_for(library: Path) -> None:
    for start in ("a.one", "a.inner.deep"):
        files = imports.reachable_modules(library, [start], parents=True)
        assert set(files) == {"a", "a.inner", "a.inner.deep", "a.one", "a.two"}
    assert set(imports.reachable_modules(library, ["a.other"], parents=True)) == {"a", "a.other"}


def test_what_is_skipped_leads_nowhere(library: Path) -> None:
    files = imports.reachable_modules(
        library, ["a.one"], parents=True, skip=lambda name: name.startswith("a.inner")
    )
    assert set(files) == {"a", "a.one"}


def test_it_is_light() -> None:
    code = "import sys; from explainers import imports; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(library_folder())},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert not {"torch", "yaml", "numpy", "json"} & set(done.stdout.split())


def library_folder() -> Path:
    return Path(imports.__file__).parents[1]
