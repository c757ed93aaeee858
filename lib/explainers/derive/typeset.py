"""Last room: a derivation as data for the site, as plain text and as Markdown."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy import Expr

from explainers.derive.context import Context
from explainers.derive.facts import Fact
from explainers.derive.latex import LATEX_RELATIONS, latex, relation
from explainers.derive.proofs import Proof
from explainers.derive.wellformed import Relation

MIME = "application/vnd.explainers.derivation+json"
PLAIN_RELATIONS = {"==": "=", "<=": "<=", ">=": ">=", "!=": "!="}

Theorem = tuple[Expr, Relation, Expr]


@dataclass(frozen=True)
class Step:
    """One proved step: both sides as written, the proof object `by`, the reason for
    readers `because`, and the proof in words, `explanation`."""

    lhs: Expr
    rel: Relation
    rhs: Expr
    by: Proof
    because: str
    explanation: str


@dataclass(frozen=True)
class Argument:
    """All that is printed of a derivation: what it assumes, its chain from `first` on,
    and its theorem, once that is proved.

    `name` is printed on the left of `first`, and `because` beside it; `says` is the
    theorem in words, and `rests_on` what was quoted.
    """

    title: str
    context: Context
    first: Expr
    name: str
    because: str
    steps: tuple[Step, ...]
    theorem: Theorem | None
    says: str
    rests_on: tuple[str, ...]


def to_dict(argument: Argument) -> dict[str, Any]:
    """A derivation as data that JSON can hold, for the renderer of the site."""
    define = argument.context.definitions
    left, rows = latex(argument.first, define), []
    if argument.name:
        proof = "" if argument.because else "definition"
        rows.append(_row(argument.name, "=", left, None, argument.because, proof))
        left = ""
    for number, step in enumerate(argument.steps, 1):
        sign, right = LATEX_RELATIONS[step.rel], latex(step.rhs, define)
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
    left, right = (latex(side, argument.context.definitions) for side in (lhs, rhs))
    return relation(argument.name or left, rel, right)


def to_text(argument: Argument) -> str:
    """A derivation as plain text, the same at every execution."""
    lines = [
        argument.title,
        *(f"  where {line}" for line in _assumptions(argument.context, in_latex=False)),
        f"    {argument.first}",
    ]
    for number, step in enumerate(argument.steps, 1):
        because = f"{step.because}; " if step.because else ""
        lines.append(f"  {PLAIN_RELATIONS[step.rel]} {step.rhs}")
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


def to_markdown(argument: Argument) -> str:
    """A derivation as Markdown, for notebooks: the formulas, then a line for each
    reason, so that nothing is wider than the notebook's text."""
    shown = to_dict(argument)
    steps, reasons = [], []
    for row in shown["rows"]:
        mark = f"({row['number']})" if row["number"] else ""
        steps.append(f"{row['lhs']} &{row['rel']} {row['rhs']} && {mark}")
        words = "; ".join(part for part in (row["because"], row["proof"]) if part)
        if words:
            reasons.append(f"- {mark} {words}" if mark else f"- {words}")
    formulas = "\\\\\n".join(steps)
    paragraphs = [
        f"**{shown['title']}**",
        f"Given: {'; '.join(shown['assumptions'])}." if shown["assumptions"] else "",
        f"$$\n\\begin{{aligned}}\n{formulas}\n\\end{{aligned}}\n$$",
        "\n".join(reasons),
        shown["says"] or (f"Hence ${shown['theorem']}$." if shown["theorem"] else ""),
        f"Rests on {'; '.join(shown['rests_on'])}." if shown["rests_on"] else "",
    ]
    return "\n\n".join(filter(None, paragraphs))
