"""The package as others install it: light to import, and whole without the checkout."""

import os
import re
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest
import yaml

from explainers import resources

ROOT = Path(__file__).parents[1]


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, explainers; print(sorted({'torch', 'sympy', 'matplotlib', 'numpy'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_importing_the_package_is_quick() -> None:
    def seconds(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - started

    # in pairs, so that a busy moment weighs on both
    extra = [seconds("import explainers") - seconds("pass") for _ in range(15)]
    assert statistics.median(extra) < 0.05


@pytest.mark.parametrize(("chapter", "prefix", "last"), [("fourier_density", "FD", 40), ("sgd", "SG", 38)])
def test_every_claim_of_an_article_is_listed_once_and_in_order(chapter: str, prefix: str, last: int) -> None:
    ids = [id for id in resources.chapter_claims(chapter) if "X" not in id]
    assert ids == [f"{prefix}-{number:02d}" for number in range(1, last + 1)]


@pytest.mark.parametrize("chapter", resources.chapters())
def test_a_list_of_claims_is_well_formed(chapter: str) -> None:
    entries = yaml.safe_load((ROOT / f"book/claims/{chapter}.yml").read_text(encoding="utf-8"))["claims"]
    ids = [entry["id"] for entry in entries]
    assert len(ids) == len(set(ids))
    for entry in entries:
        assert re.fullmatch(r"[A-Z]+-(\d\d|X\d)", entry["id"])
        assert entry["kind"] in {"DEF", "DERIV", "BOUND", "ALGO", "MEAS", "OPIN"}
        assert set(entry) <= {"id", "kind", "text", "bar", "quoted", "later", "changed"}
        assert ("bar" in entry) != bool({"quoted", "later"} & set(entry)), entry["id"]


def test_unknown_chapters_and_records_are_named() -> None:
    with pytest.raises(ValueError, match=r"chapter: .*'nothing'.*fourier_density"):
        resources.chapter_claims("nothing")
    with pytest.raises(ValueError, match=r"name: .*'nothing'"):
        resources.record("nothing")
    with pytest.raises(ValueError, match="kind"):
        resources.folder("nothing")


def test_every_module_stands_in_the_rules_of_who_may_import_whom() -> None:
    modules = {path.stem for path in (ROOT / "lib/explainers").glob("*.py")} - {"__init__", "__main__"}
    rules = (
        (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[[tool.importlinter.contracts]]")[2]
    )
    assert {name for name in modules if f'"explainers.{name}"' not in rules} == set()


@pytest.mark.slow
def test_the_wheel_works_without_the_checkout(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)],
        check=True,
    )
    (wheel,) = tmp_path.glob("explainers-*.whl")
    # a clean environment that sees the pinned libraries of this one, and of `explainers` the wheel alone
    venv.create(tmp_path / "clean", with_pip=False)
    python = tmp_path / "clean" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([*pip, "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)], check=True)
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    code = (
        f"import sys; sys.path.append({libraries!r})\n"
        "import explainers, torch\n"
        "from explainers import resources\n"
        "from explainers.fourier_density import FourierDensity\n"
        "from explainers.notebook.claim import claim\n"
        "from explainers.notebook.derive import derive\n"
        "assert 'clean' in explainers.__file__, explainers.__file__\n"
        "assert 'clean' in str(resources.folder('claims'))\n"
        "assert resources.folder('results').is_dir()\n"
        "count = len(resources.chapter_claims('fourier_density'))\n"
        "print(count, FourierDensity(3).log_prob(torch.zeros(1)).item())\n"
        "from explainers.experiments import experiment\n"
        "from explainers.notebook.explore import Explorable\n"
        "assert 'DecompressionStream' in Explorable._esm\n"
        "assert len(experiment('fourier_density').rows) == 400\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    listed = len(resources.chapter_claims("fourier_density"))
    assert done.stdout.startswith(f"{listed} ")


@pytest.mark.parametrize("module", ["fourier_density", "sgd"])
def test_the_snippets_of_the_readme_run(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    snippets = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S
    )
    (snippet,) = [each for each in snippets if module in each]
    exec(compile(snippet, "README.md", "exec"), {})
    assert "tensor" in capsys.readouterr().out
