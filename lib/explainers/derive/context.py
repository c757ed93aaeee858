"""What a proof may use: definitions, facts, ranges of indices, and a witness."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Basic, Expr, Symbol

from explainers.derive.facts import Definitions, Fact, unfold
from explainers.derive.signs import without
from explainers.derive.substitution import Range, RefusedError
from explainers.derive.values import Witness
from explainers.derive.wellformed import Relation


@dataclass(frozen=True)
class Context:
    """What holds where something is proved. No method changes it.

    `ranges` are the ranges of the indices inside of which the proof stands. `used` is a
    log, the one thing that grows: the names of facts that were asked for, here or in a
    context made of this one. The chain reads it to find facts that nobody needed.
    """

    definitions: Definitions = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    ranges: tuple[Range, ...] = ()
    witness: Witness | None = None
    used: set[str] = field(default_factory=set, compare=False, repr=False)

    @property
    def assumptions(self) -> list[Fact]:
        """The facts that were assumed, without the lemmas, which follow from them."""
        return [fact for fact in self.facts.values() if not fact.lemma]

    @property
    def stated(self) -> list[Basic]:
        """Both sides of each definition, and each fact as it was given."""
        sides = [side for pair in self.definitions for side in pair]
        return sides + [fact.stated for fact in self.facts.values()]

    def fact(self, name: str) -> Fact:
        """The assumption, lemma or hypothesis called `name`.

        Raises `RefusedError` if there is none, or if it is about one particular value
        of an index that is generic here.
        """
        if name not in self.facts:
            raise RefusedError(
                f"there is no fact {name!r} to use here; known are {sorted(self.facts)}"
            )
        self.used.add(name)
        return self.facts[name]

    def generic_in(self, symbol: Symbol, within: Range | None = None) -> "Context":
        """This context for any value of `symbol`, or for any in the range `within`.

        It lacks the facts about one particular value of `symbol`, and the ranges of
        other indices with the same name.
        """
        facts = {
            name: fact for name, fact in self.facts.items() if symbol not in fact.fixed
        }
        ranges = without(self.ranges, symbol)
        return replace(
            self, facts=facts, ranges=(*ranges, within) if within else ranges
        )

    def with_hypothesis(
        self, name: str, lhs: Expr, rel: Relation, rhs: Expr
    ) -> "Context":
        """This context with the fact `lhs rel rhs`, called `name`, about the present
        values of its symbols.

        Raises `RefusedError` if another fact has the name.
        """
        if name in self.facts:
            raise RefusedError(f"{name!r} is already the name of another fact")
        difference = rhs - lhs if rel == "<=" else lhs - rhs
        fact = Fact(name, "==" if rel == "==" else ">=", difference, lhs)
        return replace(self, facts={**self.facts, name: fact})

    def unfold(self, expr: Expr) -> Expr:
        """`expr` with every defined symbol or function replaced by its definition.

        Raises `RefusedError` where a definition does not hold for its arguments.
        """
        return unfold(expr, self.definitions, self.ranges)
