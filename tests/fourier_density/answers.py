"""Answers to the chapter's exercises that a reader might give."""

import torch

from explainers.fourier_density import autocorrelation
from tests.chapters.answers import Answers


def by_pairs(a: torch.Tensor) -> torch.Tensor:
    """The mean as a quadratic form of the list, pair by pair."""
    k = torch.arange(len(a))
    apart = k[None, :] - k[:, None]  # the wave of a_k times the conjugate of a_m is m - k
    safe = torch.where(apart == 0, 1, apart)
    wave = torch.where(apart == 0, 0, 2 * (-1.0) ** apart / (1j * torch.pi * safe))
    return (a[:, None] * a.conj()[None, :] * wave).sum().real / (2 * (a.abs() ** 2).sum())


def _sum(a: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    c = autocorrelation(a)
    return 2 / torch.pi * (factor * c[1:].imag).sum() / c[0].real


def _n(a: torch.Tensor) -> torch.Tensor:
    return torch.arange(1, len(a))


def mirrored(a: torch.Tensor) -> torch.Tensor:
    """The conjugate on the other factor."""
    return by_pairs(a.conj())


def signs_forgotten(a: torch.Tensor) -> torch.Tensor:
    """All waves end at 1."""
    return _sum(a, 1 / _n(a))


def not_normalised(a: torch.Tensor) -> torch.Tensor:
    """The area is taken for 1."""
    return by_pairs(a) * 2 * (a.abs() ** 2).sum()


def half(a: torch.Tensor) -> torch.Tensor:
    """The waves below zero are forgotten."""
    return by_pairs(a) / 2


def first_wave(a: torch.Tensor) -> torch.Tensor:
    """The other waves are taken to cancel."""
    return _sum(a, -1.0 * (_n(a) == 1))


def real_parts(a: torch.Tensor) -> torch.Tensor:
    """The other part of each coefficient."""
    c = autocorrelation(a)
    return 2 / torch.pi * ((-1.0) ** _n(a) / _n(a) * c[1:].real).sum() / c[0].real


ANSWERS = {
    "mean_of_density": Answers(
        by_pairs, [mirrored, signs_forgotten, not_normalised, half, first_wave, real_parts]
    )
}
