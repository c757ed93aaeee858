"""What the tests of each chapter make wrong, as `tests/<chapter>/wrong.py` has it."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Function = tuple[ModuleType, str]


@dataclass(frozen=True)
class Wrong:
    """A function (`"name"` or `"Class.method"`) of a module replaced, and the claims that must notice.

    Only the cells run again on which these claims depend, so a claim that several versions could show to be
    able to fail is best named with the one whose cells are quick.
    """

    module: ModuleType
    function: str
    version: Callable[..., Any]
    noticed: set[str]

    @property
    def place(self) -> Function:
        """What it replaces."""
        return self.module, self.function


@dataclass(frozen=True)
class Wrongs:
    """A chapter's wrong versions by name, the claims that hold by a proof alone, and the titles of all
    derivations that its page makes."""

    versions: dict[str, Wrong]
    proved: set[str]
    derivations: list[str]


def of_chapter(name: str) -> Wrongs:
    """What `tests/<name>/wrong.py` says."""
    module = importlib.import_module(f"tests.{name}.wrong")
    return Wrongs(module.WRONG, module.PROVED, module.DERIVATIONS)
