"""Fingerprints of code, hashes of bars, and the state of the working tree."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from explainers import resources
from explainers.experiments import provenance
from explainers.experiments.provenance import bar_hashes, fingerprint, moved_bars


def test_the_fingerprint_reaches_through_imports() -> None:
    code = textwrap.dedent("""
        from explainers.experiments import provenance
        print(provenance.fingerprint("explainers.targets"))
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint("explainers.targets")
    assert fingerprint("explainers.targets") != fingerprint("explainers.fourier_density")


CLAIM = {"id": "TO-01", "text": "It grows.", "bar": "It grows with size."}


def listed(folder: Path, *claims: dict[str, Any]) -> dict[str, dict[str, Any]]:
    lines = [f"- {{{', '.join(f'{key}: {value!r}' for key, value in claim.items())}}}" for claim in claims]
    (folder / "toy.yml").write_text("claims:\n" + "\n".join(lines))
    return resources.read_claims(folder / "toy.yml")


def test_bars_are_those_of_the_moment(results: Path) -> None:
    assert bar_hashes("toy") == {}
    listed(results, CLAIM, {"id": "TO-02", "text": "Others say so.", "quoted": "not ours"})
    first = bar_hashes("toy")
    assert list(first) == ["TO-01"]
    listed(results, CLAIM | {"text": "Other words.", "bar": "It grows  with size. "})
    assert bar_hashes("toy") == first
    listed(results, CLAIM | {"bar": "It grows."})
    assert bar_hashes("toy") != first


@pytest.mark.parametrize(
    ("claims", "moved"),
    [
        ([CLAIM], []),
        ([CLAIM | {"text": "Other words."}], []),
        ([CLAIM | {"bar": "It grows."}], ["TO-01"]),
        ([CLAIM | {"bar": "It grows.", "changed": "It said with what."}], []),
        ([{"id": "TO-01", "text": "It grows.", "later": "Not yet."}], ["TO-01"]),
        ([{"id": "TO-02", "text": "It shrinks.", "bar": "It shrinks."}], ["TO-01"]),
        ([CLAIM, {"id": "TO-02", "text": "It shrinks.", "bar": "It shrinks."}], []),
    ],
)
def test_a_bar_that_moved_without_a_note_is_named(
    results: Path, claims: list[dict[str, Any]], moved: list[str]
) -> None:
    listed(results, CLAIM)
    recorded = bar_hashes("toy")
    assert moved_bars(recorded, listed(results, *claims)) == moved


@pytest.mark.parametrize("stem", sorted(path.stem for path in resources.folder("results").glob("*.json")))
def test_no_bar_moved_after_what_it_judges_was_recorded(stem: str) -> None:
    """Older records have no hashes of bars, and pass."""
    recorded = resources.record(stem)["made"].get("bars", {})
    claims = {
        id: claim for name in resources.chapters() for id, claim in resources.chapter_claims(name).items()
    }
    assert moved_bars(recorded, claims) == []


def test_outside_of_a_checkout_no_tree_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package may be installed inside the checkout of another project, whose changes do not count."""
    monkeypatch.setattr(resources, "checkout", lambda: None)
    assert provenance.clean_working_tree() == provenance.WorkingTree("unknown", ())


def test_without_git_the_revision_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "checkout", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.working_tree() == provenance.WorkingTree("unknown", ())
