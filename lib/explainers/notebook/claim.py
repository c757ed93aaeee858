"""Assert what an article claims, beside the code that decides it.

A chapter's claims stand in `book/claims/<chapter>.yml`, each with the bar that decides
it. A cell measures, and then gives the verdict::

    claim("FD-25").holds(abs(area - 1) < 1e-12, f"area 1 within {abs(area - 1):.0e}")

The condition is the truth of *that* verdict's bar. If it is false the cell raises, and
so does the build.
"""

from typing import Any, Literal

from explainers.notebook.words import tidy
from explainers.resources import chapter_claims, chapters

Verdict = Literal["holds", "qualified", "refuted"]
MIME = "application/vnd.explainers.claim+json"


class ClaimFailedError(AssertionError):
    """The condition of a verdict is false."""


class Outcome:
    """A verdict that was given: what the cell shows."""

    def __init__(
        self, id: str, text: str, verdict: Verdict, measured: str, because: str
    ) -> None:
        self.id, self.text, self.verdict, self.measured, self.because = (
            id,
            text,
            verdict,
            measured,
            because,
        )

    def __repr__(self) -> str:
        because = f" {self.because}" if self.because else ""
        verdict = self.verdict.capitalize()
        return f"{verdict} · {self.id} · {self.text}{because} [{self.measured}]"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        because = f" {self.because}" if self.because else ""
        return {
            "text/plain": repr(self),
            "text/markdown": f"**{self.verdict.capitalize()}.** {self.text}{because} "
            f"*{self.measured}* ({self.id})",
            MIME: {
                key: getattr(self, key)
                for key in ("id", "text", "verdict", "measured", "because")
            },
        }


class Claim:
    """One claim of an article, waiting for its verdict."""

    def __init__(self, id: str, entry: dict[str, Any]) -> None:
        self.id, self.entry = id, entry

    def holds(self, condition: object, measured: object, because: str = "") -> Outcome:
        """The claim is true: `condition` is its bar."""
        return self._verdict("holds", condition, measured, because)

    def qualified(
        self, condition: object, measured: object, because: str = ""
    ) -> Outcome:
        """The claim is true within limits, or up to a slip: `condition` shows both,
        `because` names them."""
        return self._verdict("qualified", condition, measured, because)

    def refuted(
        self, condition: object, measured: object, because: str = ""
    ) -> Outcome:
        """The claim is false as the article prints it: `condition` shows that it is."""
        return self._verdict("refuted", condition, measured, because)

    def _verdict(
        self, verdict: Verdict, condition: object, measured: object, because: str
    ) -> Outcome:
        for mark in ("quoted", "later"):
            if mark in self.entry:
                raise ValueError(
                    f"claim {self.id} is marked {mark!r} in its list, so it takes no "
                    "verdict"
                )
        if self.id.split("-")[1].startswith("X") and verdict != "holds":
            raise ValueError(f"claim {self.id} is our own addition: it can only hold")
        if verdict != "holds" and not because:
            raise ValueError(
                f"because: claim {self.id} is {verdict}, and a reader needs to know why"
            )
        # NumPy, PyTorch and SymPy each have a truth value of their own; anything else
        # is a slip
        if type(condition).__name__ not in {
            "bool",
            "bool_",
            "Tensor",
            "BooleanTrue",
            "BooleanFalse",
        }:
            raise TypeError(
                f"condition: expected a truth value, got {type(condition).__name__}"
            )
        if not bool(condition):
            raise ClaimFailedError(
                f"{self.id} is not {'true' if verdict == 'holds' else verdict} by its "
                "own bar.\n"
                f"  claim:    {self.entry['text']}\n"
                f"  bar:      {self.entry.get('bar', '')}\n"
                f"  measured: {measured}"
            )
        return Outcome(
            self.id, self.entry["text"], verdict, tidy(str(measured)), because
        )


def claim(id: str) -> Claim:
    """The claim `id`, as its chapter's list has it. Raises `ValueError` for an unknown
    id."""
    for chapter in chapters():
        entries = chapter_claims(chapter)
        if id in entries:
            return Claim(id, entries[id])
    raise ValueError(f"id: no chapter lists a claim {id!r}")
