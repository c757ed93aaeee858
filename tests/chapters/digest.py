"""Whether two values are the same, also where they were made in two runs of the same cell."""

import functools
import hashlib
import inspect
import itertools
import random
from collections.abc import Iterator, Mapping, MutableMapping, Sequence, Set
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import sympy
import torch
from numpy.typing import NDArray
from sympy.core.function import UndefinedFunction
from torch.utils.weak import WeakIdKeyDictionary

PLAIN = (str, bytes, int, float, complex, type(None), slice, range, torch.dtype, torch.device, torch.Size)
_never_twice = itertools.count()
_read: MutableMapping[torch.Tensor, tuple[int, bytes]] = WeakIdKeyDictionary()


def digest(value: Any) -> bytes:
    """A hash of everything that `value` holds.

    What cannot be looked into counts as itself, equal to no other; an iterator is not even equal to itself.
    """
    walk = _Walk()
    walk(value)
    return walk.hash.digest()


def mutable_parts(value: Any) -> Iterator[Any]:
    """All that `value` holds and that could be changed in place."""
    walk = _Walk()
    walk(value)
    yield from (part for _, part in walk.seen.values())


class _Walk:
    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=16)
        self.seen: dict[int, tuple[int, Any]] = {}  # with what it has met, so that no id is given twice

    def __call__(self, value: Any) -> None:
        self.hash.update(f"{type(value).__module__}.{type(value).__qualname__}:".encode())
        if isinstance(value, PLAIN):
            self._say(repr(value))
        elif isinstance(value, sympy.Basic | UndefinedFunction):
            self._say(hash(value))
        elif isinstance(value, ModuleType):
            self._say(value.__name__)
        elif isinstance(value, CodeType):
            self._all(value.co_code, value.co_names, value.co_varnames, value.co_freevars, value.co_consts)
        elif isinstance(value, FunctionType) and _belongs_to_a_module(value):
            self._say(f"{value.__module__}.{value.__qualname__}")
        elif isinstance(value, type):
            self._say(f"{value.__module__}.{value.__qualname__}")
            if value.__module__ == "cells":
                ours = {k: v for k, v in vars(value).items() if k not in ("__dict__", "__weakref__")}
                self._once(value, ours)
        elif id(value) in self.seen:
            self._say(self.seen[id(value)][0])
        else:
            self._once(value, *self._content(value))

    def _say(self, words: object) -> None:
        self.hash.update(f"{words}\0".encode())

    def _all(self, *values: Any) -> None:
        for value in values:
            self(value)

    def _once(self, value: Any, *content: Any) -> None:
        if id(value) not in self.seen:
            self.seen[id(value)] = len(self.seen), value
            self._all(*content)

    def _content(self, value: Any) -> Iterator[Any]:
        match value:
            case torch.Tensor():
                yield from (value.dtype, value.shape, value.requires_grad, _numbers(value))
            case torch.Generator():
                yield value.get_state()
            case np.ndarray() if value.dtype != object:
                yield from (str(value.dtype), value.shape, _hash(value))
            case np.random.Generator():
                yield repr(value.bit_generator.state)
            case random.Random():
                yield value.getstate()
            case sympy.MatrixBase():
                yield from (value.shape, value.flat())
            case FunctionType() if (inner := inspect.unwrap(value)) is not value:
                yield inner
            case FunctionType():
                yield from (value.__code__, value.__defaults__, value.__kwdefaults__)
                for cell in value.__closure__ or ():
                    try:
                        yield cell.cell_contents
                    except ValueError:  # not bound yet
                        yield None
            case MethodType():
                yield from (value.__self__, value.__func__)
            case functools.partial():
                yield from (value.func, value.args, value.keywords)
            case BuiltinFunctionType():
                yield from (value.__qualname__, value.__self__)
            case _ if hasattr(value, "cache_info"):
                yield from (id(value), value.cache_info()[1])  # what it remembers cannot be looked into
            case np.generic():
                yield repr(value)
            case _ if hasattr(value, "__next__"):
                yield next(_never_twice)
            case Mapping():
                yield from itertools.chain.from_iterable(value.items())
                yield vars(value) if hasattr(value, "__dict__") else None
            case Set():
                yield sorted(digest(member) for member in value)
            case Sequence():
                yield from value
            case _ if hasattr(value, "__dict__") or hasattr(type(value), "__slots__"):
                yield getattr(value, "__dict__", None)
                for owner in type(value).__mro__:
                    for slot in getattr(owner, "__slots__", ()):
                        yield getattr(value, slot, None)
            case _:
                yield id(value)


def _numbers(tensor: torch.Tensor) -> bytes:
    """A hash of the numbers; torch counts how often a tensor was changed, so a large one is read once."""
    version, known = _read.get(tensor, (-1, b""))
    if version == tensor._version:
        return known
    flat = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    numbers = _hash(flat.view(torch.uint8).numpy())
    if tensor.nbytes > 1_000_000:
        _read[tensor] = tensor._version, numbers
    return numbers


def _hash(array: NDArray[Any]) -> bytes:
    return hashlib.sha1(np.ascontiguousarray(array).view(np.uint8).data, usedforsecurity=False).digest()


def _belongs_to_a_module(function: FunctionType) -> bool:
    """Whether its name says all: a function of a library's module and none made in a call, or a test's."""
    if (function.__module__ or "").startswith("tests."):
        return True
    return function.__module__ != "cells" and "<locals>" not in function.__qualname__
