"""Last room: a derivation as data for the site, as plain text and as LaTeX."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy import Expr

from explainers.derive.context import Context
from explainers.derive.facts import Definitions, Fact
from explainers.derive.latex import LATEX_RELATIONS, latex, relation
from explainers.derive.proofs import Proof
from explainers.derive.reading import Formula
from explainers.derive.wellformed import Relation

MIME = "application/vnd.explainers.derivation+json"
PLAIN_RELATIONS = {"==": "=", "<=": "<=", ">=": ">=", "!=": "!="}

Theorem = tuple[Expr, Relation, Expr]


@dataclass(frozen=True)
class Step:
    """One proved step: both sides as written, the proof object `by`, the reason for
    readers `because`, and the proof in words, `explanation`. `shown` is the form in
    which the author had the right side printed, proved to be equal to it."""

    lhs: Expr
    rel: Relation
    rhs: Expr
    by: Proof
    because: str
    explanation: str
    shown: Formula | None = None


@dataclass(frozen=True)
class Argument:
    """All that is printed of a derivation: what it assumes, its chain from `first` on,
    and its theorem, once that is proved.

    `name` is printed on the left of `first`, and `because` beside it; `shown` is the
    form of `first` on the page, if it is another; `says` is the theorem in words, and
    `rests_on` what was quoted.
    """

    title: str
    context: Context
    first: Expr
    shown: Formula | None
    name: str
    because: str
    steps: tuple[Step, ...]
    theorem: Theorem | None
    says: str
    rests_on: tuple[str, ...]


def to_dict(argument: Argument) -> dict[str, Any]:
    """A derivation as data that JSON can hold, for the renderer of the site."""
    define = argument.context.definitions
    left, rows = _side(argument.first, argument.shown, define), []
    if argument.name:
        proof = "" if argument.because else "definition"
        rows.append(_row(argument.name, "=", left, None, argument.because, proof))
        left = ""
    for number, step in enumerate(argument.steps, 1):
        sign, right = LATEX_RELATIONS[step.rel], _side(step.rhs, step.shown, define)
        rows.append(_row(left, sign, right, number, step.because, step.explanation))
        left = ""
    return {
        "title": argument.title,
        "assumptions": _assumptions(argument.context, in_latex=True),
        "rows": rows,
        "says": argument.says,
        "theorem": _theorem_in_latex(argument),
        "rests_on": list(argument.rests_on),
    }


def _side(side: Expr, shown: Formula | None, define: Definitions) -> str:
    return latex(side, define) if shown is None else shown.latex


def _row(
    lhs: str, rel: str, rhs: str, number: int | None, because: str, proof: str
) -> dict[str, Any]:
    return {
        "lhs": lhs,
        "rel": rel,
        "rhs": rhs,
        "number": number,
        "because": because,
        "proof": proof,
    }


def _assumptions(context: Context, in_latex: bool) -> list[str]:
    """The definitions, assumptions and lemmas, one string each."""

    def show(*sides: sp.Basic) -> str:
        if not in_latex:
            return " = ".join(map(str, sides))
        return f"${' = '.join(latex(side, context.definitions) for side in sides)}$"

    def stated(fact: Fact) -> str:
        if fact.lemma:
            return "proved before"
        text = show(fact.stated)
        text += f" for every {show(fact.index)}" if fact.index is not None else ""
        return text + (f" from {show(fact.first)} on" if fact.first is not None else "")

    lines = [show(head, body) for head, body in context.definitions]
    return lines + [f"{name}: {stated(fact)}" for name, fact in context.facts.items()]


def _theorem_in_latex(argument: Argument) -> str:
    """The theorem, empty before `qed`."""
    if argument.theorem is None:
        return ""
    lhs, rel, rhs = argument.theorem
    define, end = argument.context.definitions, argument.steps[-1]
    left = _side(lhs, argument.shown if lhs == argument.first else None, define)
    right = _side(rhs, end.shown if rhs == end.rhs else None, define)
    return relation(argument.name or left, rel, right)


def to_text(argument: Argument) -> str:
    """A derivation as plain text, the same at every execution."""
    lines = [
        argument.title,
        *(f"  where {line}" for line in _assumptions(argument.context, in_latex=False)),
        f"    {argument.shown.text if argument.shown else argument.first}",
    ]
    for number, step in enumerate(argument.steps, 1):
        because = f"{step.because}; " if step.because else ""
        right = step.shown.text if step.shown else step.rhs
        lines.append(f"  {PLAIN_RELATIONS[step.rel]} {right}")
        lines.append(f"      ({number}) {because}{_without_latex(step.explanation)}")
    if argument.theorem is None:
        lines.append("  (not finished)")
    else:
        lhs, rel, rhs = argument.theorem
        lines.append(f"  Hence {lhs} {PLAIN_RELATIONS[rel]} {rhs}")
    lines += [f"  {_without_latex(argument.says)}"] if argument.says else []
    lines += [f"  This rests on {theorem}" for theorem in argument.rests_on]
    return "\n".join(lines)


def _without_latex(text: str) -> str:
    return text.replace("$", "").replace("**", "").replace(r"\mapsto ", "-> ")


def to_latex(argument: Argument) -> str:
    """A derivation as one aligned LaTeX display, with the reasons beside the steps."""
    lines = []
    for row in to_dict(argument)["rows"]:
        reason = "; ".join(part for part in (row["because"], row["proof"]) if part)
        lines.append(rf"{row['lhs']} &{row['rel']} {row['rhs']} && \text{{{reason}}}")
    for theorem in argument.rests_on:
        lines.append(rf"&&& \text{{rests on {theorem}}}")
    body = "\\\\\n".join(lines)
    return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"
