"""Fixtures: a temporary checkout, and a temporary folder of records."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from explainers import resources
from tests.experiments import checkout

Called = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def book(tmp_path: Path) -> Called:
    """A function that calls `python -m explainers` in a temporary checkout with one study."""
    checkout.make(tmp_path)

    def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            checkout.command(tmp_path, *words), **checkout.settings(tmp_path, **environment)
        )

    return call


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(resources, "folder", lambda _: tmp_path)
    return tmp_path
