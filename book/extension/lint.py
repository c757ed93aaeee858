"""What a notebook may not do: decide on a constant, bind a name in two cells, scroll sideways, use Markdown that
does not survive."""

import ast
import builtins
import dis
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import jupytext

WIDTH = 88  # columns that a page shows before code has to be scrolled
DIRECTIVES = {"margin", "figure", "math"}
ROLES = {"term", "cite", "cite:t", "cite:p", "eq"}
VERDICTS = {"holds", "qualified", "refuted"}
NOT_MEASURED = {*dir(builtins), "math", "np", "numpy", "sp", "sympy", "torch"}


def check(path: Path) -> list[str]:
    """Complaints about the notebook at `path`, each naming the cell and the line."""
    cells = [
        (number, cell.cell_type, cell.source)
        for number, cell in enumerate(jupytext.read(path).cells, start=1)
    ]
    code = {number: source for number, kind, source in cells if kind == "code"}
    decided: set[str] = set()
    complaints = [
        (number, text)
        for number, kind, source in cells
        for text in (_code(source, decided) if kind == "code" else _prose(source))
    ]
    complaints += _order(code)
    return [f"{path.name}, cell {number}: {text}" for number, text in sorted(complaints)]


def _order(code: dict[int, str]) -> Iterator[tuple[int, str]]:
    """What would make a cell say something else when it is run again: complaints by the number of the cell."""
    binders: dict[str, int] = {}
    names = {number: _names(source) for number, source in code.items()}
    for number, (bound, _) in names.items():
        for name, line in bound.items():
            other = binders.setdefault(name, number)
            if other != number:
                yield number, f"line {line}: {name} is bound in cell {other} already"
    verdicts = {number for number, source in code.items() if any(_verdicts(source))}
    for number in sorted(verdicts):
        bound, read = names[number]
        for name, line in read.items():
            other = binders.get(name, number)
            if name not in bound and other in verdicts - {number}:
                yield (
                    number,
                    f"line {line}: a verdict reads {name}, which is bound beside a verdict in cell {other}",
                )


def _names(source: str) -> tuple[dict[str, int], dict[str, int]]:
    """The names that a cell binds in the notebook's namespace and those it reads there, with their lines.

    Python's own compiler knows all forms of binding, and which names are local to a function.
    """
    bound: dict[str, int] = {}
    read: dict[str, int] = {}

    def visit(code: CodeType) -> None:
        top = code.co_name == "<module>"
        for step in dis.get_instructions(code):
            line = (step.positions and step.positions.lineno) or 1
            if step.opname == "STORE_GLOBAL" or (step.opname == "STORE_NAME" and top):
                bound.setdefault(step.argval, line)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                read.setdefault(step.argval, line)
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                visit(inner)

    visit(compile(source, "cell", "exec"))
    free = [name for name in bound if name == "_" or re.fullmatch("__.*__", name)]
    return {name: line for name, line in bound.items() if name not in free}, read


def _verdicts(source: str) -> Iterator[ast.Call]:
    """The calls that give a verdict."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERDICTS:
            yield node


def _code(source: str, decided: set[str]) -> list[str]:
    complaints = [
        f"line {number}: {len(line)} columns are wider than a page shows ({WIDTH})"
        for number, line in enumerate(source.splitlines(), start=1)
        if len(line) > WIDTH
    ]
    for call in _verdicts(source):
        assert isinstance(call.func, ast.Attribute)
        condition = next(
            (word.value for word in call.keywords if word.arg == "condition"),
            call.args[0] if call.args else None,
        )
        # not when it runs, since a reader may run a cell as often as they like
        for id in re.findall(r"claim\(['\"](.+?)['\"]\)", ast.unparse(call.func.value)):
            if id in decided:
                complaints.append(f"line {call.lineno}: claim {id} has its verdict already")
            decided.add(id)
        if condition is None:
            complaints.append(f"line {call.lineno}: {call.func.attr} has no condition")
        elif not {part.id for part in ast.walk(condition) if isinstance(part, ast.Name)} - NOT_MEASURED:
            complaints.append(
                f"line {call.lineno}: the condition {ast.unparse(condition)!r} depends on nothing measured"
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
