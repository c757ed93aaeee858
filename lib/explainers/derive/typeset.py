"""Last room: a derivation as data for the site, as plain text and as Markdown.

The plain text has all conditions of each derivation. The site has those that it adds,
and names the derivations whose conditions it shares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy import Expr

from explainers.derive.context import Context
from explainers.derive.domains import Domain, domains, in_words
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
    `rests_on` what was quoted. `sources` are the derivations whose conditions are those
    of this one, too; `brief` asks for one line; `forms` are
    those in which definitions and assumptions are printed, in LaTeX.
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
    sources: tuple["Argument", ...] = ()
    brief: bool = False
    forms: Mapping[Expr | str, str] = field(default_factory=dict)

    @property
    def domains(self) -> dict[Any, tuple[Domain, sp.Basic]]:
        """What SymPy assumes of the letters in it."""
        forms = [self.shown, *(step.shown for step in self.steps)]
        sides = [self.first, *(step.rhs for step in self.steps)]
        sides += [form.expr for form in forms if form]
        sides += [*self.theorem[::2]] if self.theorem else []
        return domains(sides, self.context)


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
        "under": _under(argument.sources),
        "assumptions": _assumptions(argument, True, argument.sources),
        "rows": rows,
        "says": argument.says,
        "theorem": _theorem_in_latex(argument),
        "rests_on": list(argument.rests_on),
        "brief": argument.brief,
    }


def together_to_dict(title: str, arguments: Sequence[Argument]) -> dict[str, Any]:
    """Several derivations under one title, as data."""
    parts = [to_dict(argument) for argument in arguments]
    for i, (argument, part) in enumerate(zip(arguments, parts, strict=True)):
        above = [id(earlier.context) for earlier in arguments[:i]]
        part["under"] = _under(
            [s for s in argument.sources if id(s.context) not in above]
        )
        said = (*_named(argument.sources), *arguments[:i])
        part["assumptions"] = _assumptions(argument, True, argument.sources, said)
    return {"title": title, "parts": parts}


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


def _under(sources: Sequence[Argument]) -> str:
    """Where the conditions of this one are, too, as a sentence in Markdown."""
    named = _named(sources)
    if not named:
        return ""
    assumed = any(source.context.assumptions for source in named)
    what = "Under the conditions of" if assumed else "With the notation of"
    *most, last = (f"*{source.title}*" for source in named)
    return f"{what} {', '.join(most)}{' and ' * bool(most)}{last}."


def _named(sources: Sequence[Argument]) -> list[Argument]:
    """The derivations among `sources` that have conditions, and none whose conditions
    are among those of another."""
    held = [(source, _names(source)) for source in sources if _names(source)]
    return [
        source
        for i, (source, names) in enumerate(held)
        if not any(
            names < others or (names == others and j < i)
            for j, (_, others) in enumerate(held)
            if j != i
        )
    ]


def _names(argument: Argument) -> set[object]:
    """Its definitions, and the names of its assumptions."""
    context = argument.context
    return {*context.definitions, *(fact.name for fact in context.assumptions)}


def _assumptions(
    argument: Argument,
    in_latex: bool,
    known: Sequence[Argument] | None = None,
    said: Sequence[Argument] | None = None,
) -> list[str]:
    """The definitions, assumptions and lemmas, one string each, and what SymPy assumes
    of the letters; with `known`, the definitions and assumptions that none of these
    derivations has, and what was not `said` of the letters."""
    context, forms = argument.context, argument.forms if in_latex else {}

    def show(*sides: sp.Basic) -> str:
        if not in_latex:
            return " = ".join(map(str, sides))
        return f"${' = '.join(latex(side, context.definitions) for side in sides)}$"

    def stated(fact: Fact) -> str:
        if fact.lemma:
            return "proved before"
        form = forms.get(fact.name)
        text = f"${form}$" if form else show(fact.stated)
        text += f" for every {show(fact.index)}" if fact.index is not None else ""
        return text + (f" from {show(fact.first)} on" if fact.first is not None else "")

    old = set().union(*map(_names, known or ()))
    definitions = [pair for pair in context.definitions if pair not in old]
    facts = [
        fact
        for fact in context.facts.values()
        if known is None or not (fact.lemma or fact.name in old)
    ]
    lines = [
        f"${forms[head]}$" if head in forms else show(head, body)
        for head, body in definitions
    ]
    lines += [f"{fact.name}: {stated(fact)}" for fact in facts]
    told = {
        (key, domain)
        for source in said or _named(known or ())
        for key, (domain, _) in source.domains.items()
    }
    new = [
        (domain, letter)
        for key, (domain, letter) in argument.domains.items()
        if (key, domain) not in told
    ]
    return lines + in_words(new, lambda letter: show(letter).strip("$"), in_latex)


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
        *(f"  where {line}" for line in _assumptions(argument, in_latex=False)),
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


def to_markdown(argument: Argument) -> str:
    """A derivation as Markdown, for notebooks: the formulas, then a line for each
    reason, so that nothing is wider than the notebook's text.

    A brief one gives its reasons without their proofs, and ends with a square.
    """
    shown = to_dict(argument)
    steps, reasons = [], []
    for row in shown["rows"]:
        mark = f"({row['number']})" if row["number"] else ""
        end = r"\ \blacksquare" if argument.brief and row is shown["rows"][-1] else ""
        steps.append(f"{row['lhs']} &{row['rel']} {row['rhs']}{end} && {mark}")
        parts = row["because"], "" if argument.brief else row["proof"]
        words = "; ".join(filter(None, parts))
        if words:
            reasons.append(f"- {mark} {words}" if mark else f"- {words}")
    formulas = "\\\\\n".join(steps)
    paragraphs = [
        f"**{shown['title']}**",
        shown["under"],
        f"Given: {'; '.join(shown['assumptions'])}." if shown["assumptions"] else "",
        f"$$\n\\begin{{aligned}}\n{formulas}\n\\end{{aligned}}\n$$",
        "\n".join(reasons),
        shown["says"] or (f"Hence ${shown['theorem']}$." if shown["theorem"] else ""),
        f"Rests on {'; '.join(shown['rests_on'])}." if shown["rests_on"] else "",
    ]
    return "\n\n".join(filter(None, paragraphs))


def together_to_markdown(title: str, arguments: Sequence[Argument]) -> str:
    """Several derivations under one title as Markdown, for notebooks."""
    return "\n\n".join([f"### {title}", *map(to_markdown, arguments)])
