"""Checks of arguments, in one wording for the whole library.

Each passes in silence or raises `TypeError` for another type and `ValueError` for
another value: "<name>: expected <what>, got <what>". They are used by the module's
name, as `checks.positive("radius", radius)`. Some run in every layer or step: only
those whose first line says so look at the numbers of a tensor.
"""

import math
from collections.abc import Collection, Sequence
from numbers import Integral, Real
from types import UnionType

import torch
from torch import Tensor


def integer(
    name: str, value: int, least: float = -math.inf, most: float = math.inf
) -> None:
    """An integer from `least` to `most`; `TypeError` for True and False too."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected an integer, got {value!r}")
    if not least <= value <= most:
        raise ValueError(
            f"{name}: expected an integer{_span(least, most)}, got {value!r}"
        )


def number(
    name: str, value: float, least: float = -math.inf, most: float = math.inf
) -> None:
    """A finite number from `least` to `most`; `ValueError` for NaN too."""
    if not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    if not (least <= value <= most and -math.inf < value < math.inf):
        raise ValueError(
            f"{name}: expected a finite number{_span(least, most)}, got {value!r}"
        )


def positive(name: str, value: float) -> None:
    """A finite number above 0; `ValueError` for NaN too."""
    if not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{name}: expected a positive number, got {value!r}")


def function(name: str, value: object) -> None:
    """What can be called; `TypeError` for the rest."""
    if not callable(value):
        raise TypeError(f"{name}: expected a function, got {value!r}")


def generator(name: str, value: object) -> None:
    """A generator of torch, or None; `TypeError` for the rest."""
    if not (value is None or isinstance(value, torch.Generator)):
        raise TypeError(f"{name}: expected a torch.Generator, got {value!r}")


def instance(name: str, value: object, kind: type | UnionType) -> None:
    """An object of the type `kind`; `TypeError` for the rest."""
    if not isinstance(value, kind):
        wanted = kind.__name__ if isinstance(kind, type) else kind
        raise TypeError(f"{name}: expected {wanted}, got {_kind(value)}")


def one_of(name: str, value: object, words: Collection[str]) -> None:
    """One of `words`; `ValueError` for the rest, whatever its type."""
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name}: expected one of {list(words)}, got {value!r}")


def tensor(
    name: str,
    value: object,
    shape: Sequence[int | str] | None = None,
    dtypes: Collection[torch.dtype] | None = None,
    *,
    fit: str = "",
) -> None:
    """A tensor; `TypeError` for other dtypes, `ValueError` for another shape.

    `shape` has each axis's size, or its name where any size will do. "..." as the first
    stands for any number of axes. The message says which argument it has to `fit`.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: expected a tensor, got {_kind(value)}")
    if dtypes is not None and value.dtype not in dtypes:
        allowed = " or ".join(map(str, dtypes))
        raise TypeError(f"{name}: expected {allowed}, got {value.dtype}")
    if shape is not None and not _fits(value.shape, shape):
        raise ValueError(
            f"{name}: expected the shape {_tuple(shape)}{fit and f' to fit {fit}'}, "
            f"got {tuple(value.shape)}"
        )


def floats(name: str, value: object, shape: Sequence[int | str] | None = None) -> None:
    """A tensor of floating-point numbers; `shape` and errors as in `tensor`."""
    if not (isinstance(value, Tensor) and value.is_floating_point()):
        raise TypeError(
            f"{name}: expected a tensor of floating-point numbers, got {_kind(value)}"
        )
    if shape is not None:
        tensor(name, value, shape)


def not_empty(name: str, value: Tensor) -> None:
    """A tensor with an axis and a number; `ValueError` for the rest."""
    if value.ndim == 0 or value.numel() == 0:
        raise ValueError(
            f"{name}: expected at least one axis and one number, got the shape "
            f"{tuple(value.shape)}"
        )


def broadcasts(name: str, value: Tensor, to: Sequence[int]) -> None:
    """A tensor that becomes one of the shape `to` by repetition; else `ValueError`."""
    sizes = zip(reversed(value.shape), reversed(to), strict=False)
    if value.ndim > len(to) or any(size not in (1, wanted) for size, wanted in sizes):
        raise ValueError(
            f"{name}: expected a shape that broadcasts to {tuple(to)}, got "
            f"{tuple(value.shape)}"
        )


def finite(name: str, value: Tensor) -> None:
    """Looks at the numbers: `ValueError` for one that is NaN or infinite."""
    wrong = ~value.isfinite()
    if bool(wrong.any()):
        raise ValueError(
            f"{name}: expected finite numbers, got {value[wrong][0].item()}"
        )


def not_nan(name: str, value: Tensor) -> None:
    """Looks at the numbers: `ValueError` for NaN."""
    if bool(value.isnan().any()):
        raise ValueError(
            f"{name}: expected no NaN, got {int(value.isnan().sum())} in "
            f"{value.numel()} numbers"
        )


def within(name: str, value: Tensor, least: float, most: float) -> None:
    """Looks at the numbers: `ValueError` for one outside of [least, most], and NaN."""
    if value.numel() and not least <= value.min() <= value.max() <= most:
        raise ValueError(
            f"{name}: expected numbers{_span(least, most)}, got {value.min().item()} "
            f"to {value.max().item()}"
        )


def _span(least: float, most: float) -> str:
    if most < math.inf:
        return f" from {least} to {most}"
    return f" from {least} up" if least > -math.inf else ""


def _kind(value: object) -> str:
    return str(value.dtype) if isinstance(value, Tensor) else type(value).__name__


def _tuple(shape: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _fits(sizes: Sequence[int], shape: Sequence[int | str]) -> bool:
    if shape and shape[0] == "...":
        shape = shape[1:]
        sizes = sizes[-len(shape) :]
    if len(sizes) != len(shape):
        return False
    for size, wanted in zip(sizes, shape, strict=True):
        if size != wanted and not isinstance(wanted, str):
            return False
    return True
