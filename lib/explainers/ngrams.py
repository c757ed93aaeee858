"""Byte models that only count: what a trained model has to beat.

All raise `TypeError` if a text is not a uint8 tensor, `ValueError` for another shape
than (length,) and for a text that is too short.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from explainers import checks


class Unigram:
    """Each byte by its share of the training text, one added to every count: nothing to
    learn from makes all alike."""

    def __init__(self, train: UInt8[Tensor, " length"]) -> None:
        checks.tensor("train", train, ("length",), (torch.uint8,))
        counts = torch.bincount(train, minlength=256) + 1
        self.probabilities = counts.double() / counts.sum()

    def bits_per_byte(self, text: UInt8[Tensor, " length"]) -> float:
        """Mean cross-entropy of `text`, in bits per byte."""
        checks.tensor("text", text, ("length",), (torch.uint8,))
        if len(text) == 0:
            raise ValueError("text: expected at least one byte")
        return float(-self.probabilities.log2()[text.long()].mean())


class KneserNey:
    """Interpolated Kneser-Ney: counts of `order` bytes, backed by shorter ones.

    After Kneser and Ney (ICASSP 1995), as Chen and Goodman, "An Empirical Study of
    Smoothing Techniques for Language Modeling" (1999) interpolate it. Every count of a
    level loses the same discount, n1 / (n1 + 2 n2) of the grams met once and twice, and
    what is taken off goes to the level below. Below the top it is not counted how often
    a byte was met but after how many different bytes. At the bottom all 256 are alike.

    A context of at most 7 bytes is one int64 number; counts are sorted tables of them.
    """

    def __init__(self, train: UInt8[Tensor, " length"], order: int = 5) -> None:
        checks.tensor("train", train, ("length",), (torch.uint8,))
        checks.integer("order", order, least=1, most=7)
        if len(train) < order:
            raise ValueError(f"train: {len(train)} bytes hold no {order} in a row")
        self.order = order
        grams, counts = torch.unique(_windows(train, order), return_counts=True)
        self.levels = []
        for length in range(order, 0, -1):
            self.levels.append(_Level(grams, counts))
            # what is left of a gram without its first byte: once for each first byte
            shorter = grams % 256 ** (length - 1)
            grams, counts = torch.unique(shorter, return_counts=True)
        self.levels.reverse()  # the lowest first

    def bits_per_byte(self, text: UInt8[Tensor, " length"]) -> float:
        """Mean cross-entropy, in bits, of the bytes that have a whole context."""
        return float(-self.log2_probabilities(text).mean())

    def log2_probabilities(
        self, text: UInt8[Tensor, " length"]
    ) -> Float[Tensor, " scored"]:
        """log2 of the probability of each byte from index order - 1 on."""
        checks.tensor("text", text, ("length",), (torch.uint8,))
        if len(text) < self.order:
            raise ValueError(f"text: {len(text)} bytes hold no {self.order} in a row")
        grams = _windows(text, self.order)
        probability = torch.full(grams.shape, 1 / 256, dtype=torch.float64)
        for length, level in enumerate(self.levels, start=1):
            probability = level.mixed(grams % 256**length, probability)
        return probability.log2()


class _Level:
    """The counts of one length, and their mixture with the level below."""

    def __init__(self, grams: Tensor, counts: Tensor) -> None:
        self.grams, self.counts = grams, counts.double()
        once, twice = (counts == 1).sum().item(), (counts == 2).sum().item()
        self.discount = once / (once + 2 * twice) if once else 0.5
        self.contexts, place, kinds = torch.unique_consecutive(
            grams // 256, return_inverse=True, return_counts=True
        )
        self.totals = torch.zeros(len(kinds), dtype=torch.float64)
        self.totals.index_add_(0, place, self.counts)
        self.kinds = kinds.double()

    def mixed(self, grams: Tensor, below: Tensor) -> Tensor:
        context, known = _find(self.contexts, grams // 256)
        gram, met = _find(self.grams, grams)
        counts = torch.where(met, self.counts[gram], 0.0)
        own = (counts - self.discount).clamp(min=0)
        spared = self.discount * self.kinds[context]
        mixture = (own + spared * below) / self.totals[context]
        return torch.where(known, mixture, below)


def _windows(text: Tensor, length: int) -> Tensor:
    """Every run of `length` bytes as one number, the first byte the highest digit."""
    number = torch.zeros(len(text) - length + 1, dtype=torch.int64)
    for start in range(length):
        number = number * 256 + text[start : start + len(number)]
    return number


def _find(table: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Where each number is in a sorted table, and whether it is there."""
    place = torch.searchsorted(table, wanted).clamp(max=len(table) - 1)
    return place, table[place] == wanted
