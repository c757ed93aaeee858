"""Displayed source code, proofs, figures and tables."""

import base64
import re
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from matplotlib.axes import Axes
from sympy import Function, Le, Sum, sqrt, symbols

from explainers import fourier_density
from explainers.derive import Certificate, Quoted, derive
from explainers.experiments import Record
from explainers.notebook import show, style
from explainers.proofs import sgd as proofs
from tests.experiments.test_benchmarks import timed


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(show, "display", lambda bundle: bundles.append(bundle._repr_mimebundle_()))
    return bundles


def panel(ax: Axes) -> None:
    style.panel(ax, "Title", xticks=[-1, 0, 1], yticks=[1], ylim=(0, 2))
    ax.plot([-1, 1], [0.5, 1.5], color=style.COLOURS["c1"])
    style.label(ax, 0, 1, "a label", "c1")


def test_source_is_quoted_with_its_place() -> None:
    source = show.show_source(fourier_density.log_density)
    lines = Path(fourier_density.__file__).read_text(encoding="utf-8").splitlines()
    assert source.path == "explainers/fourier_density.py"
    assert source.code.splitlines() == lines[source.first - 1 : source.last]
    assert "```python" in source._repr_mimebundle_()["text/markdown"]


def no_gaps(rng: Random) -> dict[Any, Any]:
    return {
        proofs.D: 1, proofs.G: 1, proofs.T: rng.randint(1, 9), proofs.eta: lambda t: t**-0.5,
        Function("Delta", real=True): lambda t: 0,
    }  # fmt: skip


def test_a_side_proof_shows_what_it_proves_and_then_its_source(shown: list[dict[str, Any]]) -> None:
    T, t = symbols("T t", integer=True, positive=True)
    gaps = Sum(Function("Delta", real=True)(t), (t, 1, T))
    formula = proofs.D**2 / (2 * proofs.eta(T)) + proofs.G**2 / 2 * Sum(proofs.eta(t), (t, 1, T))
    total = derive("Assumed here", assume={"the total": Le(gaps, formula)}, witness=no_gaps)
    total.start(gaps).step("<=", formula, by=Certificate((1, "the total"))).qed()
    roots = Sum(1 / sqrt(t), (t, 1, T))
    root_sum = derive("Quoted here")
    root_sum.start(roots).step(
        "<=", 2 * sqrt(T) - 1, by=Quoted("the root sum", "the chapter"), because="proved there"
    )
    root_sum.qed((roots, "<=", 2 * sqrt(T) - 1))
    made = show.show_proof(proofs.zinkevich, total, root_sum, no_gaps)
    assert made.proved
    derivation, source = shown
    assert "aligned" in derivation["text/markdown"]
    assert source[show.SOURCE_MIME]["path"] == "explainers/proofs/sgd.py"
    assert source["text/markdown"].startswith("<details><summary>Code</summary>\n\n```python")
    with pytest.raises(ValueError, match="obj"):
        show.show_proof(lambda: made)


def test_source_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="obj"):
        show.show_source(re.compile)


def test_a_figure_follows_the_theme_and_has_a_second_layout(shown: list[dict[str, Any]]) -> None:
    show.figure(
        panel, panel, alt="A rising line.", caption="**Bold.** <span class='c1'>The line</span> rises."
    )
    data = shown[0][show.FIGURE_MIME]
    for size in ("wide", "phone"):
        assert "var(--c1)" in data[size]
        assert not re.search("#[0-9a-f]{6}", data[size]), "a colour that is not one of the theme's"
        assert "a label" in data[size], "text stays text"
    assert 'width="896"' in data["wide"]
    assert 'width="358"' in data["phone"]
    assert shown[0]["text/plain"] == "A rising line."
    svg = shown[0]["image/svg+xml"]
    assert "#0064e9" in svg
    assert svg.startswith('<svg role="img" aria-label="A rising line." ')
    assert "><title>Bold.</title>" in svg
    image = BeautifulSoup(shown[0]["text/html"], "html.parser").img
    assert image is not None
    assert (image["alt"], image["title"], image["width"]) == ("A rising line.", "Bold.", "896")
    assert base64.b64decode(str(image["src"]).removeprefix("data:image/svg+xml;base64,")).decode() == svg
    assert shown[1]["text/plain"] == "**Bold.** The line rises."


@pytest.mark.parametrize(
    ("caption", "alt", "title"),
    [("**One <span class='c1'>word</span>.** More.", "A line.", "One word."),
     ("**The angle at $\\Pi$.** More.", "A disc & a line. And more.", "A disc & a line."),
     ("", 'A line of 0.5 "units", and so on', 'A line of 0.5 "units", and so on')],
)  # fmt: skip
def test_a_picture_has_a_title_without_markup(caption: str, alt: str, title: str) -> None:
    data = show.Drawing(panel, alt=alt).mime(caption)
    svg = ElementTree.fromstring(data["image/svg+xml"])
    assert svg.attrib["aria-label"] == alt
    assert svg[0].text == title
    image = BeautifulSoup(data["text/html"], "html.parser").img
    assert image is not None
    assert (image["alt"], image["title"]) == (alt, title)


def test_a_figure_is_the_same_every_time(shown: list[dict[str, Any]]) -> None:
    show.figure(panel, alt="A rising line.")
    show.figure(panel, alt="A rising line.")
    assert shown[0] == shown[1]


def test_ids_that_nothing_refers_to_are_gone(shown: list[dict[str, Any]]) -> None:
    show.figure(panel, alt="A rising line.")
    svg = shown[0][show.FIGURE_MIME]["wide"]
    for name in re.findall(r' id="([^"]+)"', svg):
        assert f"#{name}" in svg


def test_a_number_in_a_label_keeps_its_digits() -> None:
    def draw(ax: Axes) -> None:
        panel(ax)
        style.label(ax, 0, 1, "mean 0.3989")

    svg = show.Drawing(draw, alt="A mean.").wide()
    assert "mean 0.3989" in svg
    drawn = re.findall(r' d="([^"]+)"', svg)
    assert drawn
    assert not any(re.search(r"\.\d{3}", path) for path in drawn)


@pytest.mark.parametrize("log", ["x", "y", "xy"])
def test_logarithmic_axes_show_the_ticks_that_were_asked_for_and_no_others(log: str) -> None:
    def draw(ax: Axes) -> None:
        style.panel(ax, "", xticks=[1, 10, 100], yticks=[0.1], ylim=(0.01, 1), log=log)
        ax.plot([1, 100], [0.02, 0.5])

    svg = show.Drawing(draw, alt="A line.").wide()
    assert sorted(re.findall(r">([^<>\s]+)</text>", svg)) == ["0.1", "1", "10", "100"]


@pytest.mark.parametrize(
    ("panels", "keywords", "names"),
    [
        ((panel,), {"alt": " "}, "alt"),
        ((), {"alt": "Nothing."}, "panels"),
        ((panel,), {"alt": "One.", "ratios": (1, 2)}, "ratios"),
    ],
)
def test_a_careless_call_is_refused(panels: tuple[Any, ...], keywords: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        show.figure(*panels, **keywords)


def test_a_table_says_where_its_numbers_come_from(shown: list[dict[str, Any]]) -> None:
    made = {
        "device": "2 cores, x86_64",
        "versions": {"torch": "2.13.0+cpu"},
        "date": "2026-11-04",
        "seconds": 61.4,
    }
    made["command"] = "python -m explainers run toy --preset cpu"
    record = Record("toy", "cpu", {"seeds": [0, 1]}, [], made)
    show.table(["Target", "KL"], [["one", "-0.5"], ["two", "**3e-09**"]], caption="Nats.", record=record)
    plain = shown[0]["text/markdown"]
    assert "| one | −0.5 |" in plain
    assert "| two | **3e−9** |" in plain
    assert "`toy`, preset cpu, 2 seeds, 2 cores, x86_64, torch 2.13.0, 4 November 2026, 61 s" in plain
    assert shown[0][show.TABLE_MIME]["rows"] == [["one", "−0.5"], ["two", "**3e−9**"]]
    with pytest.raises(ValueError, match="rows"):
        show.table(["one"], [["a", "b"]], caption="Uneven.")


def test_a_table_of_times_says_that_they_are_a_benchmark(shown: list[dict[str, Any]]) -> None:
    show.table(["Way"], [["ours"]], caption="Times.", record=timed())
    source = shown[0][show.TABLE_MIME]["source"]
    assert source == (
        "Benchmark `toy`, medians of 5 to 9 rounds, the cases in turn, 2 threads, 2 cores, x86_64, "
        "torch 2.13.0, 24 November 2026, 61 s. Again with `python benchmarks/toy.py`."
    )
    assert "preset" not in shown[0]["text/markdown"]
    assert "seed" not in shown[0]["text/markdown"]


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 1.44 -224.64\nL 2.71 -224.64\nL 2.74 -224.61\nL 3.98 -224.7\n", "M1.4 -224.6l1.3 0l1.3 -0.1"),
        ("M 0 9\nL 5 9\nL 5 0\nz\nL 1 9\n", "M0 9l5 0l0 -9zl1 0"),
        ("M 3 4\nL 3 4\nM 5 5\nL 5 6", "M3 4l0 0M5 5l0 1"),
        ("M 1 1\nQ 2 3 4 5\nz\n", "M 1 1\nQ 2 3 4 5\nz\n"),
        ("M 1e-05 1\nL 2 2", "M 1e-05 1\nL 2 2"),
    ],
)
def test_a_path_goes_from_point_to_point_in_tenths(path: str, short: str) -> None:
    assert show._shortened(path) == short
