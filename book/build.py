"""Build the book: execute the notebooks that changed, write the site, and replace the last one.

    python book/build.py [--root FOLDER]

A notebook has changed if its cells or the files that it uses have. Changed notebooks are executed in
parallel, and their outputs are stored by jupyter-cache. Then Sphinx, configured by Jupyter Book, writes the
site into a working folder, and the complete site replaces the last one. A build that fails or is killed does
not change the last site.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from jupyter_book.sphinx import build_sphinx
from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract, ProjectNb
from jupyter_cache.executors.basic import ExecutionWorkerLocalMProc, ProcessData
from jupyter_cache.executors.utils import ExecutionResult

from extension import export, fingerprint, lint

TIMEOUT = 600  # seconds for one cell, far above the time of any page: only a hang takes as long


class Worker(ExecutionWorkerLocalMProc):
    """A worker of jupyter-cache that gives widgets stable ids and logs nothing; the parent prints
    progress."""

    def execute(self, project_nb: ProjectNb, data: ProcessData) -> ExecutionResult:
        result = super().execute(project_nb, data)
        project_nb.nb.update(export.with_stable_ids(project_nb.nb))
        return result

    def log_info(self, msg: str) -> None:
        pass


def execute(root: Path) -> dict[str, float]:
    """Execute the notebooks that changed, in parallel; return the seconds of the last execution of each page.

    jupyter-cache compares the cells only, so a notebook whose other inputs changed is first removed from it.
    Exits with status 1 and prints the tracebacks if notebooks fail.
    """
    cache = get_cache(root / "_build/.jupyter_cache")
    ledger = root / "_build/.jupyter_cache/fingerprints.json"
    known: dict[str, str] = json.loads(ledger.read_text()) if ledger.exists() else {}
    current = {name: fingerprint.of_page(root, name) for name in fingerprint.notebooks(root)}
    records = {}
    for name in current:
        path = str(root / name)
        records[name] = cache.add_nb_to_project(path, read_data={"name": "myst_nb_md", "type": "plugin"})
        if known.get(name) != current[name]:
            _remove_cached(cache, records[name].pk)
            known.pop(name, None)
    waiting = [name for name in current if cache.get_cached_project_nb(records[name].pk) is None]
    ledger.write_text(json.dumps(known, indent=1, sort_keys=True))
    failed = []
    if waiting:
        print(f"executing {len(waiting)} of {len(current)} notebooks", flush=True)
        calls = [(name, str(cache.path), records[name].pk, str(root / name)) for name in waiting]
        with multiprocessing.Pool(min(len(waiting), os.cpu_count() or 1)) as pool:
            for name, status, taken in pool.imap_unordered(_run, calls):
                print(f"  {name}  {taken:.1f} s" + ("" if status == 0 else "  FAILED"), flush=True)
                if status == 0:
                    known[name] = current[name]
                    ledger.write_text(json.dumps(known, indent=1, sort_keys=True))
                else:
                    failed.append(name)
    for name in failed:
        record = cache.get_project_record(records[name].pk)
        why = record.traceback or "no traceback; _build/.jupyter_cache/kernels.log may know more"
        print(f"\n{name} failed:\n{why}", file=sys.stderr)
    if failed:
        raise SystemExit(1)
    seconds: dict[str, float] = {}
    for name, record in records.items():
        cached = cache.get_cached_project_nb(record.pk)
        seconds[name] = float(cached.data.get("execution_seconds", 0.0)) if cached else 0.0
    return seconds


def _run(call: tuple[str, str, int, str]) -> tuple[str, int, float]:
    name, cache_path, pk, path = call
    # kernels write messages to stderr while they start: these go to a file
    with open(Path(cache_path) / "kernels.log", "a") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    started = time.perf_counter()
    cache = get_cache(cache_path)
    # The cache limits its size after each notebook, by two queries; a record that another process adds
    # between them would be removed. A book has far fewer pages than the limit.
    cache.truncate_caches = lambda: None
    data = ProcessData(pk, path, cache, TIMEOUT, False)
    return name, Worker()(data)[0], time.perf_counter() - started


def _remove_cached(cache: JupyterCacheAbstract, pk: int) -> None:
    cached = cache.get_cached_project_nb(pk)
    if cached is not None:
        cache.remove_cache(cached.pk)


def write_notebooks(root: Path, site: Path) -> None:
    """Write the exported notebook of each chapter beside its page."""
    cache = get_cache(root / "_build/.jupyter_cache")
    for name in fingerprint.chapters(root):
        _, executed = cache.merge_match_into_notebook(jupytext.read(root / name))
        target = (site / name).with_suffix(".ipynb")
        nbformat.write(export.notebook(root, root / name, executed), target)


def write_site(root: Path) -> Path:
    """Write the site into the working folder and return its path. Only changed pages are read and written
    again.

    The working folder is deleted first if theme, extension or configuration changed, because Sphinx does not
    detect this, or if the last build was interrupted. Exits with a message if Sphinx reports errors or
    warnings.
    """
    work = root / "_build/.work"
    stamp, sources = work / "whole.txt", fingerprint.of_site_sources(root)
    if not stamp.exists() or stamp.read_text() != sources:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    result = build_sphinx(
        str(root),
        str(work / "html"),
        doctreedir=str(work / "doctrees"),
        path_config=root / "_config.yml",
        noconfig=True,
        confoverrides={"external_toc_path": "_toc.yml", "latex_individualpages": False},
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if result != 0:
        raise SystemExit("the site was not written; the last one is unchanged")
    stamp.write_text(sources)
    return work / "html"


def replace_site(site: Path, place: Path) -> None:
    """Replace the folder `place` by a copy of `site`, by two renames; see `restore_site`."""
    fresh, old = place.with_name(".html-new"), place.with_name(".html-old")
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(site, fresh)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def restore_site(place: Path) -> None:
    """Restore the last site if `replace_site` was killed between its two renames."""
    old = place.with_name(".html-old")
    if old.exists() and not place.exists():
        old.rename(place)


def main() -> None:
    """Check the notebooks and their metadata, execute, write the site, and print the seconds of each page."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the book's folder")
    root = parser.parse_args().root.resolve()
    started = time.perf_counter()
    # the library in this folder, not an installed one
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(root / "lib"), os.environ.get("PYTHONPATH")])
    )
    sys.path.insert(0, str(root / "lib"))
    place = root / "_build/html"
    restore_site(place)
    from extension import cards  # not at the top: it imports the library, whose path is set above

    complaints = cards.mismatches(root) or [
        text
        for name in fingerprint.notebooks(root)
        for text in (lint.check if name in fingerprint.chapters(root) else lint.check_names)(root / name)
    ]
    if complaints:
        raise SystemExit("\n".join(complaints))
    seconds = execute(root)
    site = write_site(root)
    write_notebooks(root, site)
    replace_site(site, place)
    pages = len(list(place.rglob("*.html")))
    print(f"\n{'page':40} seconds to execute")
    for name, time_taken in seconds.items():
        print(f"{name:40} {time_taken:8.1f}")
    print(f"\n{pages} pages in {time.perf_counter() - started:.0f} s: {place / 'index.html'}")


if __name__ == "__main__":
    main()
