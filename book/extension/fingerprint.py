"""What a page depends on besides its own text, as one hash.

jupyter-cache sees a notebook's cells and Sphinx sees source files; neither sees the library, the claims or
the recorded runs behind a page. Here a page's fingerprint is the hash of all that its execution reads: the
modules of the library that it imports, directly or through others, its chapter's claims, the recorded runs
that it or those modules name, and the pinned environment. What a chapter announces at the head of its list of
claims is no part of that: no cell reads it, but the bar of every page and the home page show it.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import jupytext
import yaml

PACKAGE = "explainers"
MACHINE_ROOM = (
    "book/build.py", "book/extension", "book/theme", "book/pictures", "book/chapters.yml", "_config.yml",
    "_toc.yml", "requirements.txt", f"lib/{PACKAGE}/imports.py",
    f"lib/{PACKAGE}/notebook/render.py",
    f"lib/{PACKAGE}/notebook/explore/explorable.js", f"lib/{PACKAGE}/notebook/explore/explorable.css",
)  # fmt: skip


def documents(root: Path) -> list[str]:
    """The documents of the book, without suffix, in the order of its table of contents."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [part["chapters"] for part in toc.get("parts", [])] + [toc.get("chapters", [])]
    return [toc["root"], *(entry["file"] for part in chapters for entry in part)]


def notebooks(root: Path) -> list[str]:
    """The documents that are executed, as paths relative to `root`."""
    names = [f"{document}.md" for document in documents(root)]
    return [name for name in names if "format_name: myst" in (root / name).read_text(encoding="utf-8")[:400]]


def chapters(root: Path) -> list[str]:
    """Those of them that are a chapter."""
    return [name for name in notebooks(root) if name.startswith("notebooks/")]


def cells(path: Path) -> list[str]:
    """The source of each code cell of the notebook at `path`."""
    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]


def of_page(root: Path, name: str) -> str:
    """The fingerprint of the notebook `name`."""
    code = "\n".join(cells(root / name))
    modules = sorted(_reached(root, code))
    constants = _strings(code).union(
        *(_strings(path.read_text(encoding="utf-8")) for path in modules if path.suffix == ".py")
    )
    runs = [path for path in sorted((root / "results").glob("*.json")) if _is_named(path.stem, constants)]
    _, claims = _head_and_claims(root / "book/claims" / Path(name).with_suffix(".yml").name)
    return _hash(
        root, [*modules, *runs, root / "requirements.txt"], claims=claims, python=str(sys.version_info[:2])
    )


def of_machine_room(root: Path) -> str:
    """The fingerprint of all that shapes every page: theme, extension, configuration."""
    heads = [(path.name, _head_and_claims(path)[0]) for path in sorted((root / "book/claims").glob("*.yml"))]
    return _hash(
        root,
        (path for name in MACHINE_ROOM for path in _files(root / name)),
        heads=repr(heads),
        python=sys.version,
    )


def _head_and_claims(path: Path) -> tuple[str, str]:
    """What a list of claims says of its chapter, and the claims; comments and layout count for nothing."""
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    claims = content.pop("claims", None)
    return repr(content), repr(claims)


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (
            file for file in sorted(path.rglob("*")) if file.is_file() and "__pycache__" not in file.parts
        )
    else:
        yield path


def _hash(root: Path, paths: Iterable[Path], **facts: str) -> str:
    digest = hashlib.sha256(repr(sorted(facts.items())).encode())
    for path in paths:
        content = path.read_bytes() if path.exists() else b"absent"
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _reached(root: Path, code: str) -> set[Path]:
    """The library's files that `code` reads by importing, directly or through others."""
    from explainers import imports  # here and not above: a build first finds the library of its own book

    names = imports.imported_names(ast.parse(code), PACKAGE)
    files = set(imports.reachable_modules(root / "lib", names, parents=True).values())
    packages = [path.parent for path in files if path.name == "__init__.py"]
    # what lies beside the code and is read by it
    return files.union(p for folder in packages for end in ("js", "css") for p in folder.glob(f"*.{end}"))


def _is_named(stem: str, texts: set[str]) -> bool:
    """Whether the record `stem` is one of those that `texts` name: a benchmark by its chapter, a sweep by its
    experiment, either by its stem."""
    chapter = stem.removeprefix("bench-")
    if chapter != stem:
        return bool({stem, chapter} & texts)
    return any(stem == text or stem.startswith(f"{text}-") for text in texts)


def _strings(code: str) -> set[str]:
    return set(_strings_of(code))


@cache
def _strings_of(code: str) -> tuple[str, ...]:
    constants = (node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant))
    return tuple(sorted({value for value in constants if isinstance(value, str)}))
