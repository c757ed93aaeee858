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
from explainers.derive.wellformed import names_in

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
        name = _call(expr, map(self._print, expr.args), self.heads.get(expr.func))
        if exp is None:
            return name
        return f"({name})^{{{exp}}}" if name.endswith(")") else f"{name}^{{{exp}}}"

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:
        if isinstance(expr, AppliedUndef):
            return self._print_AppliedUndef(expr, exp)
        text = super()._print_Function(expr, exp)
        named = len(expr.args) == 1 and expr.args[0].is_Symbol
        return _LONE_ARGUMENT.sub(r" \1", text) if named else text

    def _print_log(self, expr: Any, exp: str | None = None) -> str:
        text = super()._print_log(expr, exp)
        return _LONE_ARGUMENT.sub(r" \1", text) if expr.args[0].is_Symbol else text

    def _print_conjugate(self, expr: Any, exp: str | None = None) -> str:
        bar = rf"\overline{{{self._print(expr.args[0])}}}"
        return bar if exp is None else f"{bar}^{{{exp}}}"

    def _print_Add(self, expr: Any, order: str | None = None) -> str:
        """A polynomial by falling powers, and any other sum with its numbers first and
        its sums and integrals last; it begins without a minus sign if it can."""
        terms = self._as_ordered_terms(expr, order=order)
        if not all(map(_is_monomial, terms)):
            terms.sort(key=_term_order)
        if _is_negative(terms[0]):
            terms.sort(key=_is_negative)
        text = ""
        for term in terms:
            minus = _is_negative(term)
            printed = self.parenthesize(-term if minus else term, 30, strict=False)
            sign = "-" if minus else "+"
            text += f" {sign} {printed}" if text else f"- {printed}" * minus or printed
        return text

    def _print_Mul(self, expr: Any) -> str:
        """A product: numbers, symbols, roots, exponentials, sums, in this order.

        Of a fraction, numbers stand in front if there are several, and so do sums and
        exponentials behind it; roots are gathered under one sign, and `-i/n` is
        `1/(in)`."""
        if has_bare_vector(expr):
            vector = next(filter(has_bare_vector, expr.args))
            weight = expr / vector
            text = {1: "", -1: "- "}.get(weight, f"{self._print(weight)} ")
            return text + self.parenthesize(vector, 40, strict=False)
        over, under = sp.fraction(expr, exact=True)
        number, rest = over.as_coeff_Mul()
        factors = [factor for factor in sp.Mul.make_args(rest) if factor != 1]
        if under != 1 and number.is_negative and sp.I in factors:
            top = self._print(-over / sp.I)
            return rf"\frac{{{top}}}{{{self._print(sp.I * under)}}}"
        sign, number = ("- ", -number) if number.is_negative else ("", number)
        number, factors, below = _without_root_in_numerator(number, factors, under)
        if not below:
            return sign + self._product(number, factors)
        plain = all(factor.is_number for factor in below)
        split = number != 1 or any(f.is_number and f != sp.I for f in factors)
        behind = [
            factor
            for factor in factors
            if isinstance(factor, _BIG)
            or (plain and (split or _is_tall(factor)) and not factor.is_number)
            or (isinstance(factor, sp.exp) and not under.has(sp.exp))
        ]
        if number == 1 and behind == factors and not plain and not rest.has(*_BIG):
            behind = []  # better than 1 above the line
        front = [factor for factor in factors if factor not in behind]
        above, under = (
            self._product(number, front, 0),
            self._product(sp.S.One, below, 0),
        )
        text = rf"{sign}\frac{{{above}}}{{{under}}}"
        return f"{text} {self._product(sp.S.One, behind)}" if behind else text

    def _product(self, number: Expr, factors: list[Expr], alone: int = 40) -> str:
        """A number and other factors, one after another. A single factor is in brackets
        if it is bound less tightly than `alone`."""
        factors = sorted(_gathered_roots(factors), key=_factor_order)
        if number != 1 or not factors:
            factors = [number, *factors]
        words = [self.parenthesize(factor, 50, strict=False) for factor in factors[:-1]]
        level = alone if len(factors) == 1 else 40
        return " ".join([*words, self.parenthesize(factors[-1], level, strict=False)])

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


_BIG = sp.Sum, sp.Integral
_LONE_ARGUMENT = re.compile(r"\{?\\left\(([^()]*?)\s*\\right\)\}?")


def _is_monomial(term: Expr) -> bool:
    """Whether a term is a product of numbers and of powers of symbols."""
    return not term.has(sp.Function, sp.Derivative, *_BIG) and all(
        factor.as_base_exp()[0].is_Atom for factor in sp.Mul.make_args(term)
    )


def _term_order(term: Expr) -> tuple[bool, bool, bool]:
    return term.has(*_BIG), _is_negative(term), not term.is_number


def _is_negative(term: Expr) -> bool:
    """Whether a term of a sum is printed with a minus sign; `-i/n` is not."""
    over, under = sp.fraction(term, exact=True)
    return term.could_extract_minus_sign() and not (
        under != 1 and sp.I in sp.Mul.make_args(over)
    )


def _factor_order(factor: Expr) -> tuple[int, Any]:
    kinds = (
        factor.is_number or (factor.is_Pow and factor.base.is_number),
        factor.as_base_exp()[0].is_Symbol and not _is_root(factor),
        factor.is_Add or (factor.is_Pow and factor.base.is_Add),
        not _is_root(factor) and not isinstance(factor, (sp.exp, *_BIG)),
        _is_root(factor),
        isinstance(factor, sp.exp),
        True,
    )
    return kinds.index(True), factor.sort_key()


def _is_root(factor: Expr) -> bool:
    return factor.is_Pow and factor.exp == sp.S.Half


def _is_tall(factor: Expr) -> bool:
    """Whether a factor is better not set above a line."""
    power = factor.is_Pow and factor.base.is_Add and not _is_root(factor)
    return power or isinstance(factor, sp.exp)


def _gathered_roots(factors: list[Expr]) -> list[Expr]:
    """The factors with all roots of non-negative numbers under one sign."""
    roots = [f for f in factors if _is_root(f) and f.base.is_nonnegative]
    if len(roots) < 2:
        return factors
    product = sp.Mul(*(root.base for root in roots), evaluate=False)
    together = sp.Pow(product, sp.S.Half, evaluate=False)
    return [together, *(factor for factor in factors if factor not in roots)]


def _without_root_in_numerator(
    number: Expr, factors: list[Expr], under: Expr
) -> tuple[Expr, list[Expr], list[Expr]]:
    """`sqrt(2)/2` as `1/sqrt(2)`: the parts of a fraction, its denominator as a list
    without a factor 1."""
    below_number, rest = under.as_coeff_Mul()
    below = [factor for factor in sp.Mul.make_args(rest) if factor != 1]
    for root in factors:
        if _is_root(root) and root.base.is_Integer and below_number % root.base == 0:
            below_number /= root.base
            factors = [factor for factor in factors if factor != root]
            below = [root, *below]
    return number, factors, [below_number, *below] if below_number != 1 else below


def _call(expr: Any, args: Iterable[str], heads: tuple[Expr, ...] | None) -> str:
    """A function with its arguments, integers as subscripts: those of `heads` if there
    are any, else those of `expr`."""
    pairs = list(zip(heads or expr.args, args, strict=True))
    indices = ",".join(text for head, text in pairs if head.is_integer)
    others = ",".join(text for head, text in pairs if not head.is_integer)
    name = latex(sp.Symbol(expr.func.__name__))
    name += f"_{{{indices}}}" if indices else ""
    return name + (rf"\left({others}\right)" if others else "")


def applied(expr: Expr, args: Iterable[str], define: Definitions = ()) -> str:
    """The LaTeX of the undefined function `expr`, whose arguments are `args` in
    LaTeX."""
    return _call(expr, args, _Printer(define).heads.get(expr.func))


def latex(expr: sp.Basic, define: Definitions = ()) -> str:
    """`expr` in LaTeX.

    Of a function in `define`, an argument is a subscript where the definition has an
    integer symbol; of any other function, where the argument is an integer.
    """
    return with_small_brackets(_Printer(define).doprint(expr))


def with_small_brackets(text: str) -> str:
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


_SUBSCRIPTS_AND_STARS = re.compile(r"_(?:\{[^{}]*\}|.)|\^(?:\{\*\}|\*)")
# an operator, a digit, a blank, or a superscript that would be read as a power
_FORMULA = re.compile(
    r"[-+*/<>=0-9 ]|\^\{?[A-Za-z0-9]|\\(?:frac|cdot|sqrt|sum|le|ge)\b"
)


def require_distinct(parts: Iterable[sp.Basic]) -> None:
    """Raise `ValueError` if two names in `parts` are printed alike: `x1` and `x_1`, an
    `i` and the imaginary unit, or, on one side, two free `x` of which one is positive.

    What is bound, as the index of a sum, may have other assumptions. A name that is
    printed as a formula, as `x__2` is, is refused also.
    """
    parts = list(parts)
    names = set().union(*map(names_in, parts))
    if any(part.has(sp.Limit) for part in parts):  # a limit's side is a symbol to SymPy
        names -= set(sp.symbols("+ - +-"))
    units = {"i": (sp.I,), "e": (sp.E, sp.exp)}
    seen = {
        sign: f"the constant {sign}"
        for sign, kinds in units.items()
        if any(part.has(*kinds) for part in parts)
    }
    for number in set().union(*(part.atoms(sp.NumberSymbol) for part in parts)):
        seen[latex(number)] = f"the constant {number}"
    seen.setdefault(r"\pi", "the constant pi")
    for name in {getattr(key, "name", None) or key.__name__ for key in names}:
        shown = latex(sp.Symbol(name))
        if _FORMULA.search(_SUBSCRIPTS_AND_STARS.sub("", shown)):
            raise ValueError(f"the name {name} is printed as a formula: {shown}")
        if (other := seen.setdefault(shown, name)) != name:
            raise ValueError(f"{other} and {name} are both printed as {shown}")
    for part in parts:
        require_one_each(part.free_symbols, part.atoms(sp.Symbol), part)


def require_one_each(free: Iterable[Any], others: Iterable[Any], part: object) -> None:
    """Raise `ValueError` if one of the symbols `free` has the name of another one of
    these or of `others`, all of `part`: the free k of `Sum(k, (k, 1, N))`, declared
    otherwise than the bound one, is printed as that."""
    symbols = set(free)
    for symbol in symbols:
        if any(o != symbol and o.name == symbol.name for o in symbols | set(others)):
            raise ValueError(f"{part} has two symbols {symbol.name}, printed alike")


# a letter, a Greek one, or letters in another script or under an accent
_LETTER = (
    r"(?:[A-Za-z]|\\(?:mathrm|mathbb|mathcal|mathbf|bar|hat|tilde)\{[A-Za-z]+\}"
    r"|\\(?:alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|kappa|lambda|mu"
    r"|nu|xi|rho|sigma|tau|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma"
    r"|Phi|Psi|Omega))"
)
_SUBSCRIPT = r"(?:_(?:\{[A-Za-z0-9, +-]+\}|[A-Za-z0-9]))?"
_NEW = re.compile(
    rf"({_LETTER}){_SUBSCRIPT}|\\mathbb\{{E\}}\|({_LETTER}){_SUBSCRIPT}\|"
)


def is_new_name(text: str, known: Iterable[Any]) -> bool:
    r"""Whether a string of LaTeX names something new: a letter, with a subscript or
    not, or the mean `\mathbb{E}|S_n|` of its absolute value.

    The letter is none of the symbols and functions in `known`, with or without their
    subscripts, and no constant.
    """
    found = _NEW.fullmatch(text)
    if not found:
        return False
    names = (getattr(key, "name", None) or key.__name__ for key in known)
    taken = {"e", "i"}
    for name in names:
        shown = latex(sp.Symbol(name))
        taken |= {shown, shown.partition("_")[0]}
    return (found[1] or found[2]) not in taken
