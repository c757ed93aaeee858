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
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import jupytext
import nbformat
import psutil
from jupyter_book.sphinx import build_sphinx
from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract, ProjectNb
from jupyter_cache.executors.basic import ExecutionWorkerLocalMProc, ProcessData
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from nbclient.exceptions import CellExecutionError, DeadKernelError

from extension import export, fingerprint, lint

TIMEOUT = 600  # seconds for one cell, far above the time of any page: only a hang takes as long


PATIENCE = 60  # seconds after which a cell that still runs is named
# what would let the author's own settings of Python, IPython, Jupyter and matplotlib into the book
FOREIGN = (
    "PYTHONSTARTUP", "PYTHONHOME", "MPLBACKEND", "MATPLOTLIBRC", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH",
)  # fmt: skip


class Worker(ExecutionWorkerLocalMProc):
    """A worker of jupyter-cache that gives widgets stable ids and logs nothing; the parent prints
    progress."""

    def execute(self, project_nb: ProjectNb, data: ProcessData) -> ExecutionResult:
        notebook, path = project_nb.nb, Path(project_nb.uri)
        watch = Watch(path.name)
        try:
            result = single_nb_execution(
                notebook,
                cwd=str(path.parent),
                timeout=data.timeout,
                allow_errors=False,
                meta_override=False,
                on_cell_start=watch.start,
            )
        except DeadKernelError as error:
            died = f"cell {watch.number}: its kernel died; memory may have run out"
            result = ExecutionResult(notebook, str(path.parent), 0.0, error, f"{path.name}, {died}")
        finally:
            watch.stop()
        for complaint in noise(notebook) if result.err is None else ():
            result.err = CellExecutionError(complaint, "Noise", complaint)
            result.exc_string = f"{path.name}, {complaint}"
        notebook.update(export.with_stable_ids(notebook))
        return result

    def log_info(self, msg: str) -> None:
        pass


def noise(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """What cells wrote to stderr. It is no part of a page, and often a fault of the machine, so the outputs
    beside it are not kept."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                yield f"cell {number} wrote to stderr:\n{output.text.rstrip()}"


class Watch:
    """Prints which cell runs, and for how long, if it runs for long."""

    def __init__(self, page: str) -> None:
        self.page, self.number = page, 0
        self._timer: threading.Timer | None = None

    def start(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        """A cell begins."""
        self.number = cell_index + 1
        self._wait(PATIENCE, PATIENCE)

    def stop(self) -> None:
        """No cell runs any more."""
        if self._timer:
            self._timer.cancel()

    def _wait(self, seconds: int, total: int) -> None:
        self.stop()
        self._timer = threading.Timer(seconds, self._say, [total])
        self._timer.daemon = True
        self._timer.start()

    def _say(self, total: int) -> None:
        print(f"  {self.page}, cell {self.number} has run for {total} s, at most {TIMEOUT}", flush=True)
        self._wait(total, 2 * total)


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
        with multiprocessing.Pool(min(len(waiting), os.cpu_count() or 1), _leave_signals) as pool:
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


def _leave_signals() -> None:
    """Let the parent decide what a signal to all of them means: it ends workers and kernels together."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


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


def end_on_signals(place: Path) -> None:
    """From now on, Ctrl-C and SIGTERM end the build at once, with workers and kernels, and leave a whole site
    in `place`."""

    def end(_: int, __: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for process in psutil.Process().children(recursive=True):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        restore_site(place)
        os.write(sys.stderr.fileno(), b"\ninterrupted; the site is whole\n")
        os._exit(130)  # no clean-up that waits for what was just killed

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def isolate(root: Path) -> None:
    """Give kernels the library in this folder and settings of their own, not those of who builds the book."""
    for name in FOREIGN:
        os.environ.pop(name, None)
    settings = root / "_build/.settings"
    for name in ("IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        folder = settings / name.lower()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(folder)
    if not any(
        (settings / "mplconfigdir").glob("fontlist*")
    ):  # else a kernel would say that it looks for fonts
        subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], stderr=subprocess.DEVNULL)
    os.environ.update(PYTHONNOUSERSITE="1", JUPYTER_PREFER_ENV_PATH="1", JUPYTER_NO_CONFIG="1")
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(root / "lib"), os.environ.get("PYTHONPATH")])
    )


def main() -> None:
    """Check the notebooks and their metadata, execute, write the site, and print the seconds of each page."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the book's folder")
    root = parser.parse_args().root.resolve()
    started = time.perf_counter()
    if "%" in str(root):
        raise SystemExit(
            f"{root}: a folder with a per cent sign in its path cannot hold the store of outputs"
        )
    place = root / "_build/html"
    restore_site(place)
    end_on_signals(place)
    isolate(root)
    sys.path.insert(0, str(root / "lib"))
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
