"""How a run came about: by which code, from which revision, on what machine, and under
which bars.

Revision and bars are those of the beginning of a run: what is committed while it runs,
or written into a bar when its result has been seen, made nothing of it.
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
    """A hash of the code of a module of this package and of all that it imports here.

    Of the syntax trees without docstrings: neither a comment nor a docstring makes a
    record stale. The machinery that only keeps records does not count.
    """
    files = imports.reached(_LIBRARY, [module], parents=False, skip=_is_machinery)
    trees = {
        name: ast.dump(_bare(ast.parse(path.read_text(encoding="utf-8"))))
        for name, path in files.items()
    }
    words = "\n".join(f"{name} {trees[name]}" for name in sorted(trees))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _is_machinery(name: str) -> bool:
    return name == _PACKAGE or any(
        name == kept or name.startswith(f"{kept}.") for kept in _MACHINERY
    )


def _bare(tree: ast.Module) -> ast.Module:
    """The tree without docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            first = body[0].value
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                del body[0]
    return tree


@dataclass(frozen=True)
class Tree:
    """The working tree that the code comes from: its revision, "unknown" outside of a
    checkout, and the paths that differ from it, as `git status` names them."""

    revision: str
    changes: tuple[str, ...]

    @property
    def dirty(self) -> bool:
        """Whether something differs from the revision."""
        return bool(self.changes)


def tree() -> Tree:
    """The working tree as it is now; recorded runs do not count as a change."""
    root = resources.checkout()
    if root is None:  # installed, in a folder that may lie in another's checkout
        return Tree("unknown", ())

    def git(*words: str) -> str:
        try:
            done = subprocess.run(
                ["git", *words], cwd=root, capture_output=True, text=True, check=False
            )
        except OSError:  # there is no git
            return ""
        return done.stdout.rstrip()

    changes = git("status", "--porcelain", "--", ":/", ":!/results")
    return Tree(
        git("rev-parse", "--short", "HEAD") or "unknown", tuple(changes.splitlines())
    )


def clean_tree(*, dirty: bool = False) -> Tree:
    """The working tree as it is now, from which a run may be recorded.

    Raises `ValueError` that lists the changes if there are some and `dirty` does not
    allow them.
    """
    found = tree()
    if found.dirty and not dirty:
        more = len(found.changes) - 3
        listed = ", ".join(line.strip() for line in found.changes[:3])
        raise ValueError(
            "dirty: nothing is recorded from a working tree with changes that are not "
            f"committed ({listed}{f' and {more} more' if more > 0 else ''}); commit "
            "them first, or try the run out with --dirty"
        )
    return found


def bars(chapter: str) -> dict[str, str]:
    """A hash of the bar of each claim of a chapter, by the claim's id; where lines
    break in it does not count. Empty where no claims are listed."""
    path = resources.folder("claims") / f"{chapter}.yml"
    if not path.is_file():
        return {}
    # not the cached list: the bars are those of this moment
    claims = resources.read_claims(path)
    return {id: _digest(claim["bar"]) for id, claim in claims.items() if "bar" in claim}


def moved_bars(
    recorded: Mapping[str, str], claims: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """The ids of the claims whose bar is another than the one that was `recorded` and
    that carry no note, `changed`, which says so."""
    return [
        id
        for id, digest in recorded.items()
        if "changed" not in claims.get(id, {})
        and _digest(claims.get(id, {}).get("bar", "")) != digest
    ]


def _digest(text: object) -> str:
    return hashlib.sha256(" ".join(str(text).split()).encode()).hexdigest()[:16]


def made(
    code: str,
    revision: str,
    dirty: bool,
    seconds: float,
    command: str,
    threads: int = 1,
) -> dict[str, Any]:
    """What a record says of how it came about."""
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
