"""Hashes that decide which pages are executed again, and when the whole site is written again.

jupyter-cache compares the cells of a notebook, and Sphinx compares source files. The fingerprint of a page is
a hash of the other files that its execution reads: the modules of the library that it imports, directly or
through others, the claims of its chapter, the recorded runs that it or these modules name, and the pinned
requirements. The metadata of chapters count for the site only, since every page shows them and no cell reads
them.
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
SITE_SOURCES = (
    "book/build.py", "book/extension", "book/theme", "book/pictures", "book/chapters.yml", "_config.yml",
    "_toc.yml", "requirements.txt", f"lib/{PACKAGE}/imports.py",
    f"lib/{PACKAGE}/notebook/render.py",
    f"lib/{PACKAGE}/notebook/explore/explorable.js", f"lib/{PACKAGE}/notebook/explore/explorable.css",
)  # fmt: skip


def documents(root: Path) -> list[str]:
    """The paths of all documents of the book, without suffix, in the order of `_toc.yml`."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [part["chapters"] for part in toc.get("parts", [])] + [toc.get("chapters", [])]
    return [toc["root"], *(entry["file"] for part in chapters for entry in part)]


def notebooks(root: Path) -> list[str]:
    """The paths, relative to `root`, of the documents that are notebooks."""
    names = [f"{document}.md" for document in documents(root)]
    return [name for name in names if "format_name: myst" in (root / name).read_text(encoding="utf-8")[:400]]


def chapters(root: Path) -> list[str]:
    """The paths, relative to `root`, of the notebooks that are chapters."""
    return [name for name in notebooks(root) if name.startswith("notebooks/")]


def cells(path: Path) -> list[str]:
    """The source of each code cell of the notebook at `path`."""
    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]


def of_page(root: Path, name: str) -> str:
    """The fingerprint of the notebook at the path `name`, relative to `root`."""
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


def of_site_sources(root: Path) -> str:
    """The fingerprint of the files that all pages depend on: theme, extension, configuration and metadata."""
    heads = [(path.name, _head_and_claims(path)[0]) for path in sorted((root / "book/claims").glob("*.yml"))]
    return _hash(
        root,
        (path for name in SITE_SOURCES for path in _files(root / name)),
        heads=repr(heads),
        python=sys.version,
    )


def _head_and_claims(path: Path) -> tuple[str, str]:
    """The metadata of a chapter and its claims, as text without comments and formatting of the YAML."""
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
    """The files of the library that `code` imports, directly or through others."""
    from explainers import imports  # not at the top: build.py first sets the path of the library

    names = imports.imported_names(ast.parse(code), PACKAGE)
    files = set(imports.reachable_modules(root / "lib", names, parents=True).values())
    packages = [path.parent for path in files if path.name == "__init__.py"]
    # a package may read the scripts and stylesheets in its folder
    return files.union(p for folder in packages for end in ("js", "css") for p in folder.glob(f"*.{end}"))


def _is_named(stem: str, texts: set[str]) -> bool:
    """Whether `texts` contains the name of the record `stem`: for a benchmark its chapter, for a sweep its
    experiment, for both also the stem."""
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
