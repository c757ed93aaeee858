"""What a notebook may not do: decide on a constant, scroll sideways, use Markdown that does not survive."""

import ast
import builtins
import re
from pathlib import Path

import jupytext

WIDTH = 88  # columns that a page shows before code has to be scrolled
DIRECTIVES = {"margin", "figure", "math"}
ROLES = {"term", "cite", "cite:t", "cite:p", "eq"}
VERDICTS = {"holds", "qualified", "refuted"}
NOT_MEASURED = {*dir(builtins), "math", "np", "numpy", "sp", "sympy", "torch"}


def check(path: Path) -> list[str]:
    """Complaints about the notebook at `path`, each naming the cell and the line."""
    complaints = []
    decided: set[str] = set()
    for number, cell in enumerate(jupytext.read(path).cells, start=1):
        found = _code(cell.source, decided) if cell.cell_type == "code" else _prose(cell.source)
        complaints += [f"{path.name}, cell {number}: {text}" for text in found]
    return complaints


def _code(source: str, decided: set[str]) -> list[str]:
    complaints = [
        f"line {number}: {len(line)} columns are wider than a page shows ({WIDTH})"
        for number, line in enumerate(source.splitlines(), start=1)
        if len(line) > WIDTH
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERDICTS:
            condition = next(
                (word.value for word in node.keywords if word.arg == "condition"),
                node.args[0] if node.args else None,
            )
            # not when it runs, since a reader may run a cell as often as they like
            for id in re.findall(r"claim\(['\"](.+?)['\"]\)", ast.unparse(node.func.value)):
                if id in decided:
                    complaints.append(f"line {node.lineno}: claim {id} has its verdict already")
                decided.add(id)
            if condition is None:
                complaints.append(f"line {node.lineno}: {node.func.attr} has no condition")
            elif not {part.id for part in ast.walk(condition) if isinstance(part, ast.Name)} - NOT_MEASURED:
                complaints.append(
                    f"line {node.lineno}: the condition {ast.unparse(condition)!r} "
                    "depends on nothing measured"
                )
    return complaints


def _prose(source: str) -> list[str]:
    complaints = []
    for line in source.splitlines():
        directive = re.match(r"\s*(?:`{3,}|:{3,})\{([^}]+)\}", line)
        if directive and directive[1] not in DIRECTIVES:
            complaints.append(f"directive {{{directive[1]}}} does not survive the export")
        for role in re.findall(r"\{([a-z:]+)\}`", line):
            if role not in ROLES:
                complaints.append(f"role {{{role}}} does not survive the export")
    return complaints
