"""A temporary checkout with one study, and `python -m explainers` in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import explainers

LIBRARY = Path(explainers.__file__).parent
MODULES = (
    "__init__.py",
    "__main__.py",
    "command_line.py",
    "imports.py",
    "resources.py",
    "studies/__init__.py",
)

STUDY = '''
"""A study for the tests."""
import os, time
from pathlib import Path
from explainers.experiments import Experiment, Preset

def cell(seed, size, scale):
    """What a test counts."""
    Path(os.environ["CELLS"]).open("a").write(f"{seed} {size}\\n")
    time.sleep(float(os.environ.get("SLOW", "0")))
    return {"value": seed + scale * size, "word": "even" if size % 2 == 0 else "odd"}

EXPERIMENTS = [Experiment("toy", cell, {"cpu": Preset(range(3), {"size": [1, 2]}, {"scale": 10})})]
'''


def make(root: Path) -> None:
    """Write the checkout to the empty folder `root`."""
    (root / "lib/explainers/studies").mkdir(parents=True)
    (root / "results").mkdir()
    (root / "_toc.yml").touch()  # by which the library knows a checkout
    (root / "book/claims").mkdir(parents=True)
    for name in MODULES:
        shutil.copy(LIBRARY / name, root / "lib/explainers" / name)
    shutil.copytree(
        LIBRARY / "experiments",
        root / "lib/explainers/experiments",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (root / "lib/explainers/studies/toy.py").write_text(STUDY)


def commit(root: Path) -> str:
    """Commit all files except `results` and those of a run; return the short revision."""
    (root / ".gitignore").write_text("__pycache__/\ncells\nresults/.*\n")
    if not (root / ".git").exists():
        git(root, "init", "--quiet")
    git(root, "add", "--all")
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")
    git(root, *who, "commit", "--quiet", "--message", "All of it")
    return git(root, "rev-parse", "--short", "HEAD")


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def command(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "explainers", *words]


def settings(root: Path, **environment: str) -> dict[str, Any]:
    return {
        "cwd": root,
        "env": {**os.environ, "PYTHONPATH": str(root / "lib"), "CELLS": str(root / "cells"), **environment},
        "capture_output": True,
        "text": True,
        "timeout": 120,
    }


def ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def executed(root: Path) -> list[str]:
    return (root / "cells").read_text().splitlines()
