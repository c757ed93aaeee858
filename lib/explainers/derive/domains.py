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

    letters: dict[Any, sp.Basic] = {
        symbol: symbol
        for symbol in sorted(free - heads, key=sp.default_sort_key)
        if not isinstance(symbol, Vector)
    }
    taken = {symbol.name for part, _ in parts for symbol in part.atoms(sp.Symbol)}
    for call in sorted(calls, key=sp.default_sort_key):
        if call.func not in functions and not isinstance(call, Term):
            alike = [other for other in calls if other.func == call.func]
            letters.setdefault(call.func, _general(alike, free, taken))
    found = {key: (_domain(shown, beside), shown) for key, shown in letters.items()}
    return {key: (domain, shown) for key, (domain, shown) in found.items() if domain}


def _general(calls: list[Any], free: set[Any], taken: set[str]) -> sp.Basic:
    """A term that stands for all of a sequence: one of `calls` at an index that takes
    all values, else at letters that nothing else has."""
    plain = [call for call in calls if all(arg.is_Symbol for arg in call.args)]
    bound = [call for call in plain if not free & set(call.args)]
    if chosen := min(bound or plain, key=sp.default_sort_key, default=None):
        return chosen
    call = min(calls, key=sp.default_sort_key)
    unused = (name for name in "jklmnstuvxyz" if name not in taken)
    return call.func(
        *(
            sp.Symbol(name, integer=arg.is_integer, real=arg.is_real)
            for name, arg in zip(unused, call.args, strict=False)
        )
    )


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
        index = " and ".join(f"{dollar}{show(arg)}{dollar}" for arg in letter.args)
        every = f" for every {index}" if letter.args else ""
        groups.setdefault((domain, every), []).append(show(letter))
    phrases = []
    for ((kind, relation), every), names in groups.items():
        sign = _SIGNS.get(relation, relation) if in_latex else relation
        formula = f"{', '.join(names)} {sign}".strip()
        phrases.append(f"{kind}{dollar}{formula}{dollar}{every}")
    return phrases


_SIGNS = {
    ">= 1": r"\ge 1", "<= -1": r"\le -1", ">= 0": r"\ge 0", "<= 0": r"\le 0",
    "!= 0": r"\ne 0",
}  # fmt: skip


def _domain(letter: sp.Basic, beside_complex: bool) -> Domain | None:
    whole = bool(letter.is_integer)
    sign = next(
        (
            relation
            for relation, holds in (
                ("= 0", letter.is_zero),
                (">= 1" if whole else "> 0", letter.is_positive),
                ("<= -1" if whole else "< 0", letter.is_negative),
                (">= 0", letter.is_nonnegative),
                ("<= 0", letter.is_nonpositive),
                ("!= 0", letter.is_zero is False),
            )
            if holds
        ),
        "",
    )
    if whole:
        kind = "even " if letter.is_even else "odd " if letter.is_odd else "integer "
        return kind, sign
    if letter.is_real:
        unsaid = sign == "!= 0" or not sign
        real = unsaid and (letter.is_Symbol or beside_complex)
        return ("real " if real else "", sign) if real or sign else None
    if sign or (letter.is_Symbol and beside_complex):
        return "complex ", sign
    return None
