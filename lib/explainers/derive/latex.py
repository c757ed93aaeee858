"""Expressions in LaTeX, as the pages of the book print them."""

import re
from collections.abc import Iterable
from typing import Any

import sympy as sp
from sympy import Expr
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

from explainers.derive.facts import Definitions
from explainers.derive.vectors import Inner, has_bare_vector

LATEX_RELATIONS = {"==": "=", "<=": r"\le", ">=": r"\ge", "!=": r"\ne"}
_TALL = re.compile(r"\\(frac|sum|int|begin|overline\{\\sum)")


class _Printer(LatexPrinter):
    """SymPy's LaTeX printer, with sequences as subscripts and conjugates as a bar."""

    def __init__(self, define: Definitions) -> None:
        super().__init__({"ln_notation": True, "imaginary_unit": "i"})
        # a number is an index or a position: the definition of the function tells, else
        # it is an index
        self.heads = {
            head.func: head.args for head, _ in define if isinstance(head, AppliedUndef)
        }

    def _print_AppliedUndef(self, expr: Any, exp: str | None = None) -> str:
        pairs = list(zip(self.heads.get(expr.func, expr.args), expr.args, strict=True))
        indices = [self._print(arg) for head, arg in pairs if head.is_integer]
        others = [self._print(arg) for head, arg in pairs if not head.is_integer]
        name = self._print(sp.Symbol(expr.func.__name__))
        name += f"_{{{','.join(indices)}}}" if indices else ""
        name += f"({','.join(others)})" if others else ""
        return (
            name
            if exp is None
            else f"{name}^{{{exp}}}"
            if not others
            else f"({name})^{{{exp}}}"
        )

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:
        undefined = isinstance(expr, AppliedUndef)
        return (
            self._print_AppliedUndef(expr, exp)
            if undefined
            else super()._print_Function(expr, exp)
        )

    def _print_conjugate(self, expr: Any, exp: str | None = None) -> str:
        bar = rf"\overline{{{self._print(expr.args[0])}}}"
        return bar if exp is None else f"{bar}^{{{exp}}}"

    def _print_Add(self, expr: Any, order: str | None = None) -> str:
        """A sum, beginning with a term without a minus sign if there is one."""
        terms = self._as_ordered_terms(expr, order=order)
        if terms[0].could_extract_minus_sign():
            terms.sort(key=lambda term: term.could_extract_minus_sign())
        text = ""
        for term in terms:
            minus = term.could_extract_minus_sign()
            theorem_text = self.parenthesize(-term if minus else term, 30, strict=False)
            text += (
                f"{' -' if minus else ' +'} {theorem_text}"
                if text
                else f"- {theorem_text}"
                if minus
                else theorem_text
            )
        return text

    def _print_Mul(self, expr: Any) -> str:
        """A product, with coefficients before exponentials and vectors, `-i/n` as
        `1/(in)`, and a constant factor in front of a sum instead of in a fraction."""
        if has_bare_vector(expr):
            vector = next(filter(has_bare_vector, expr.args))
            weight = expr / vector
            text = {1: "", -1: "- "}.get(weight, f"{self._print(weight)} ")
            return text + self.parenthesize(vector, 40, strict=False)
        over, under = sp.fraction(expr, exact=True)
        number, rest = over.as_coeff_Mul()
        if (
            under != 1
            and number.is_negative
            and rest.has(sp.I)
            and sp.I in sp.Mul.make_args(rest)
        ):
            top = self._print(-over / sp.I)
            return rf"\frac{{{top}}}{{i {self.parenthesize(under, 50, strict=True)}}}"
        if (
            under.is_Integer
            and under != 1
            and number == 1
            and expr.has(sp.Sum, sp.Integral)
        ):
            return rf"\frac{{1}}{{{under}}} {self.parenthesize(over, 40, strict=False)}"
        sums = [factor for factor in sp.Mul.make_args(over) if factor.has(sp.Sum)]
        if under != 1 and len(sums) == 1 and isinstance(sums[0], sp.Sum):
            front = f"{self._print(over / sums[0] / under)} "
            return front + self.parenthesize(sums[0], 40, strict=False)
        if under != 1 or not expr.has(sp.exp):
            return super()._print_Mul(expr)
        factors = sorted(sp.Mul.make_args(rest), key=_factor_order)
        theorem_text = [
            self.parenthesize(factor, 50, strict=False) for factor in factors[:-1]
        ]
        theorem_text.append(self.parenthesize(factors[-1], 40, strict=False))
        sign = (
            "- " if number == -1 else "" if number == 1 else f"{self._print(number)} "
        )
        return sign + " ".join(theorem_text)

    def _print_Inner(self, expr: Any, exp: str | None = None) -> str:
        u, v = map(self._print, expr.args)
        product = (
            rf"\left\lVert {u} \right\rVert^{{2}}"
            if u == v
            else rf"\left\langle {u}, {v} \right\rangle"
        )
        return product if exp is None else rf"\left({product}\right)^{{{exp}}}"

    def _print_Pow(self, expr: Any) -> str:
        """A power, of a squared norm as a power of the norm."""
        base, power = expr.args
        length = isinstance(base, Inner) and base.args[0] == base.args[1]
        if length and power.is_Rational and power.is_positive:
            theorem_text = self._print(base).removesuffix("^{2}")
            return (
                theorem_text
                if power == sp.S.Half
                else f"{theorem_text}^{{{2 * power}}}"
            )
        return super()._print_Pow(expr)

    def _print_re(self, expr: Any, exp: str | None = None) -> str:
        part = rf"\operatorname{{Re}} {self.parenthesize(expr.args[0], 50)}"
        return part if exp is None else rf"\left({part}\right)^{{{exp}}}"

    def _print_im(self, expr: Any, exp: str | None = None) -> str:
        part = rf"\operatorname{{Im}} {self.parenthesize(expr.args[0], 50)}"
        return part if exp is None else rf"\left({part}\right)^{{{exp}}}"


def _factor_order(factor: Expr) -> tuple[int, Any]:
    kind = (
        3
        if isinstance(factor, sp.Sum | sp.Integral)
        else 2
        if isinstance(factor, sp.exp)
        else 1
        if factor.has(AppliedUndef)
        else 0
    )
    return kind, factor.sort_key()


def latex(expr: sp.Basic, define: Definitions = ()) -> str:
    """`expr` in LaTeX.

    Of a function in `define`, an argument is a subscript where the definition has an
    integer symbol; of any other function, where the argument is an integer.
    """
    return _with_small_brackets(_Printer(define).doprint(expr))


def _with_small_brackets(text: str) -> str:
    """LaTeX with stretching brackets around fractions, sums and integrals only."""
    tokens = re.split(r"(\\left|\\right)(?=[^a-z])", text)
    stack: list[int] = []
    for i, token in enumerate(tokens):
        if token == r"\left":
            stack.append(i)
        elif token == r"\right":
            start = stack.pop()
            if not _TALL.search("".join(tokens[start:i])):
                tokens[start] = tokens[i] = ""
    text = re.sub(r"\{(\([^{}()]*\))\}", r"\1", "".join(tokens))
    text = re.sub(r"\|\{([^|]*)\}\|", r"|\1|", text)
    return re.sub(r"\s+(?=\)|\\right\))", "", text).replace(r"\int\limits", r"\int")


def relation(lhs: str, rel: str, rhs: str) -> str:
    """Two sides in LaTeX with the sign of their relation between them."""
    return f"{lhs} {LATEX_RELATIONS[rel]} {rhs}"


# A letter or a command, with the subscript that belongs to it.
_NAME = re.compile(r"\\?[A-Za-z]+(?:_(?:\{[^{}]*\}|[A-Za-z0-9]))?")
_COMMANDS = re.compile(
    r"\\(?:mathbb|mathrm|mathcal|mathbf|operatorname|text|left|right)\b\*?"
)
_OPERATORS = re.compile(
    r"[-+=<>*/^0-9]|\\(?:le|ge|ne|leq|geq|neq|frac|cdot|times|pm|sum|int|sqrt)\b"
)


def is_new_name(text: str, known: Iterable[sp.Basic]) -> bool:
    """Whether a string of LaTeX names something new.

    It then has a letter that is none of the symbols and functions in `known`, and
    neither an operator nor a number outside of its subscripts.
    """
    bare = re.sub(r"_(?:\{[^{}]*\}|.)", "", text)
    if _OPERATORS.search(bare):
        return False
    taken = {
        latex(sp.Symbol(getattr(key, "name", None) or key.__name__)) for key in known
    }
    return not set(_NAME.findall(_COMMANDS.sub("", text))) <= taken
