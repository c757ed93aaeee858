"""The budgets of the parts of the tests, and the message for a part without one or above it."""

import pytest

from tests import seconds
from tests.seconds import Budget, Plugin, Seconds, chapter_of, chapters, over_budget, part_of, slowness, table


@pytest.mark.parametrize(
    ("test", "part", "chapter"),
    [
        ("tests/test_rope.py::test_x", "the library", "shared"),
        ("tests/studies/test_byte_lm.py::test_x", "the library", "shared"),
        ("tests/sgd/test_run.py::test_x[a-b]", "a chapter's own tests", "sgd"),
        (
            "tests/book/test_site.py::test_x[notebooks/sgd.html-390]",
            "book/site",
            "sgd",
        ),
        ("tests/chapters/test_mutants.py::test_x[sgd: Doubling]", "chapters/mutants", "sgd"),
        (
            "tests/chapters/test_wrong_versions.py::test_x[sgd-loss]",
            "chapters/wrong_versions",
            "sgd",
        ),
        ("tests/derive/test_chain.py::test_x", "derive", "shared"),
        ("tests/notebook/explore/test_table.py::test_x", "notebook", "shared"),
    ],
)
def test_a_test_counts_for_its_part_and_its_chapter(test: str, part: str, chapter: str) -> None:
    assert part_of(test) == part
    assert chapter_of(test) == chapter


def test_one_and_a_half_times_the_budget_is_too_much_and_no_budget_is_a_complaint() -> None:
    budgets = {"quick": Budget(10, 5)}
    allowed = 1.5 * (10 + 5 * len(chapters()))
    assert over_budget({"quick": Seconds(0, allowed)}, budgets) == []
    (said,) = over_budget({"quick": Seconds(0, allowed + 1)}, budgets)
    assert said.startswith("quick: ")
    (said,) = over_budget({"new": Seconds(1, 2)}, budgets)
    assert said == "new: has no budget in tests/seconds.py, and took 2 CPU s"


def test_the_table_has_a_line_for_each_part_and_their_sum() -> None:
    lines = table({"a": Seconds(1, 2), "b": Seconds(3, 4)}, {"a": Budget(7)})
    assert [line.split() for line in lines[1:]] == [
        ["b", "3", "4"],
        ["a", "1", "2", "7"],
        ["together", "4", "6"],
    ]


def test_a_machine_that_is_usual_or_faster_is_not_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seconds, "LOOP_TAKES", 1e6)
    assert slowness() == 1.0
    monkeypatch.setattr(seconds, "LOOP_TAKES", 1e-6)
    assert slowness() > 100


def test_how_slow_it_is_between_two_looks_is_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([1.0, 3.0, 5.0])
    monkeypatch.setattr(seconds, "slowness", lambda: next(looks))
    plugin = Plugin()
    assert plugin._slowness_now() == 1.0
    monkeypatch.setattr(seconds, "LOOK_AGAIN", 0.0)
    assert [plugin._slowness_now() for _ in range(2)] == [2.0, 4.0]
