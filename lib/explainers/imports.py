"""The modules of a package that some code imports, directly or through others.

They are read from syntax trees, without importing anything. The fingerprints of records
and of pages use this. Imports by `importlib.import_module` are not detected.
"""

import ast
from collections.abc import Callable, Iterable
from pathlib import Path


def imported_names(tree: ast.AST, package: str, base: str = "") -> list[str]:
    """The dotted names that the code of `tree` may import from `package`, in order.

    `from a import b` gives `a` and `a.b`, which may be a module or an attribute. `base`
    is the package that relative imports refer to; if it is empty, they are ignored.
    """
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, base)
            if module:
                names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == package]


def _absolute(node: ast.ImportFrom, base: str) -> str:
    """The name of the module that `node` imports from; empty if it cannot be told."""
    if node.level == 0:
        return node.module or ""
    outer = base.split(".")
    outer = outer[: len(outer) - node.level + 1]
    if not base or not outer:
        return ""
    return ".".join([*outer, *filter(None, [node.module])])


def module_file(folder: Path, name: str) -> Path | None:
    """The file of the module `name` below `folder`, or None if there is none."""
    path_of_name = folder.joinpath(*name.split("."))
    for path in (path_of_name / "__init__.py", path_of_name.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def reachable_modules(
    folder: Path,
    names: Iterable[str],
    *,
    parents: bool,
    skip: Callable[[str], bool] = lambda name: False,
) -> dict[str, Path]:
    """The files below `folder` of the modules `names`, and of all modules of the same
    package that they import, directly or through others, by module name.

    With `parents=True` the packages that contain a module are included, since Python
    executes `a` and `a.b` before `a.b.c`. A module with `skip(name)` true is left out,
    and its imports are not followed.
    """
    files: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if parents and "." in name:
            waiting.append(name.rpartition(".")[0])
        path = None if name in files or skip(name) else module_file(folder, name)
        if path is None:
            continue
        files[name] = path
        base = name if path.name == "__init__.py" else name.rpartition(".")[0]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        waiting += imported_names(tree, name.split(".")[0], base)
    return files
