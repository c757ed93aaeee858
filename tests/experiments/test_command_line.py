"""The output and the exit status of `python -m explainers`."""

import json
from pathlib import Path

import pytest

from explainers import command_line
from explainers.command_line import main
from tests.experiments.checkout import STUDY, ok
from tests.experiments.conftest import Called


def test_code_makes_a_record_stale_and_a_comment_does_not(book: Called, tmp_path: Path) -> None:
    ok(book("run", "toy"))
    study = tmp_path / "lib/explainers/studies/toy.py"
    study.write_text(STUDY.replace('"""What a test counts."""', '"""Other words."""\n    # a comment'))
    assert ok(book("status")) == "toy-cpu: current\n"
    study.write_text(STUDY.replace("seed + scale", "seed - scale"))
    assert ok(book("status")) == "toy-cpu: stale\n"
    study.write_text(STUDY.replace("range(3)", "range(4)"))
    assert ok(book("status")) == "toy-cpu: stale\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"rows": [', "not valid JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"rows": []}', "missing keys"),
        (
            json.dumps({"name": "x", "preset": "y", "config": {}, "rows": [], "made": {}}),
            "this is the record of x-y",
        ),
    ],
)
def test_a_broken_or_foreign_record_is_called_so(
    book: Called, tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "results/toy-cpu.json"
    path.write_text(content)
    done = book("status")
    assert done.returncode == 1
    assert says in done.stdout
    assert "Traceback" not in done.stderr
    assert path.read_text() == content


def test_unknown_names_and_presets_are_named(book: Called) -> None:
    for words, says in (
        (("run", "nothing"), "name: expected one of ['toy'], got 'nothing'"),
        (("run", "toy", "--preset", "gpu"), "preset: 'gpu' is not one of ['cpu']"),
    ):
        done = book(*words)
        assert done.returncode == 1
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_the_command_line_without_a_command_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "usage" in capsys.readouterr().err


def test_status_names_the_broken_among_the_others_and_fails(book: Called, tmp_path: Path) -> None:
    (tmp_path / "results/bench-toy.json").write_text("[]")
    done = book("status")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "toy-cpu: not recorded"
    assert done.stdout.splitlines()[1].startswith("bench-toy: broken: ")
    assert done.stderr == ""


def test_status_without_a_folder_of_records_says_that_nothing_is_recorded(
    book: Called, tmp_path: Path
) -> None:
    (tmp_path / "results").rmdir()
    assert ok(book("status")) == "toy-cpu: not recorded\n"
    (tmp_path / "results").write_text("not a folder")
    assert ok(book("status")) == "toy-cpu: not recorded\n"


def test_the_records_of_the_book_are_not_broken() -> None:
    assert [state for state in command_line.status() if state.broken] == []
