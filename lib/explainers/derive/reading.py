"""Formulas as a person writes them: read without running anything, in SymPy's syntax.

A formula becomes two things at once: an expression, which is not simplified, and LaTeX,
in the order and with the grouping in which it was written. It is made of the names that
it is given, of the functions in `FUNCTIONS` and of whole numbers. Everything else is
refused: attributes, other calls, keywords, decimal fractions, comparisons.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import sympy as sp
from sympy import Expr
from sympy.core.function import AppliedUndef, UndefinedFunction
from sympy.printing.conventions import requires_partial

from explainers.derive.context import Context
from explainers.derive.latex import applied, latex, with_small_brackets
from explainers.derive.vectors import Inner, Term, Vector
from explainers.derive.wellformed import expression, names_in

LENGTH = 600  # characters of a formula
DIGITS = 12  # of a number
# what is larger takes minutes: exponents that are numbers, the degree, other numbers in
# ranges, factorials and binomials, and how many signs of sums and slopes there are
POWER, DEGREE, COUNT, SIGNS = 12, 24, 1000, 6

CONSTANTS: dict[str, Expr] = {"pi": sp.pi, "I": sp.I}
NAMED = {
    "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh", "cosh": r"\cosh",
    "tanh": r"\tanh", "sech": r"\operatorname{sech}", "log": r"\ln",
}  # fmt: skip
FUNCTIONS = (
    *NAMED, "sqrt", "exp", "Abs", "re", "im", "conjugate", "binomial", "factorial",
    "Sum", "Integral", "Limit", "Derivative", "inner", "norm2",
)  # fmt: skip

SUM, PRODUCT, POWERED, ATOM = range(4)  # how tightly the parts of LaTeX are bound


@dataclass(frozen=True)
class Formula:
    """A formula as it was written (`text`), its expression, not simplified, and its
    LaTeX."""

    text: str
    expr: Expr
    latex: str


@dataclass(frozen=True)
class _Part:
    """A part of a formula. A power of it is `head^{...}tail`; `big` tells that a factor
    or a slash on its right would seem to belong to its end, as in a sum, in `sin x` and
    in the fraction 1/2 of an exponent."""

    expr: Any
    latex: str
    rank: int = ATOM
    head: str = ""
    tail: str = ""
    big: bool = False

    def within(self, rank: int) -> str:
        """Its LaTeX, in brackets if it is bound less tightly than `rank`."""
        return self.latex if self.rank >= rank else _bracket(self.latex)


def _bracket(text: str) -> str:
    return rf"\left({text}\right)"


def _closed(part: _Part) -> str:
    """The LaTeX of a part to which what follows it must not seem to belong."""
    return _bracket(part.latex) if part.big else part.within(PRODUCT)


def vocabulary(context: Context, *sides: Expr) -> dict[str, Any]:
    """The names that a formula may use: the symbols and functions of `sides`, and of
    the definitions and facts of `context`.

    Of two things with the same name, it is that of `sides`. Names that stay ambiguous
    are left out.
    """
    near = set().union(*map(names_in, sides))
    parts = context.stated + [fact.expr for fact in context.facts.values()]
    known: dict[str, Any] = {}
    for group in (near, set().union(*map(names_in, parts)) if parts else set()):
        own: dict[str, set[Any]] = {}
        for key in group:
            own.setdefault(getattr(key, "name", None) or key.__name__, set()).add(key)
        for name, keys in own.items():
            if len(keys) == 1:
                known.setdefault(name, *keys)
            elif name not in known and group is near:
                known[name] = None
    return {name: key for name, key in known.items() if key is not None}


def read(
    argument: str, text: str, names: Mapping[str, Any], context: Context
) -> Formula:
    """The formula in `text`, made of `names` and of known functions.

    Raises `ValueError` that begins with the name `argument` if it is too long, if it is
    no formula, or if it has a name or a kind of node that is not listed.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{argument}: expected a formula as a string, got {text!r}")
    if not (text.isascii() and text.isprintable()) or "#" in text:
        raise ValueError(f"{argument}: {text!r} has signs that no formula has")
    if len(text) > LENGTH:
        raise ValueError(f"{argument}: longer than {LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        part = _Reader(names, context)(tree)
        _require_small(part.expr)
        _require_numbers(part.expr)
        expression(argument, part.expr)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{argument}: {text!r} is not a formula") from error
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(f"{argument}: {error}, in {text!r}") from error
    return Formula(text.strip(), part.expr, with_small_brackets(part.latex))


def evaluated(expr: sp.Basic) -> Any:
    """`expr` as SymPy makes it by itself, with all that was left as it was written.

    Raises `ValueError` for numbers that are too large.
    """
    if not expr.args:
        return expr
    args = [evaluated(arg) for arg in expr.args]
    if isinstance(expr, sp.Pow | sp.factorial | sp.binomial):
        limit = POWER if expr.is_Pow else COUNT
        for arg in args[1:] if expr.is_Pow else args:
            if arg.is_number and (arg.is_finite is False or abs(arg) > limit):
                raise ValueError(f"the number in {expr} is too large")
    return expr.func(*args)


def _require_small(expr: Expr) -> None:
    """Raise `ValueError` for what would take minutes to multiply or add up."""
    nodes = list(sp.postorder_traversal(expr))
    if sum(isinstance(n, sp.Sum | sp.Integral | sp.Derivative) for n in nodes) > SIGNS:
        raise ValueError(f"more than {SIGNS} sums, integrals and slopes")
    for node in nodes:  # inner ones first, so that numbers stay small
        if node.is_Pow and node.args[1].is_number and abs(node.args[1]) > POWER:
            raise ValueError(f"the exponent {node.args[1]} is above {POWER}")
        if isinstance(node, sp.Sum | sp.Integral):
            _require_counted(node.args[1:], node)
        if isinstance(node, sp.factorial | sp.binomial):
            _require_counted(node.args, node)
    if _degree(expr) > DEGREE:
        raise ValueError(f"powers of a degree above {DEGREE}")


def _require_counted(parts: Iterable[sp.Basic], within: sp.Basic) -> None:
    for part in parts:
        for number in sp.preorder_traversal(part):
            if number.is_number and number.is_finite and abs(number) > COUNT:
                raise ValueError(f"a number above {COUNT} in {within}")


def _degree(expr: sp.Basic) -> int:
    """At least the degree of `expr` as a polynomial of its symbols and numbers."""
    degrees = [_degree(arg) for arg in expr.args] or [1]
    if expr.is_Mul:
        return sum(degrees)
    if expr.is_Pow and expr.args[1].is_Integer:
        return abs(int(expr.args[1])) * degrees[0]
    return max(degrees)


def _require_numbers(expr: sp.Basic) -> None:
    """Raise `ValueError` for a vector outside of inner products, lengths and losses."""
    if isinstance(expr, Vector | Term):
        raise ValueError(f"{expr} is a vector, and no number")
    for arg in () if isinstance(expr, Inner | AppliedUndef) else expr.args:
        _require_numbers(arg)


# What may have no value somewhere, so that SymPy must not cancel it.
_PARTIAL = sp.Pow, sp.Function, sp.Sum, sp.Integral, sp.Derivative, sp.Limit


def uncancelled(expr: sp.Basic) -> Any:
    """`expr` with sums and products of symbols and numbers made as SymPy makes them,
    and all others as they were written: an exponent `2*m - 1` has a sign, and `x/x` has
    a denominator."""
    if not expr.args:
        return expr
    args = [uncancelled(arg) for arg in expr.args]
    if isinstance(expr, sp.Add | sp.Mul | sp.Pow | sp.Function):
        written = expr.func(*args, evaluate=False)
        return written if written.has(*_PARTIAL) else expr.func(*args)
    return expr.func(*args)


class _Reader:
    """Reads nodes of Python's syntax tree. `small` is for exponents, where a fraction
    is written with a slash."""

    def __init__(self, names: Mapping[str, Any], context: Context) -> None:
        self.names, self.define = names, context.definitions
        self.small = False

    def __call__(self, node: ast.expr) -> _Part:
        bare = _without_minus(node)
        if bare is not None:
            part = self(bare)
            minus = sp.Mul(-1, part.expr, evaluate=False)
            sign = "-" if part.latex.isdigit() else "- "
            return _Part(minus, sign + part.within(PRODUCT), SUM, big=part.big)
        match node:
            case ast.Constant(value=int(number)) if not isinstance(number, bool):
                if number >= 10**DIGITS:
                    raise ValueError(f"a number has more than {DIGITS} digits")
                return _Part(sp.Integer(number), str(number))
            case ast.Name(id=name):
                return self._name(name)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                return self._sum(self(left), isinstance(op, ast.Sub), self(right))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self._product(self(left), self(right))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._fraction(self(left), self(right))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(self(left), self._in_small(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args)
        raise ValueError(f"{ast.unparse(node)!r} is not allowed")

    def _in_small(self, node: ast.expr) -> _Part:
        before, self.small = self.small, True
        part = self(node)
        self.small = before
        return part

    def _name(self, name: str) -> _Part:
        known = self.names.get(name, CONSTANTS.get(name))
        if known is None or isinstance(known, UndefinedFunction):
            raise ValueError(f"{name} is not a symbol of this derivation")
        return _Part(known, latex(known, self.define))

    @staticmethod
    def _sum(left: _Part, minus: bool, right: _Part) -> _Part:
        term = sp.Mul(-1, right.expr, evaluate=False) if minus else right.expr
        text = f"{left.latex} {'-' if minus else '+'} {right.within(PRODUCT)}"
        return _Part(sp.Add(left.expr, term, evaluate=False), text, SUM, big=right.big)

    @staticmethod
    def _product(left: _Part, right: _Part) -> _Part:
        first = _closed(left)
        second = right.within(PRODUCT)
        fraction = second.startswith(r"\frac")
        # without a dot 2 3/4 would be read as a mixed number
        mixed = fraction and first[-1].isdigit() and right.expr.is_number
        fractions = fraction and first.startswith(r"\frac")
        dot = r" \cdot " if mixed or fractions or second[0].isdigit() else " "
        product = sp.Mul(left.expr, right.expr, evaluate=False)
        return _Part(product, first + dot + second, PRODUCT, big=right.big)

    def _fraction(self, over: _Part, under: _Part) -> _Part:
        if under.expr.is_Integer and over.expr.is_Integer and under.expr != 0:
            quotient = sp.Rational(over.expr, under.expr)
        else:
            inverse = sp.Pow(under.expr, -1, evaluate=False)
            quotient = sp.Mul(over.expr, inverse, evaluate=False)
        if self.small:
            below = _bracket(under.latex) if under.big else under.within(POWERED)
            return _Part(quotient, f"{_closed(over)}/{below}", PRODUCT, big=True)
        return _Part(quotient, rf"\frac{{{over.latex}}}{{{under.latex}}}", PRODUCT)

    @staticmethod
    def _power(base: _Part, exponent: _Part) -> _Part:
        # \sin^{-1} is read as the arc sine
        split = base.head and exponent.expr.is_nonnegative
        head, tail = (base.head, base.tail) if split else (base.within(ATOM), "")
        if base.head and not split:
            head = _bracket(base.latex)
        text = f"{head}^{{{exponent.latex}}}{tail}"
        power = sp.Pow(base.expr, exponent.expr, evaluate=False)
        return _Part(power, text, POWERED, big=bool(tail) and base.big)

    def _call(self, name: str, nodes: list[ast.expr]) -> _Part:
        function = self.names.get(name)
        if isinstance(function, UndefinedFunction):
            args = [self(node) for node in nodes]
            call = function(*(arg.expr for arg in args))
            text = applied(call, [arg.latex for arg in args], self.define)
            return _Part(call, text)
        if function is not None or name not in FUNCTIONS:
            raise ValueError(f"{name} is not a function that may be called")
        special: Callable[..., _Part] | None = getattr(self, f"_print_{name}", None)
        if special is not None:
            try:
                signature(special).bind(*nodes)
            except TypeError as error:
                raise ValueError(f"{name} takes other arguments") from error
            return special(*nodes)
        if len(nodes) != 1:
            raise ValueError(f"{name} takes one argument")
        arg = self(nodes[0])
        expr = getattr(sp, name)(arg.expr, evaluate=False)
        plain = isinstance(nodes[0], ast.Name | ast.Constant)
        head, tail = NAMED[name], f" {arg.latex}" if plain else _bracket(arg.latex)
        return _Part(expr, head + tail, ATOM, head, tail, big=plain)

    def _print_sqrt(self, node: ast.expr) -> _Part:
        arg = self(node)
        root = sp.Pow(arg.expr, sp.S.Half, evaluate=False)
        is_length = isinstance(arg.expr, Inner) and arg.expr.args[0] == arg.expr.args[1]
        is_length = is_length and arg.latex.endswith("^{2}")
        text = arg.latex.removesuffix("^{2}") if is_length else rf"\sqrt{{{arg.latex}}}"
        return _Part(root, text)

    def _print_exp(self, node: ast.expr) -> _Part:
        arg = self._in_small(node)
        return _Part(sp.exp(arg.expr, evaluate=False), f"e^{{{arg.latex}}}", POWERED)

    def _print_Abs(self, node: ast.expr) -> _Part:
        arg = self(node)
        if "|" in arg.latex:
            raise ValueError("absolute values inside one another cannot be told apart")
        return _Part(sp.Abs(arg.expr, evaluate=False), rf"\left|{arg.latex}\right|")

    def _print_conjugate(self, node: ast.expr) -> _Part:
        arg = self(node)
        bar = rf"\overline{{{arg.latex}}}"
        return _Part(sp.conjugate(arg.expr, evaluate=False), bar)

    def _print_re(self, node: ast.expr) -> _Part:
        arg = self(node)
        text = rf"\operatorname{{Re}} {arg.within(PRODUCT)}"
        return _Part(sp.re(arg.expr, evaluate=False), text, PRODUCT, big=True)

    def _print_im(self, node: ast.expr) -> _Part:
        arg = self(node)
        text = rf"\operatorname{{Im}} {arg.within(PRODUCT)}"
        return _Part(sp.im(arg.expr, evaluate=False), text, PRODUCT, big=True)

    def _print_binomial(self, above: ast.expr, below: ast.expr) -> _Part:
        n, k = self(above), self(below)
        text = rf"\binom{{{n.latex}}}{{{k.latex}}}"
        return _Part(sp.binomial(n.expr, k.expr, evaluate=False), text)

    def _print_factorial(self, node: ast.expr) -> _Part:
        arg = self(node)
        text = f"{arg.within(ATOM)}!"
        return _Part(sp.factorial(arg.expr, evaluate=False), text, POWERED)

    def _print_Sum(self, body: ast.expr, *limits: ast.expr) -> _Part:
        return self._folded(sp.Sum, r"\sum_{%s=%s}^{%s} ", "", body, *limits)

    def _print_Integral(self, body: ast.expr, *limits: ast.expr) -> _Part:
        sign = r"\int_{%.0s%s}^{%s} "
        return self._folded(sp.Integral, sign, r"\, d%s", body, *limits)

    def _folded(
        self, kind: Any, before: str, after: str, body: ast.expr, *limits: ast.expr
    ) -> _Part:
        if not limits:
            raise ValueError("give the limits, such as (t, 1, T)")
        part, ranges = self(body), []
        text = part.within(PRODUCT)
        for limit in limits:
            if not (isinstance(limit, ast.Tuple) and len(limit.elts) == 3):
                raise ValueError("limits must be written as (t, 1, T)")
            u, lo, hi = map(self, limit.elts)
            if not isinstance(u.expr, sp.Symbol):
                raise ValueError(f"{u.latex} cannot be an index")
            ranges.append((u.expr, lo.expr, hi.expr))
            text = before % (u.latex, lo.latex, hi.latex) + text
            text += after % u.latex if after else ""
        return _Part(kind(part.expr, *ranges), text, PRODUCT, big=True)

    def _print_Limit(self, body: ast.expr, at: ast.expr, to: ast.expr) -> _Part:
        part, n = self(body), self(at)
        if not (isinstance(to, ast.Name) and to.id == "oo"):
            raise ValueError("a limit must be one to oo")
        text = rf"\lim_{{{n.latex} \to \infty}} {part.within(POWERED)}"
        return _Part(sp.Limit(part.expr, n.expr, sp.oo), text, PRODUCT, big=True)

    def _print_Derivative(self, body: ast.expr, by: ast.expr) -> _Part:
        part, x = self(body), self(by)
        slope = sp.Derivative(part.expr, x.expr)
        d = r"\partial" if requires_partial(slope) else "d"
        text = rf"\frac{{{d}}}{{{d} {x.latex}}} {part.within(POWERED)}"
        return _Part(slope, text, PRODUCT, big=True)

    def _print_inner(self, left: ast.expr, right: ast.expr) -> _Part:
        u, v = self(left), self(right)
        text = rf"\left\langle {u.latex}, {v.latex} \right\rangle"
        return _Part(Inner(u.expr, v.expr, evaluate=False), text)

    def _print_norm2(self, node: ast.expr) -> _Part:
        u = self(node)
        text = rf"\left\lVert {u.latex} \right\rVert^{{2}}"
        return _Part(Inner(u.expr, u.expr, evaluate=False), text, POWERED)


def _without_minus(node: ast.expr) -> ast.expr | None:
    """`-a * b / c` as `a * b / c`, and None for what has no minus sign in front."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return operand
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            bare = _without_minus(left)
            return None if bare is None else ast.BinOp(bare, op, right)
    return None
