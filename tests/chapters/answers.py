"""What readers might answer to the exercises of each chapter, as `tests/<chapter>/answers.py` has it."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Answers:
    """Of one exercise: a right answer that is not the book's, and wrong ones."""

    right: Answer
    wrong: list[Answer]


def of_chapter(name: str) -> dict[str, Answers]:
    """The answers by the name of the function that the exercise asks for."""
    answers: dict[str, Answers] = importlib.import_module(f"tests.{name}.answers").ANSWERS
    return answers
