"""What the tests of explorables share: the table read back, and the calls of a notebook."""

import ast
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.cells import ROOT, Cell, cells, listening, run


def unpack(table: bytes, arrays: dict[str, dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """The table read back by other means than the front end's."""
    raw = zlib.decompress(table, wbits=-15)
    values_of: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        size = int(np.prod(array["shape"]))
        width = 4 if array["code"] == "f32" else 2
        planes = np.frombuffer(raw, np.uint8, size * width, array["at"]).reshape(width, size)
        numbers = np.ascontiguousarray(planes.T).view(">f4" if width == 4 else ">u2").reshape(array["shape"])
        if array["code"] == "f32":
            values_of[name] = numbers.astype(float)
            continue
        codes: NDArray[Any] = numbers.astype(np.uint16)
        if array["turns"]:
            codes = (codes >> 1) ^ (-(codes & 1).astype(np.int32)).astype(np.uint16)
        for axis in reversed(array["turns"]):
            codes = np.cumsum(codes, axis=axis, dtype=np.uint16)
        if array["code"] == "words":
            values_of[name] = np.array(array["words"])[codes]
            continue
        values = array["low"] + array["step"] * (codes.astype(float) - array["gaps"])
        values = np.exp(values) if array["log"] else values
        values_of[name] = np.where(codes == 0, np.nan, values) if array["gaps"] else values
    return values_of


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds, and those that it uses."""
    bound: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (bound if isinstance(node.ctx, ast.Store) else used).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return bound, used


def needed(some: list[Cell], index: int) -> set[int]:
    """The places of the cells that cell `index` needs, its own included."""
    wanted, places = _names(some[index].source)[1], {index}
    for place in range(index - 1, -1, -1):
        bound, used = _names(some[place].source)
        if bound & wanted:
            places.add(place)
            wanted |= used
    return places


@contextmanager
def captured(name: str) -> Iterator[dict[str, tuple[Any, dict[str, Any]]]]:
    """Run the cells of a notebook that its explorables need: each one's compute and keywords, by its name."""
    everything = cells(ROOT / name)
    calling = [i for i, cell in enumerate(everything) if "explore" in _names(cell.source)[1]]
    places = sorted({place for index in calling for place in needed(everything, index)})
    with listening() as said:
        run(said, (everything[place] for place in places))
        yield said.explorables
