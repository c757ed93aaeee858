"""The one way in which tests run the cells of a notebook: in this process, with nothing drawn."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import jaxtyping
import jupytext
import pytest
import torch

from explainers.derive import Derivation
from explainers.notebook import claim, explore, lab, show

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Cell:
    """A code cell: its place among all cells of the notebook, its source and its tags."""

    index: int
    source: str
    tags: frozenset[str]
    file: str

    @property
    def claims(self) -> list[str]:
        """The claims that it decides."""
        return re.findall(r'claim\("([A-Z]+-\w+)"\)', self.source)

    @property
    def code(self) -> CodeType:
        """The compiled source."""
        return _compiled(self.source, f"{self.file}, cell {self.index}")


@cache
def _compiled(source: str, name: str) -> CodeType:
    return compile(source, name, "exec")


def cells(path: Path) -> list[Cell]:
    """The code cells of the notebook at `path`."""
    return [
        Cell(index, cell.source, frozenset(cell.metadata.get("tags", [])), path.name)
        for index, cell in enumerate(jupytext.read(path).cells)
        if cell.cell_type == "code"
    ]


@dataclass(frozen=True)
class Verdict:
    """What a cell said of a claim, and whether the condition was true."""

    verdict: str
    true: bool
    found: str


@dataclass
class Said:
    """What cells said while they ran: verdicts by claim, derivations, and each explorable's compute and
    keywords by its name."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    derivations: list[Derivation] = field(default_factory=list)
    explorables: dict[str, tuple[Any, dict[str, Any]]] = field(default_factory=dict)


@contextmanager
def unchecked() -> Iterator[None]:
    """The library as a reader has it, without the checks of shapes that the other tests load."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


@contextmanager
def listening() -> Iterator[Said]:
    """Run cells inside: nothing is drawn, a false condition raises nothing, and what they say is noted.

    The library runs as a reader has it, without the checks of shapes that the other tests load, which take
    two thirds of a long loop's time. torch's default dtype is afterwards as it was before.
    """
    said = Said()
    begin = Derivation.__init__

    def decide(self: claim.Claim, verdict: str, condition: object, found: object, because: str) -> object:
        said.verdicts[self.id] = Verdict(verdict, bool(condition), str(found))
        return claim.Outcome(self.id, "", verdict, str(found), because)  # type: ignore[arg-type]  # a literal

    def note(self: Derivation, *arguments: Any, **keywords: Any) -> None:
        begin(self, *arguments, **keywords)
        said.derivations.append(self)

    def register(compute: Any, **keywords: Any) -> None:
        controls = [key for key, value in keywords.items() if hasattr(value, "stops")]
        said.explorables[keywords.get("name") or "-".join(controls)] = compute, keywords

    def nothing(*_: object, **__: object) -> None:
        pass

    dtype = torch.get_default_dtype()
    with unchecked(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim.Claim, "_verdict", decide)
        patch.setattr(Derivation, "__init__", note)
        patch.setattr(explore, "explore", register)
        patch.setattr(lab, "lab", nothing)
        for name in ("figure", "show_source", "table", "display"):
            patch.setattr(show, name, nothing)
        try:
            yield said
        finally:
            torch.set_default_dtype(dtype)


def run(said: Said, some: Iterable[Cell]) -> Said:
    """Run cells while listening, in a fresh namespace; an error ends it."""
    namespace: dict[str, Any] = {"__name__": "cells"}
    for cell in some:
        exec(cell.code, namespace)
    return said
