"""Checks of notebooks: verdicts on constants, names that two cells bind, lines that are too wide, and
Markdown that the export does not support."""

import ast
import builtins
import dis
import re
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from types import CodeType

import jupytext

WIDTH = 88  # columns of code that fit on a page
DIRECTIVES = {"margin", "figure", "math"}
ROLES = {"term", "cite", "cite:t", "cite:p", "eq"}
READERS = {"record", "experiment", "benchmark"}  # of recorded runs
VERDICTS = {"holds", "qualified", "refuted"}
NOT_MEASURED = {*dir(builtins), "math", "np", "numpy", "sp", "sympy", "torch"}


def check(path: Path) -> list[str]:
    """One complaint for each violation in the notebook at `path`, with the cell and the line."""
    if broken := list(_unreadable(path)):
        return _sorted(path, broken)
    decided: set[str] = set()
    complaints = [
        (number, text)
        for number, cell in enumerate(jupytext.read(path).cells, start=1)
        for text in (_code(cell.source, decided) if cell.cell_type == "code" else _prose(cell.source))
    ]
    return _sorted(path, [*complaints, *_names_twice(path)])


def check_names(path: Path) -> list[str]:
    """One complaint for each name that is bound in two cells of the notebook at `path`, with the cell and the
    line.

    Such a name may change the output of a cell that is executed again.
    """
    return _sorted(path, list(_unreadable(path)) or _names_twice(path))


def _unreadable(path: Path) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(jupytext.read(path).cells, start=1):
        if cell.cell_type != "code":
            continue
        try:
            compile(cell.source, "cell", "exec")
        except SyntaxError as error:
            line = (cell.source.splitlines() or [""])[(error.lineno or 1) - 1].strip()
            magic = ": magics and shell commands are no Python" if line[:1] in ("%", "!") else ""
            yield number, f"line {error.lineno}: {error.msg}: {line!r}{magic}"


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
                yield number, f"line {line}: {name} is already bound in cell {other}"
    for number, source in cells:
        bound, read = _names(source)
        for name, line in read.items():
            other = binders.get(name, number)
            if {number, other} <= verdicts and other != number and name not in bound:
                yield (
                    number,
                    f"line {line}: a verdict reads {name}, which cell {other} with another verdict binds",
                )


def _names(source: str) -> tuple[dict[str, int], dict[str, int]]:
    """The global names that a cell binds and those that it reads, each with its first line.

    They are read from the bytecode, which covers all forms of binding and distinguishes local names.
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
    # the compiler stores annotations and docstrings under such names
    return {name: line for name, line in bound.items() if not re.fullmatch("_|__.*__", name)}, read


def _verdicts(source: str) -> Iterator[ast.Call]:
    """The calls of `holds`, `qualified` and `refuted`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERDICTS:
            yield node


def _code(source: str, decided: set[str]) -> list[str]:
    complaints = [
        f"line {number}: {len(line)} columns, at most {WIDTH} fit on a page"
        for number, line in enumerate(source.splitlines(), start=1)
        if len(line) > WIDTH
    ]
    complaints += _hidden(source)
    for call in _verdicts(source):
        assert isinstance(call.func, ast.Attribute)
        condition = next(
            (word.value for word in call.keywords if word.arg == "condition"),
            call.args[0] if call.args else None,
        )
        # checked here and not by claim(), since readers may execute a cell several times
        for id in re.findall(r"claim\(['\"](.+?)['\"]\)", ast.unparse(call.func.value)):
            if id in decided:
                complaints.append(f"line {call.lineno}: claim {id} already has a verdict")
            decided.add(id)
        if condition is None:
            complaints.append(f"line {call.lineno}: {call.func.attr} has no condition")
        elif not {part.id for part in ast.walk(condition) if isinstance(part, ast.Name)} - NOT_MEASURED:
            complaints.append(
                f"line {call.lineno}: the condition {ast.unparse(condition)!r} uses no measured value"
            )
    return complaints


def _hidden(source: str) -> Iterator[str]:
    """What a page uses without writing its name, so that it is not executed again when that changes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"line {node.lineno}: a relative import: write the whole name of the module"
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in ("import_module", "__import__"):
            yield f"line {node.lineno}: {called} hides what it imports: use an import statement"
        words = [*node.args, *(word.value for word in node.keywords)]
        if called in READERS and not all(isinstance(word, ast.Constant) for word in words):
            yield f"line {node.lineno}: {called} hides what it reads: write its name as a string"


def _prose(source: str) -> list[str]:
    complaints = []
    for line in source.splitlines():
        directive = re.match(r"\s*(?:`{3,}|:{3,})\{([^}]+)\}", line)
        if directive and directive[1] not in DIRECTIVES:
            complaints.append(f"directive {{{directive[1]}}} is not supported by the export")
        for role in re.findall(r"\{([a-z:]+)\}`", line):
            if role not in ROLES:
                complaints.append(f"role {{{role}}} is not supported by the export")
    return complaints
