"""What a notebook may not do: decide on a constant, bind a name in two cells, scroll sideways, use Markdown
that does not survive."""

import ast
import builtins
import dis
import re
from collections.abc import Iterable, Iterator
from operator import itemgetter
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
    decided: set[str] = set()
    complaints = [
        (number, text)
        for number, cell in enumerate(jupytext.read(path).cells, start=1)
        for text in (_code(cell.source, decided) if cell.cell_type == "code" else _prose(cell.source))
    ]
    return _sorted(path, [*complaints, *_names_twice(path)])


def names(path: Path) -> list[str]:
    """Complaints about the names that its cells bind, alone: what makes a cell say something else when it is
    run again."""
    return _sorted(path, _names_twice(path))


def _sorted(path: Path, complaints: Iterable[tuple[int, str]]) -> list[str]:
    return [f"{path.name}, cell {number}: {text}" for number, text in sorted(complaints, key=itemgetter(0))]


def _names_twice(path: Path) -> Iterator[tuple[int, str]]:
    cells = [
        (number, cell.source)
        for number, cell in enumerate(jupytext.read(path).cells, start=1)
        if cell.cell_type == "code"
    ]
    verdicts = {number for number, source in cells if any(_verdicts(source))}
    binders: dict[str, int] = {}
    for number, source in cells:
        for name, line in _names(source)[0].items():
            other = binders.setdefault(name, number)
            if other != number:
                yield number, f"line {line}: {name} is bound in cell {other} already"
    for number, source in cells:
        bound, read = _names(source)
        for name, line in read.items():
            other = binders.get(name, number)
            if {number, other} <= verdicts and other != number and name not in bound:
                yield (
                    number,
                    f"line {line}: a verdict reads {name}, which is bound beside another one in cell {other}",
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
    # the compiler keeps annotations and a docstring under names of its own
    return {name: line for name, line in bound.items() if not re.fullmatch("_|__.*__", name)}, read


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
