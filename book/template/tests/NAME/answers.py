"""Answers to the chapter's exercises that a reader might give."""

from tests.chapters.answers import Answers


def added_up(ratio: float, count: int) -> float:
    """Power by power, which is right."""
    return sum(k * ratio**k for k in range(count))


def unweighted(ratio: float, count: int) -> float:
    """Each power once."""
    return sum(ratio**k for k in range(count))


def one_more(ratio: float, count: int) -> float:
    """The power `count` is added as well."""
    return added_up(ratio, count + 1)


def without_a_factor(ratio: float, count: int) -> float:
    """The derivative, not multiplied by the number."""
    return added_up(ratio, count) / ratio


ANSWERS = {"weighted_sum": Answers(added_up, [unweighted, one_more, without_a_factor])}
