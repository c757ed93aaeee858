"""The domains of the letters of a derivation: what SymPy assumes of them."""

from collections.abc import Callable, Iterable
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from explainers.derive.context import Context
from explainers.derive.vectors import Term, Vector

# What is said of a letter: words before it, and a relation after it.
Domain = tuple[str, str]


def domains(
    sides: Iterable[sp.Basic], context: Context
) -> dict[Any, tuple[Domain, sp.Basic]]:
    """What is assumed of each free symbol, and of each sequence, in `sides` and in the
    conditions of `context`, with the symbol or a term of the sequence.

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
    beside = any(part.has(sp.I, sp.conjugate, sp.re, sp.im) for part, _ in parts)

    def plain_first(call: Any) -> tuple[int, int, Any]:
        """Terms at an index that takes all values before others."""
        general = sum(arg.is_Symbol and arg not in free for arg in call.args)
        plain = sum(not arg.is_Symbol for arg in call.args)
        return plain, -general, sp.default_sort_key(call)

    letters: dict[Any, sp.Basic] = {
        symbol: symbol
        for symbol in sorted(free - heads, key=sp.default_sort_key)
        if not isinstance(symbol, Vector)
    }
    for call in sorted(calls, key=plain_first):
        if call.func not in functions and not isinstance(call, Term):
            letters.setdefault(call.func, call)
    found = {key: (_domain(shown, beside), shown) for key, shown in letters.items()}
    return {key: (domain, shown) for key, (domain, shown) in found.items() if domain}


def in_words(
    found: Iterable[tuple[Domain, sp.Basic]],
    show: Callable[[sp.Basic], str],
    in_latex: bool,
) -> list[str]:
    r"""A phrase for each domain, such as "integer $m, n \ge 1$" or "m, n >= 1", and for
    a sequence "$\eta_t > 0$ for every $t$"."""
    dollar = "$" if in_latex else ""
    groups: dict[tuple[Domain, str], list[str]] = {}
    for domain, letter in found:
        index = [show(arg) for arg in letter.args if arg.is_Symbol]
        every = f" for every {dollar}{index[0]}{dollar}" if len(index) == 1 else ""
        groups.setdefault((domain, every), []).append(show(letter))
    phrases = []
    for ((kind, relation), every), names in groups.items():
        sign = _SIGNS.get(relation, relation) if in_latex else relation
        formula = f"{', '.join(names)} {sign}".strip()
        phrases.append(f"{kind}{dollar}{formula}{dollar}{every}")
    return phrases


_SIGNS = {">= 1": r"\ge 1", ">= 0": r"\ge 0", "<= 0": r"\le 0", "!= 0": r"\ne 0"}


def _domain(letter: sp.Basic, beside_complex: bool) -> Domain | None:
    if letter.is_integer:
        least = ">= 1" if letter.is_positive else ">= 0" * bool(letter.is_nonnegative)
        kind = "even " if letter.is_even else "odd " if letter.is_odd else "integer "
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
