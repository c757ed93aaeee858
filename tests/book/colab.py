"""Make an environment with the package versions of Colab, where the first cell of a notebook installs the
library.

    python tests/book/colab.py

Needs the built book. The environment in _build/colab is used again while its pins are the same; the library
is built and installed each time. The output of the first cell is written to _build/colab/installed.json, with
the versions before and after it.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import venv
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "_build/colab"
PYTHON = FOLDER / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CONSTRAINTS = ROOT / "tests/colab-constraints.txt"
TO_TEST = ("ipykernel", "nbval", "pytest")


def environment() -> dict[str, str]:
    """Environment variables without paths to the checkout, and with one thread."""
    hidden = ("PYTHONPATH", "PYTEST_ADDOPTS", "EXPLAINERS_SOURCE")
    return {key: value for key, value in os.environ.items() if key not in hidden}


def notebooks() -> list[Path]:
    """The exported notebooks."""
    return sorted((ROOT / "_build/html/notebooks").glob("*.ipynb"))


def install_cell() -> str:
    """The source of the first cell, which is the same in all notebooks."""
    (code,) = {nbformat.read(path, as_version=4).cells[0].source for path in notebooks()}
    return code


def versions() -> dict[str, str]:
    """The versions of the installed packages by name."""
    command = [str(PYTHON), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {package["name"].lower(): package["version"] for package in listed}


def run(code: str, folder: Path = FOLDER, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run code with the Python of the environment, in an empty folder."""
    return subprocess.run(
        [str(PYTHON), "-c", code], cwd=folder, env=environment() | extra, capture_output=True, text=True
    )


def _environment_of_colab() -> None:
    """Install the dependencies that Colab ships, with its versions, and the packages that run notebooks."""
    pins = [CONSTRAINTS, ROOT / "requirements.txt", ROOT / "pyproject.toml"]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in pins)).hexdigest()
    stamp = FOLDER / "env/ready"
    if stamp.exists() and stamp.read_text() == key:
        return
    venv.create(FOLDER / "env", clear=True, with_pip=True)
    torch = FOLDER / "torch.txt"  # of the pins of the book this one alone, since the others are newer
    (pin,) = re.findall(r"^torch==.*$", (ROOT / "requirements.txt").read_text(), flags=re.M)
    torch.write_text(f"{pin}\n")
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    shipped = re.findall(r"^([\w-]+)==", f"{CONSTRAINTS.read_text()}\n{pin}", flags=re.M)
    there = [line for line in needed if re.split(r"[<>=]", line)[0] in shipped]
    subprocess.run(
        [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "-c", str(CONSTRAINTS), "-c", str(torch), *there, *TO_TEST],
        check=True,
    )  # fmt: skip
    stamp.write_text(key)


def _wheel() -> Path:
    folder = FOLDER / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-build-isolation", "-w", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def prepare() -> None:
    """Make the environment, and run the first cell with a wheel of this checkout."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    _environment_of_colab()
    wheel, code = _wheel(), install_cell()
    uninstall = [str(PYTHON), "-m", "pip", "uninstall", "--quiet", "--yes", "explainers", "gguf", "jaxtyping"]
    subprocess.run(uninstall, check=True, capture_output=True)
    before, started = versions(), time.perf_counter()
    done = run(code, EXPLAINERS_SOURCE=str(wheel))
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds = time.perf_counter() - started
    installation = {"said": done.stdout, "seconds": seconds, "before": before, "after": versions()}
    (FOLDER / "installed.json").write_text(json.dumps(installation, indent=1))
    print(f"colab: {done.stdout.strip()}")


if __name__ == "__main__":
    prepare()
