"""Wrong versions of a derivation: each differs from the right one in a single place."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import sympy as sp
from sympy import Expr
from sympy.core.function import AppliedUndef

from explainers.derive import Certificate, Derivation, Identity, RefusedError, Step
from explainers.derive.chain import prove
from explainers.derive.context import Context
from explainers.derive.facts import definitions as checked
from explainers.derive.facts import points
from explainers.derive.forms import condition_sides, read_defined
from explainers.derive.values import NoValueError, Point, is_close, value

# ---- expressions


def mutants(expr: Expr) -> list[Expr]:
    """Every expression that differs from `expr` in one place, without repetition."""
    others = dict.fromkeys([-expr, 2 * expr, expr + 1, *_inside(expr)])
    return [mutant for mutant in others if mutant != expr]


def _inside(expr: Expr) -> Iterator[Expr]:
    yield from _here(expr)
    for i, arg in enumerate(expr.args):
        if isinstance(expr, sp.Sum | sp.Integral) and i:
            u, lo, hi = arg
            yield from (
                expr.func(*expr.args[:i], (u, lo + a, hi + b), *expr.args[i + 1 :])
                for a, b in ((1, 0), (0, 1), (-1, 0), (0, -1))
            )
        elif isinstance(arg, Expr) and not (isinstance(expr, sp.Derivative) and i):
            for other in _inside(arg):
                try:
                    yield expr.func(*expr.args[:i], other, *expr.args[i + 1 :])
                except (TypeError, ValueError):
                    continue
        elif isinstance(arg, sp.MatrixBase):
            for position, entry in enumerate(arg.flat()):
                changed = list(arg.flat())
                changed[position] = entry + 1
                yield expr.func(sp.ImmutableMatrix(*arg.shape, changed))


def _here(expr: Expr) -> Iterator[Expr]:
    if expr.is_Add or expr.is_Mul:
        for i, arg in enumerate(expr.args):
            rest = expr.func(*expr.args[:i], *expr.args[i + 1 :])
            yield rest
            if expr.is_Add:
                yield rest - arg
                yield rest + 2 * arg
    elif isinstance(expr, AppliedUndef):
        for i, arg in enumerate(expr.args):
            if arg.is_integer:
                yield expr.func(*expr.args[:i], arg + 1, *expr.args[i + 1 :])
    elif expr.is_Pow:
        yield expr.base ** (expr.exp + 1)
    elif isinstance(expr, sp.conjugate | sp.re | sp.im):
        yield expr.args[0]
    elif expr.is_Number or expr.is_Symbol:
        yield expr + 1


# ---- proofs


def weaker(proof: Any) -> Iterator[Any]:
    """The proof object with one term of one of its certificates left out, doubled or negated."""
    if isinstance(proof, Certificate):
        for i, (weight, *factors) in enumerate(proof.terms):
            others = proof.terms[:i] + proof.terms[i + 1 :]
            yield Certificate(*others) if others else Identity()
            for factor in (2, -1):
                yield Certificate(*others, (factor * weight, *factors))
    elif is_dataclass(proof) and not isinstance(proof, type):
        for field in fields(proof):
            for other in weaker(getattr(proof, field.name)):
                yield replace(proof, **{field.name: other})


# ---- the verdict


@dataclass
class Tally:
    """How many mutants were refused, and how many have the value of the original and say nothing."""

    refused: int = 0
    agreeing: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.refused + other.refused, self.agreeing + other.agreeing)


def agrees(context: Context, original: Expr, mutant: Expr) -> bool:
    """Do both have the same value, wherever both have one? A mutant with no value anywhere does not."""
    seen = False
    for where in points(context.assumptions, context.witness, wanted=10, tries=40):
        point = Point(where.seed, where.given)
        try:
            a, b = value(context.unfold(original), point), value(context.unfold(mutant), point)
        except (NoValueError, RefusedError):
            continue
        if not is_close(a, b):
            return False
        seen = True
    return seen


def refuses(context: Context, step: Step, *, lhs: Expr | None = None, rhs: Expr | None = None) -> bool:
    """Is the step refused by its own proof, with one side changed?"""
    try:
        prove(
            context,
            step.lhs if lhs is None else lhs,
            step.rel,
            step.rhs if rhs is None else rhs,
            step.by,
        )
    except (RefusedError, ValueError):
        return True
    return False


def _one_side(d: Derivation, step: Step, side: str, original: Expr) -> Tally:
    tally = Tally()
    for mutant in mutants(original):
        if refuses(d.context, step, **{side: mutant}):
            tally.refused += 1
        else:
            where = f"{step.lhs} {step.rel} {step.rhs}, {side}"
            assert agrees(d.context, original, mutant), f"accepted: {mutant} in {where}"
            tally.agreeing += 1
    return tally


def right_sides(d: Derivation, step: Step) -> Tally:
    """Every mutant of a step's right side is refused, or has its value."""
    return _one_side(d, step, "rhs", step.rhs)


def starts(d: Derivation) -> Tally:
    """Every mutant of what the chain starts from is refused by the first step, or has its value."""
    return _one_side(d, d.steps[0], "lhs", d.first)


def definitions(d: Derivation) -> Tally:
    """Every mutant of a definition makes a step fail, or leaves every step of the chain true."""
    tally = Tally()
    for changed, what in _with_mutant_definitions(d.context):
        if any(refuses(changed, step) for step in d.steps):
            tally.refused += 1
            continue
        for step in d.steps:
            before = d.context.unfold(step.lhs) - d.context.unfold(step.rhs)
            after = changed.unfold(step.lhs) - changed.unfold(step.rhs)
            assert agrees(d.context, before, after), f"accepted: {what}"
        tally.agreeing += 1
    return tally


def _with_mutant_definitions(context: Context) -> Iterator[tuple[Context, str]]:
    """The context with one definition changed, for every mutant that may stand there: a vector stays one, and
    what is declared positive stays so."""
    for i, (head, body) in enumerate(context.definitions):
        for mutant in mutants(body):
            try:
                checked({head: mutant})
            except (TypeError, ValueError):
                continue
            others = (*context.definitions[:i], (head, mutant), *context.definitions[i + 1 :])
            yield replace(context, definitions=others), f"{head} = {mutant}"


def lemmas(d: Derivation) -> Tally:
    """Every mutant of a fact (an assumption, or a lemma) makes a step fail, and so does leaving it out."""
    tally = Tally()
    known = d.context.facts
    for name, fact in known.items():
        without = {other: kept for other, kept in known.items() if other != name}
        changed = replace(d.context, facts=without)
        assert any(refuses(changed, step) for step in d.steps) or name not in d.own, f"not needed: {name}"
        tally.refused += 1
        if fact.kind == "!=" or name not in d.own:
            continue
        for mutant in mutants(fact.expr):
            changed = replace(d.context, facts={**known, name: replace(fact, expr=mutant)})
            if any(refuses(changed, step) for step in d.steps):
                tally.refused += 1
            else:
                assert agrees(d.context, fact.expr, mutant), f"accepted: {name} as {mutant}"
                tally.agreeing += 1
    return tally


def certificates(d: Derivation) -> Tally:
    """Every step is refused once a term of a certificate is left out, doubled or negated."""
    tally = Tally()
    for step in d.steps:
        for proof in weaker(step.by):
            assert refuses(d.context, replace(step, by=proof)), f"accepted: {proof} for {step.rhs}"
            tally.refused += 1
    return tally


# ---- the form in which a side is printed


def shown_forms(d: Derivation) -> Tally:
    """Every mutant of a form in which a side is printed is refused, or has the value of that side."""
    tally = Tally()
    for form, side in forms(d):
        for text in rewritten(form):
            try:
                _, left, right = read_defined("shown", text, side, d.context)
                Identity().prove(d.context, left, "==", right)
            except (RefusedError, ValueError):
                tally.refused += 1
                continue
            assert agrees(d.context, right, left), f"printed: {text} for {side}"
            tally.agreeing += 1
    return tally


def forms(d: Derivation) -> list[tuple[str, Expr]]:
    """The forms in which an author has sides of a derivation printed, each with its side."""
    sides = [(d.shown, d.first), *((step.shown, step.rhs) for step in d.steps)]
    written = [(formula.text, side) for formula, side in sides if formula]
    for key, text in d.shown_conditions.items():
        written += condition_sides(key, text, d.context)
    return written


def rewritten(text: str) -> list[str]:
    """The formula with one number, name or operation changed, or one sign or operand left out."""
    tree = ast.parse(text.strip(), mode="eval")
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    texts = dict.fromkeys(ast.unparse(other) for other in _rewritten(tree.body, names))
    return [other for other in texts if other != ast.unparse(tree)]


OPPOSITE: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Div(),
    ast.Div: ast.Mult(),
}


def _rewritten(node: ast.expr, names: list[str]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Name):
        yield ast.Name(names[names.index(node.id) - 1])
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp):
        yield node.left
        if type(node.op) in OPPOSITE:
            yield ast.BinOp(node.left, OPPOSITE[type(node.op)], node.right)
    elif isinstance(node, ast.Call) and len(node.args) == 1:
        yield node.args[0]
    for name, part_or_parts in ast.iter_fields(node):
        parts = part_or_parts if isinstance(part_or_parts, list) else [part_or_parts]
        for i, part in enumerate(parts):
            if not isinstance(part, ast.expr) or name == "func":
                continue
            for other in _rewritten(part, names):
                changed = [*parts[:i], other, *parts[i + 1 :]] if isinstance(part_or_parts, list) else other
                yield type(node)(**{**dict(ast.iter_fields(node)), name: changed})


def shared_definitions(group: list[Derivation]) -> Tally:
    """Every mutant of a definition that a group of derivations shares makes one of them fail.

    What one of them cannot see another does: a distribution function that is 0 and 1 at its ends whatever its
    coefficients are has them in its slope. A mutant that no derivation refuses must have the same value.
    """
    tally = Tally()
    for i, (head, body) in enumerate(group[0].context.definitions):
        for mutant in mutants(body):
            others = (
                *group[0].context.definitions[:i],
                (head, mutant),
                *group[0].context.definitions[i + 1 :],
            )
            changed = [(replace(d.context, definitions=others), d) for d in group]
            if any(refuses(context, step) for context, d in changed for step in d.steps):
                tally.refused += 1
            else:
                assert agrees(group[0].context, body, mutant), f"accepted by all: {head} = {mutant}"
                tally.agreeing += 1
    return tally
