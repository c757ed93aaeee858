"""Builds of a miniature book: which pages are executed and written, and failed and killed builds."""

import contextlib
import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import jupytext
import nbclient
import nbformat
import psutil
import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("build")]  # one miniature for all

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))

import build  # noqa: E402  (the path comes first)

NOTEBOOK = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Page {name}

A lead.

A source.

Prose of {name}.

```{{code-cell}} ipython3
import uuid
from explainers.{name} import value
from explainers.notebook.claim import claim
from explainers.resources import record
print("token-{name}", uuid.uuid4().hex, value())
print({extra})
claim("{prefix}-01").holds(value() > 0, f"It is {{value()}}.")
```
"""


MODULES = {
    "alpha": "def value():\n    return 1\n",
    "beta": "from explainers.shared import one\n\n\ndef value():\n    return one()\n",
}


@dataclass
class Book:
    """A temporary book of two pages, with its own library."""

    root: Path

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command,
            cwd=self.root,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def command(self) -> list[str]:
        return [sys.executable, "book/build.py"]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "OMP_NUM_THREADS": "1"}

    @property
    def html(self) -> Path:
        return self.root / "_build/html"

    def page(self, name: str) -> str:
        return (self.html / f"notebooks/{name}.html").read_text(encoding="utf-8")

    def source(self, name: str) -> str:
        return (self.root / f"notebooks/{name}.md").read_text(encoding="utf-8")

    def tokens(self) -> dict[str, str]:
        """What each page printed when it was last executed: new at every execution."""
        return {name: re.findall(rf"token-{name} (\w+)", self.page(name))[0] for name in ("alpha", "beta")}

    def written(self) -> dict[str, int]:
        """When each page was last written."""
        return {p.relative_to(self.html).as_posix(): p.stat().st_mtime_ns for p in self.html.rglob("*.html")}

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")


def ok(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    root = tmp_path_factory.mktemp("book")
    for name in ("book/extension", "book/theme", "lib/explainers/notebook"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("book/build.py", "book/references.bib", "_config.yml", "requirements.txt",
                 "lib/explainers/__init__.py", "lib/explainers/imports.py",
                 "lib/explainers/resources.py"):  # fmt: skip
        shutil.copy(ROOT / name, root / name)
    for folder in ("notebooks", "results", "book/claims", "book/pictures"):
        (root / folder).mkdir(parents=True)
    toc = {
        "format": "jb-book",
        "root": "index",
        "parts": [
            {"caption": "Letters", "chapters": [{"file": f"notebooks/{n}"} for n in ("alpha", "beta")]}
        ],
    }
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    parts = [{"part": "Letters", "says": "Two of them", "chapters": []}]
    (root / "book/chapters.yml").write_text(yaml.safe_dump(parts))
    (root / "index.md").write_text("# Home\n\nA miniature.\n\n```{cards}\n```\n")
    (root / "results/alpha-cpu.json").write_text(json.dumps({"rows": [1]}))
    for number, name, prefix, extra in (
        (1, "alpha", "AL", 'record("alpha-cpu")["rows"]'),
        (2, "beta", "BE", '"nothing recorded"'),
    ):
        (root / f"lib/explainers/{name}.py").write_text(MODULES[name])
        shutil.copy(ROOT / "book/pictures/sgd.svg", root / f"book/pictures/{name}.svg")
        claims = {
            "article": {"number": number, "title": f"On {name}", "date": date(2024, 1, number)},
            "prefix": prefix,
            "count": 1,
            "card": {"part": "Letters", "title": f"Page {name}", "short": name, "says": "A letter."},
            "sentinel": f"Prose of {name}",
            "claims": [
                {
                    "id": f"{prefix}-01",
                    "kind": "DEF",
                    "text": f"The value of {name} is positive.",
                    "bar": "> 0",
                }
            ],
        }
        (root / f"book/claims/{name}.yml").write_text(yaml.safe_dump(claims))
        (root / f"notebooks/{name}.md").write_text(NOTEBOOK.format(name=name, prefix=prefix, extra=extra))
    (root / "lib/explainers/shared.py").write_text("def one():\n    return 1\n")
    made = Book(root)
    ok(made.build())
    return made


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {name for name in after if before.get(name) != after[name]}


def test_a_build_that_changed_nothing_executes_and_writes_nothing(book: Book) -> None:
    tokens, written = book.tokens(), book.written()
    said = ok(book.build())
    assert "executing" not in said
    assert book.tokens() == tokens
    assert book.written() == written


def test_a_module_of_the_library_renews_the_pages_that_import_it_alone(book: Book) -> None:
    tokens, written = book.tokens(), book.written()
    book.edit("lib/explainers/alpha.py", "return 1", "return 1 + 1")
    said = ok(book.build())
    assert "executing 1 of 2 notebooks" in said
    assert changed(tokens, book.tokens()) == {"alpha"}
    assert "notebooks/alpha.html" in changed(written, book.written())
    assert "notebooks/beta.html" not in changed(written, book.written())
    book.edit("lib/explainers/alpha.py", "return 1 + 1", "return 1")
    ok(book.build())


def test_a_module_that_is_imported_through_another_counts(book: Book) -> None:
    tokens = book.tokens()
    book.edit("lib/explainers/shared.py", "return 1", "return 2 - 1")
    ok(book.build())
    assert changed(tokens, book.tokens()) == {"beta"}
    book.edit("lib/explainers/shared.py", "return 2 - 1", "return 1")
    ok(book.build())


def test_claims_and_records_renew_the_pages_that_use_them_alone(book: Book) -> None:
    tokens, written = book.tokens(), book.written()
    book.edit("book/claims/beta.yml", "is positive", "is above zero")
    ok(book.build())
    assert changed(tokens, book.tokens()) == {"beta"}
    assert "is above zero" in book.page("beta")
    assert "notebooks/alpha.html" not in changed(written, book.written())
    tokens = book.tokens()
    (book.root / "results/alpha-cpu.json").write_text(json.dumps({"rows": [12345]}))
    ok(book.build())
    assert changed(tokens, book.tokens()) == {"alpha"}
    assert "12345" in book.page("alpha")


def test_what_a_chapter_announces_is_shown_everywhere_and_executes_nothing(book: Book) -> None:
    tokens = book.tokens()
    book.edit("book/claims/beta.yml", "Page beta", "Page the second")
    said = ok(book.build())
    assert "executing" not in said
    assert book.tokens() == tokens
    assert "Page the second" in book.page("alpha")  # in the bar
    assert "Page the second" in (book.html / "index.html").read_text(encoding="utf-8")  # on its card
    book.edit("book/claims/beta.yml", "Page the second", "Page beta")
    ok(book.build())


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("_toc.yml", "notebooks/beta", "book/beta", "beta: book/claims/beta.yml announces it, but _toc.yml"),
        (
            "_toc.yml",
            "notebooks/beta",
            "notebooks/gamma",
            "gamma: _toc.yml lists notebooks/gamma, but no book",
        ),
        ("book/claims/beta.yml", "2024-01-02", "2023-01-02", "_toc.yml: its parts and chapters are"),
        ("book/claims/beta.yml", "prefix: BE", "prefix: be", "beta.yml: prefix: expected capital letters"),
        (
            "book/claims/beta.yml",
            "part: Letters",
            "part: Words",
            "beta.yml: card: part: 'Words' is not one of",
        ),
    ],
)
def test_a_chapter_that_is_announced_wrongly_is_named_before_anything_runs(
    book: Book, path: str, old: str, new: str, says: str
) -> None:
    written = book.written()
    book.edit(path, old, new)
    result = book.build()
    book.edit(path, new, old)
    assert result.returncode != 0
    assert says in result.stderr
    assert "executing" not in result.stdout
    assert book.written() == written


def test_prose_is_written_again_and_not_executed(book: Book) -> None:
    tokens, written = book.tokens(), book.written()
    book.edit("notebooks/alpha.md", "Prose of alpha.", "Prose of alpha, mended.")
    said = ok(book.build())
    assert "executing" not in said
    assert book.tokens() == tokens
    assert "Prose of alpha, mended." in book.page("alpha")
    assert changed(written, book.written()) == {"notebooks/alpha.html", "index.html"} | (
        changed(written, book.written()) & {"genindex.html", "search.html"}
    )
    book.edit("notebooks/alpha.md", "Prose of alpha, mended.", "Prose of alpha.")
    ok(book.build())


def test_a_changed_stylesheet_and_script_reach_the_site(book: Book) -> None:
    tokens = book.tokens()
    changes = {"book.css": ".changed { margin: 0; }\n", "page.js": "globalThis.changed = 1;\n"}
    for name, line in changes.items():
        with (book.root / "book/theme/static" / name).open("a") as file:
            file.write(line)
    said = ok(book.build())
    assert "executing" not in said
    assert book.tokens() == tokens
    for name, line in changes.items():
        assert (book.html / "_static" / name).read_text().endswith(line)


def kernels(root: Path) -> list[int]:
    """The processes that run a page of the book."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        if "ipykernel_launcher" in (process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.Error):
                if process.environ().get("PYTHONPATH", "").startswith(f"{root}/"):
                    found.append(process.info["pid"])
    return found


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("executing", signal.SIGKILL),
        ("writing", signal.SIGKILL),
        ("executing", signal.SIGINT),
        ("writing", signal.SIGINT),
        ("executing", signal.SIGTERM),
    ],
)
def test_a_build_that_is_ended_leaves_the_last_site_and_the_next_build_works(
    book: Book, moment: str, number: signal.Signals
) -> None:
    tokens, written = book.tokens(), book.written()
    original = (book.root / "lib/explainers/alpha.py").read_text()
    hang = "import time\ntime.sleep(60)\n" if moment == "executing" else "# changed\n"
    (book.root / "lib/explainers/alpha.py").write_text(hang + original)
    process = subprocess.Popen(
        book.command, cwd=book.root, env=book.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    if moment == "executing":
        assert "executing 1 of 2" in process.stdout.readline()
        time.sleep(1)
        assert kernels(book.root)
    else:
        stamp = book.root / "_build/.work/whole.txt"
        deadline = time.monotonic() + 60
        while stamp.exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        assert not stamp.exists()
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=10)
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert said.strip() == "interrupted; the site is whole"
        assert kernels(book.root) == []
    assert book.written() == written, "the last site was touched"
    assert book.tokens() == tokens
    (book.root / "lib/explainers/alpha.py").write_text(original + "\n# once more\n")
    ok(book.build())
    assert changed(tokens, book.tokens()) == {"alpha"}
    assert set(book.written()) == set(written)
    (book.root / "lib/explainers/alpha.py").write_text(original)
    ok(book.build())


def test_what_a_machine_wrote_to_stderr_is_quoted_and_forgotten(book: Book) -> None:
    tokens = book.tokens()
    noisy = "import os, sys\nif 'NOISE' in os.environ:\n    print('the disk hums', file=sys.stderr)\n"
    book.edit("lib/explainers/alpha.py", "def value", f"{noisy}\n\ndef value")
    result = book.build(NOISE="1")
    assert result.returncode != 0
    assert "alpha.md, cell 2 wrote to stderr:\nthe disk hums" in result.stderr
    said = ok(book.build())
    assert "executing 1 of 2" in said
    assert changed(tokens, book.tokens()) == {"alpha"}
    book.edit("lib/explainers/alpha.py", f"{noisy}\n\ndef value", "def value")
    ok(book.build())


def test_a_cell_that_runs_for_long_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "PATIENCE", 0.05)
    watch = build.Watch("alpha.md")
    watch.start(nbformat.v4.new_code_cell(), 3)
    time.sleep(0.3)
    watch.stop()
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "  alpha.md, cell 4 has run for 0.05 s, at most 600"
    assert second == "  alpha.md, cell 4 has run for 0.1 s, at most 600"
    time.sleep(0.5)
    assert capsys.readouterr().out == ""


def test_a_folder_that_the_store_of_outputs_cannot_open_is_named(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "book/build.py"), "--root", str(tmp_path / "a%2Fb")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode != 0
    assert "a%2Fb: a folder with a per cent sign in its path cannot hold" in result.stderr


def hostile(folder: Path) -> dict[str, str]:
    """The environment of an author whose own settings would change the pages."""
    for place, text in {
        "matplotlib/matplotlibrc": "lines.linestyle: :\nlines.linewidth: 9\n",
        "ipython/profile_default/ipython_config.py": "c.InteractiveShell.ast_node_interactivity = 'all'\n",
        "data/kernels/python3/kernel.json": json.dumps(
            {"argv": ["false"], "display_name": "x", "language": "x"}
        ),
        "start.py": "print('good morning')\n",
    }.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    return {
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_PATH": str(folder / "data"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "PYTHONSTARTUP": str(folder / "start.py"),
        "MPLBACKEND": "svg",
    }


DRAWN = """
import numpy as np
from explainers.notebook import show
from explainers.notebook.explore import Slider, explore, lines

x = np.linspace(0, 1, 20)
view = lines("x", "y")
explore(lambda n: {"x": x, "y": x**n}, n=Slider(1, 20), view=view, alt="A power.")
show.figure(lambda ax: ax.plot(x, x), alt="A line.")
"""


def test_two_builds_by_authors_with_other_settings_give_the_same_files(book: Book, tmp_path: Path) -> None:
    places = [Book(tmp_path / name) for name in ("one", "a-second-one")]
    for place in places:
        shutil.copytree(book.root, place.root, ignore=shutil.ignore_patterns("_build", "__pycache__"))
        for name in ("alpha", "beta"):
            place.edit(f"notebooks/{name}.md", "uuid.uuid4().hex", "'the same'")
        place.edit("notebooks/beta.md", "import uuid", f"import uuid\n{DRAWN}")
    ok(places[0].build())
    ok(places[1].build(**hostile(tmp_path / "settings")))
    files = [
        {path.relative_to(place.html): path.read_bytes() for path in place.html.rglob("*") if path.is_file()}
        for place in places
    ]
    assert b"data-explorable" in files[0][Path("notebooks/beta.html")]
    assert files[0][Path("notebooks/beta.ipynb")].count(b'"image/svg+xml"') == 2
    assert files[0].keys() == files[1].keys()
    assert [name for name in files[0] if files[0][name] != files[1][name]] == []


def test_cells_that_run_again_in_reverse_order_show_the_same(book: Book) -> None:
    for name in ("alpha", "beta"):
        notebook = jupytext.reads(book.source(name).replace("uuid.uuid4().hex", "'the same'"), fmt="md:myst")
        notebook.cells.insert(0, nbformat.v4.new_code_cell(DRAWN))
        kernel = nbclient.NotebookClient(notebook, kernel_name="python3")
        with kernel.setup_kernel(
            cwd=str(book.root), env={**book.environment, "PYTHONPATH": f"{book.root}/lib"}
        ):
            code = [(place, cell) for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
            first = [outputs(kernel, place, cell) for place, cell in code]
            again = [outputs(kernel, place, cell) for place, cell in reversed(code)]
        assert "Holds" in first[-1]
        assert again[::-1] == first


def outputs(kernel: nbclient.NotebookClient, place: int, cell: nbformat.NotebookNode) -> str:
    """The outputs of a cell without execution counts and the random ids of widgets."""
    shown = kernel.execute_cell(copy.deepcopy(cell), place).outputs
    return re.sub(r'"execution_count": \d+|\b[0-9a-f]{32}\b', "", json.dumps(shown, sort_keys=True))


def test_a_site_lost_between_the_two_renames_comes_back(book: Book) -> None:
    tokens = book.tokens()
    book.html.rename(book.html.with_name(".html-old"))
    book.edit("notebooks/alpha.md", "print(", "print[")
    assert book.build().returncode != 0
    assert book.tokens() == tokens
    book.edit("notebooks/alpha.md", "print[", "print(")
    ok(book.build())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("value() > 0", "value() < 0", "AL-01 is not true by its own bar"),
        ("value() > 0", "1 > 0", "uses no measured value"),
        ('claim("AL-01")', 'claim("AL-99")', "no chapter lists a claim 'AL-99'"),
        ("claim(", 'claim("AL-01").holds(value() > 0, "It is so.")\nclaim(', "already has a verdict"),
        ('claim("AL-01").holds(value() > 0, f"It is {value()}.")', "value()", "claim AL-01 has no verdict"),
        ("Prose of alpha.", "```{note}\nA note.\n```", "is not supported by the export"),
        ("import uuid", "import sys, uuid\nprint('oops', file=sys.stderr)", "cell 2 wrote to stderr:\noops"),
        ("import uuid", "import os, uuid\nos._exit(1)", "alpha.md, cell 2: its kernel died"),
        ("import uuid", "%time import uuid", "alpha.md, cell 2: line 1: invalid syntax: '%time import uuid'"),
        ("Prose of alpha.", "Prose with {term}`an unknown word`.", "not in glossary"),
        ("Prose of alpha.", r"Prose with $\nosuchcommand x$.", "alpha.md:18: WARNING: the formula"),
    ],
    ids=["a false claim", "a literal condition", "an unknown id", "a second verdict", "no verdict",
         "a directive that is not supported",
         "a cell that warns", "a kernel that dies", "a magic", "a broken reference",
         "a formula that is not understood"],
)  # fmt: skip
def test_a_build_fails_and_says_why(book: Book, old: str, new: str, says: str) -> None:
    tokens, written = book.tokens(), book.written()
    original = (book.root / "notebooks/alpha.md").read_text()
    book.edit("notebooks/alpha.md", old, new)
    result = book.build()
    assert result.returncode != 0
    assert says in result.stdout + result.stderr
    assert book.written() == written
    assert book.tokens() == tokens
    (book.root / "notebooks/alpha.md").write_text(original)
    ok(book.build())
