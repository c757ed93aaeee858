"""The provenance of a run: hash of the code, git revision, versions, device, and the
bars of the claims that it is to decide.

Revision and bars are read when a run begins: later commits did not produce its results,
and a bar must not be changed after a result was seen.
"""

import ast
import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from explainers import imports, resources

_LIBRARY = Path(__file__).parents[2]
_PACKAGE = "explainers"
_MACHINERY = tuple(f"{_PACKAGE}.{name}" for name in ("experiments", "resources"))
_VERSIONS = ("torch", "numpy", "scipy", "scikit-learn")


@cache
def fingerprint(module: str) -> str:
    """A hash of the code of `module` and of the modules of this package that it
    imports, directly or through others.

    Comments, docstrings and formatting do not change it, and neither do the modules
    that only store records.
    """
    files = imports.reachable_modules(
        _LIBRARY, [module], parents=False, skip=_is_machinery
    )
    trees = {
        name: ast.dump(_without_docstrings(ast.parse(path.read_text(encoding="utf-8"))))
        for name, path in files.items()
    }
    words = "\n".join(f"{name} {trees[name]}" for name in sorted(trees))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _is_machinery(name: str) -> bool:
    return name == _PACKAGE or any(
        name == module or name.startswith(f"{module}.") for module in _MACHINERY
    )


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            first = body[0].value
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                del body[0]
    return tree


@dataclass(frozen=True)
class WorkingTree:
    """The state of the git working tree: the revision, "unknown" outside of a checkout,
    and the lines of `git status --porcelain`."""

    revision: str
    changes: tuple[str, ...]

    @property
    def dirty(self) -> bool:
        """Whether there are changes that are not committed."""
        return bool(self.changes)


def working_tree() -> WorkingTree:
    """The present state of the working tree; changes in `results` are ignored."""
    root = resources.checkout()
    if root is None:  # installed, perhaps inside the checkout of another project
        return WorkingTree("unknown", ())

    def git(*words: str) -> str:
        try:
            done = subprocess.run(
                ["git", *words], cwd=root, capture_output=True, text=True, check=False
            )
        except OSError:  # there is no git
            return ""
        return done.stdout.rstrip()

    changes = git("status", "--porcelain", "--", ":/", ":!/results")
    return WorkingTree(
        git("rev-parse", "--short", "HEAD") or "unknown", tuple(changes.splitlines())
    )


def clean_working_tree(*, dirty: bool = False) -> WorkingTree:
    """The present state of the working tree.

    Raises `ValueError` that lists the changes if some are not committed, unless `dirty`
    is True.
    """
    tree = working_tree()
    if tree.dirty and not dirty:
        more = len(tree.changes) - 3
        listed = ", ".join(line.strip() for line in tree.changes[:3])
        raise ValueError(
            "dirty: nothing is recorded from a working tree with changes that are not "
            f"committed ({listed}{f' and {more} more' if more > 0 else ''}); commit "
            "them first, or try the run out with --dirty"
        )
    return tree


def bar_hashes(chapter: str) -> dict[str, str]:
    """A hash of the bar of each claim of a chapter, by the id of the claim.

    White space does not change it. Empty if the chapter has no list of claims.
    """
    path = resources.folder("claims") / f"{chapter}.yml"
    if not path.is_file():
        return {}
    # not chapter_claims, which is cached: the file may have changed
    claims = resources.read_claims(path)
    return {id: _digest(claim["bar"]) for id, claim in claims.items() if "bar" in claim}


def moved_bars(
    recorded: Mapping[str, str], claims: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """The ids of the claims whose bar has changed since its hash was `recorded`, except
    those with the key `changed`, which explains the change to readers."""
    return [
        id
        for id, digest in recorded.items()
        if "changed" not in claims.get(id, {})
        and _digest(claims.get(id, {}).get("bar", "")) != digest
    ]


def _digest(text: object) -> str:
    return hashlib.sha256(" ".join(str(text).split()).encode()).hexdigest()[:16]


def run_metadata(
    code: str,
    revision: str,
    dirty: bool,
    seconds: float,
    command: str,
    threads: int = 1,
) -> dict[str, Any]:
    """The entry `made` of a record: the arguments, the versions of Python and of the
    libraries, the device, and today's date. `code` is a `fingerprint`."""
    return {
        "revision": revision,
        "dirty": dirty,
        "code": code,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _VERSIONS},
        },
        "device": _device(),
        "threads": threads,
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds, 1),
        "command": command,
    }


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"{os.cpu_count()} cores, {platform.machine()}"
