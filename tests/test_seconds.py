"""The budgets of the parts of the tests, and the message for a part without one or above it."""

import pytest

from tests.seconds import Budget, Seconds, chapter_of, chapters, over_budget, part_of, slowness, table


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


def test_a_slow_machine_is_told_from_a_part_that_takes_too_long() -> None:
    budgets = {name: Budget(10) for name in "abcde"}

    def said(usual: float, c: float) -> list[str]:
        taken = {name: Seconds(0, c if name == "c" else usual) for name in budgets}
        return over_budget(taken, budgets, slowness(taken, budgets))

    # twice as slow as usual: nothing to complain of, but for the part that takes more than its share
    assert said(20, 20) == []
    assert said(20, 31) == ["c: 31 CPU s are over 1.5 × 10 on a machine 2.0 times slower than usual"]
    # a fast one allows nothing less, and no machine is slow enough for five times the budget everywhere
    assert said(2, 15) == []
    assert said(2, 16) == ["c: 16 CPU s are over 1.5 × 10"]
    assert len(said(50, 50)) == 5


def test_a_run_with_no_judged_part_is_not_slow() -> None:
    assert slowness({"new": Seconds(1, 2)}, {}) == 1.0
