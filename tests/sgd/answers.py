"""Answers to the chapter's exercises that a reader might give."""

import torch

from tests.chapters.answers import Answers


def by_sorting(point: torch.Tensor, radius: float) -> torch.Tensor:
    """As many coordinates stay as share the excess and remain positive."""
    size = point.abs()
    if size.sum() <= radius:
        return point
    ordered = size.sort(descending=True).values
    excess = (ordered.cumsum(0) - radius) / torch.arange(1, len(point) + 1)
    off = excess[(ordered > excess).nonzero().max()]
    return point.sign() * (size - off).clamp(min=0)


def scaled(point: torch.Tensor, radius: float) -> torch.Tensor:
    """Back along the line to the origin, as in a ball."""
    return point * min(1.0, radius / point.abs().sum().item())


def always_to_the_edge(point: torch.Tensor, radius: float) -> torch.Tensor:
    """Points inside are moved, too."""
    return point.sign() * by_sorting(point.abs() + radius, radius)


def without_signs(point: torch.Tensor, radius: float) -> torch.Tensor:
    """The signs are not put back."""
    return by_sorting(point, radius).abs() if point.abs().sum() > radius else point


def once(point: torch.Tensor, radius: float) -> torch.Tensor:
    """The excess is shared by all, and what falls below zero is cut without a second look."""
    size = point.abs()
    excess = max(0.0, (size.sum().item() - radius) / len(point))
    return point.sign() * (size - excess).clamp(min=0)


def clipped(point: torch.Tensor, radius: float) -> torch.Tensor:
    """A box in place of the diamond."""
    return point.clamp(-radius, radius)


ANSWERS = {"project_diamond": Answers(by_sorting, [scaled, always_to_the_edge, without_signs, once, clipped])}
