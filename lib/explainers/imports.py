"""Which modules of a package some code imports, directly and through others, read from
the syntax trees: nothing is imported for it.

What a record was made by and what a page depends on are both found here. An import by
name at run time (`importlib.import_module`) is not seen.
"""

import ast
from collections.abc import Callable, Iterable
from pathlib import Path


def imported(tree: ast.AST, package: str, here: str = "") -> list[str]:
    """The dotted names that the code of `tree` may import from `package`, in order.

    Some name an attribute and not a module: `from a import b` gives `a` and `a.b`.
    `here` is the package that relative imports start from; without it they are left
    out.
    """
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, here)
            if base:
                names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == package]


def _base(node: ast.ImportFrom, here: str) -> str:
    """The module that `node` imports from; empty where it is relative to nothing."""
    if node.level == 0:
        return node.module or ""
    outer = here.split(".")
    outer = outer[: len(outer) - node.level + 1]
    if not here or not outer:
        return ""
    return ".".join([*outer, *filter(None, [node.module])])


def source(folder: Path, name: str) -> Path | None:
    """The file of the module `name` below `folder`, or None if it is no module."""
    base = folder.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def reached(
    folder: Path,
    names: Iterable[str],
    *,
    parents: bool,
    skip: Callable[[str], bool] = lambda name: False,
) -> dict[str, Path]:
    """The modules behind `names` and behind all that those import from their own
    package, by name with their files, which lie below `folder`.

    With `parents`, the packages that hold a module count as well, since Python runs
    `a` and `a.b` before `a.b.c`. A module for which `skip` is true counts for nothing,
    and neither does what it imports.
    """
    found: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if parents and "." in name:
            waiting.append(name.rpartition(".")[0])
        path = None if name in found or skip(name) else source(folder, name)
        if path is None:
            continue
        found[name] = path
        here = name if path.name == "__init__.py" else name.rpartition(".")[0]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        waiting += imported(tree, name.split(".")[0], here)
    return found
