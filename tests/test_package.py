"""The installed package: the time of its import, and its data files."""

import re
import statistics
import subprocess
import sys
import time
import tomllib
import zipfile
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


@pytest.mark.parametrize("chapter", resources.chapters())
def test_every_claim_of_an_article_is_listed_once_and_in_order(chapter: str) -> None:
    announced = resources.chapter(chapter)
    ids = list(resources.chapter_claims(chapter))
    own = [id for id in ids if not id.startswith(f"{announced.prefix}-X")]
    assert own == [f"{announced.prefix}-{number:02d}" for number in range(1, announced.count + 1)]
    extras = ids[len(own) :]
    assert extras == [f"{announced.prefix}-X{number}" for number in range(1, len(extras) + 1)]


@pytest.mark.parametrize("chapter", resources.chapters())
def test_a_list_of_claims_is_well_formed(chapter: str) -> None:
    entries = yaml.safe_load((ROOT / f"book/claims/{chapter}.yml").read_text(encoding="utf-8"))["claims"]
    ids = [entry["id"] for entry in entries]
    assert len(ids) == len(set(ids))
    for entry in entries:
        assert re.fullmatch(r"[A-Z]+-(\d\d|X\d)", entry["id"])
        assert entry["kind"] in {"DEF", "DERIV", "BOUND", "ALGO", "MEAS", "OPIN"}
        assert set(entry) <= {
            "id",
            "kind",
            "text",
            "bar",
            "quoted",
            "later",
            "changed",
            "written",
            "tautology",
        }
        assert ("bar" in entry) != bool({"quoted", "later"} & set(entry)), entry["id"]
        assert "bar" in entry or not {"changed", "written", "tautology"} & set(entry), entry["id"]


def test_unknown_chapters_and_records_are_named() -> None:
    with pytest.raises(ValueError, match=r"chapter: .*'nothing'.*fourier_density"):
        resources.chapter_claims("nothing")
    with pytest.raises(ValueError, match=r"name: .*'nothing'"):
        resources.record("nothing")
    with pytest.raises(ValueError, match="kind"):
        resources.folder("nothing")


def test_what_ships_beside_the_code_stands_beside_no_module_of_its_name() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = rules["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert set(shipped) == {"book/claims", "results"}
    for target in shipped.values():
        package, folder, _ = target.split("/")
        assert package == "explainers"
        assert not (ROOT / f"lib/explainers/{folder}.py").exists()
        assert not (ROOT / f"lib/explainers/{folder}").exists()


@pytest.mark.parametrize("kind", ["claims", "results"])
def test_without_the_checkout_the_loader_reads_what_the_wheel_ships(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = rules["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "explainers")
    monkeypatch.setattr(resources, "_CHECKOUT", tmp_path.parent)
    (target,) = (target for target in shipped.values() if target.endswith(f"/{kind}"))
    assert resources.folder(kind) == tmp_path / target


@pytest.mark.slow
def test_a_wheel_built_from_the_sdist_holds_the_same_files(tmp_path: Path) -> None:
    def built(*command: str) -> Path:
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)
        (made,) = tmp_path.glob("here/*")
        return made.rename(tmp_path / made.name)

    (tmp_path / "here").mkdir()
    folder = str(tmp_path / "here")
    sdist = built("hatchling", "build", "-t", "sdist", "-d", folder)
    pip = ("pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder)
    files = []
    for source in (str(ROOT), str(sdist)):
        with zipfile.ZipFile(built(*pip, source)) as wheel:
            files.append(sorted(wheel.namelist()))
    assert files[0] == files[1]
    tracked = subprocess.run(
        ["git", "ls-files", "lib/explainers", "book/claims", "results"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    expected = {
        name.removeprefix("lib/") if name.startswith("lib/")
        else f"explainers/_shipped/{name.removeprefix('book/')}"
        for name in tracked
    }  # fmt: skip
    assert {name for name in files[0] if ".dist-info/" not in name} == expected
