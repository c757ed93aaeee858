"""What the tests of explorables share: the table read back, and the calls of a notebook."""

import ast
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]


def unpack(table: bytes, arrays: dict[str, dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """The table read back by other means than the front end's."""
    raw = zlib.decompress(table, wbits=-15)
    found = {}
    for name, array in arrays.items():
        size = int(np.prod(array["shape"]))
        width = 4 if array["code"] == "f32" else 2
        planes = np.frombuffer(raw, np.uint8, size * width, array["at"]).reshape(width, size)
        numbers = np.ascontiguousarray(planes.T).view(">f4" if width == 4 else ">u2").reshape(array["shape"])
        if array["code"] == "f32":
            found[name] = numbers.astype(float)
            continue
        codes = numbers.astype(np.uint16)
        if array["turns"]:
            codes = (codes >> 1) ^ (-(codes & 1).astype(np.int32)).astype(np.uint16)
        for axis in reversed(array["turns"]):
            codes = np.cumsum(codes, axis=axis, dtype=np.uint16)
        if array["code"] == "words":
            found[name] = np.array(array["words"])[codes]
            continue
        values = array["low"] + array["step"] * (codes.astype(float) - array["gaps"])
        values = np.exp(values) if array["log"] else values
        found[name] = np.where(codes == 0, np.nan, values) if array["gaps"] else values
    return found


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds, and those that it uses."""
    bound, used = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (bound if isinstance(node.ctx, ast.Store) else used).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return bound, used


def needed(cells: list[str], index: int) -> list[int]:
    """The cells that cell `index` needs, itself included, in order."""
    wanted, found = _names(cells[index])[1], [index]
    for place in range(index - 1, -1, -1):
        bound, used = _names(cells[place])
        if bound & wanted:
            found.append(place)
            wanted |= used
    return found[::-1]


@contextmanager
def captured(name: str) -> Iterator[dict[str, tuple[Any, dict[str, Any]]]]:
    """Run the cells of a notebook that its explorables need: each one's compute and keywords, by its name."""
    import torch

    from explainers.notebook import claim, explore, show

    calls: dict[str, tuple[Any, dict[str, Any]]] = {}

    def note(compute: Any, **keywords: Any) -> None:
        controls = [key for key, value in keywords.items() if hasattr(value, "stops")]
        calls[keywords.get("name") or "-".join(controls)] = compute, keywords

    replaced = [
        (explore, "explore", note),
        (claim.Claim, "_verdict", lambda self, *_: claim.Outcome(self.id, "", "holds", "", "")),
        (show, "figure", lambda *_, **__: None),
        (show, "show_source", lambda _: None),
    ]
    kept = [getattr(owner, attribute) for owner, attribute, _ in replaced]
    dtype = torch.get_default_dtype()
    for owner, attribute, value in replaced:
        setattr(owner, attribute, value)
    try:
        cells = [c.source for c in jupytext.read(ROOT / name).cells if c.cell_type == "code"]
        places = [i for i, source in enumerate(cells) if "explore" in _names(source)[1]]
        namespace: dict[str, Any] = {}
        for index in sorted({i for place in places for i in needed(cells, place)}):
            exec(compile(cells[index], f"{name}, cell {index}", "exec"), namespace)
        yield calls
    finally:
        for (owner, attribute, _), value in zip(replaced, kept, strict=True):
            setattr(owner, attribute, value)
        torch.set_default_dtype(dtype)
