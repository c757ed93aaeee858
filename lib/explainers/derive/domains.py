"""The domains of the letters of a derivation: what SymPy assumes of them."""

from collections.abc import Callable, Iterable
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from explainers.derive.context import Context
from explainers.derive.vectors import Term, Vector

# What is said of a letter: words before it, and a relation after it.
Domain = tuple[str, str]


def domains(sides: Iterable[sp.Basic], context: Context) -> dict[sp.Basic, Domain]:
    """What is assumed of each free symbol, and of each sequence, by one of its terms,
    in `sides` and in the conditions of `context`.

    A sequence of which no more is assumed than that it is real is left out, unless
    complex numbers stand beside it; a symbol of which nothing is, if none do.
    """
    parts: list[tuple[sp.Basic, set[Any]]] = [(side, set()) for side in sides]
    parts += [(body, set(head.args)) for head, body in context.definitions]
    parts += [
        (fact.stated, {fact.index}) for fact in context.facts.values() if not fact.lemma
    ]
    free = set().union(*(part.free_symbols - bound for part, bound in parts))
    calls = set().union(*(part.atoms(AppliedUndef) for part, _ in parts))
    heads = {head for head, _ in context.definitions}
    functions = {getattr(head, "func", None) for head in heads}
    letters = {symbol for symbol in free - heads if not isinstance(symbol, Vector)}
    beside = any(part.has(sp.I, sp.conjugate, sp.re, sp.im) for part, _ in parts)
    terms: dict[Any, sp.Expr] = {}
    for call in sorted(calls, key=_plain_first):
        if call.func not in functions and not isinstance(call, Term):
            terms.setdefault(call.func, call)
    found = {
        letter: _domain(letter, beside)
        for letter in [*sorted(letters, key=sp.default_sort_key), *terms.values()]
    }
    return {letter: domain for letter, domain in found.items() if domain}


def in_words(
    found: dict[sp.Basic, Domain], show: Callable[[sp.Basic], str], in_latex: bool
) -> list[str]:
    r"""A phrase for each domain, such as "whole $m, n \ge 1$" or "m, n >= 1"."""
    letters: dict[Domain, list[str]] = {}
    for letter, domain in found.items():
        letters.setdefault(domain, []).append(show(letter))
    phrases = []
    for (kind, relation), names in letters.items():
        sign = _SIGNS.get(relation, relation) if in_latex else relation
        formula = f"{', '.join(names)} {sign}".strip()
        phrases.append(kind + (f"${formula}$" if in_latex else formula))
    return phrases


_SIGNS = {">= 1": r"\ge 1", ">= 0": r"\ge 0", "<= 0": r"\le 0", "!= 0": r"\ne 0"}


def _plain_first(call: Any) -> tuple[int, Any]:
    return sum(not arg.is_Symbol for arg in call.args), sp.default_sort_key(call)


def _domain(letter: sp.Basic, beside_complex: bool) -> Domain | None:
    if letter.is_integer:
        least = ">= 1" if letter.is_positive else ">= 0" * bool(letter.is_nonnegative)
        whole = "whole " if least else "integer "
        kind = "even " if letter.is_even else "odd " if letter.is_odd else whole
        return kind, least
    for relation, holds in (
        ("> 0", letter.is_positive),
        ("< 0", letter.is_negative),
        (">= 0", letter.is_nonnegative),
        ("<= 0", letter.is_nonpositive),
        ("!= 0", letter.is_nonzero),
    ):
        if holds:
            return "", relation
    if letter.is_real:
        return ("real ", "") if letter.is_Symbol or beside_complex else None
    return ("complex ", "") if letter.is_Symbol and beside_complex else None
