"""Verdicts on the claims of an article.

A chapter's claims are listed in `book/claims/<chapter>.yml`, each with its bar: the
criterion by which it is judged. A cell measures, and then gives the verdict::

    claim("FD-25").holds(abs(area - 1) < 1e-12, f"area 1 within {abs(area - 1):.0e}")

The condition is True if the measurement meets the bar for *that* verdict. If it is
False, the cell raises `ClaimFailedError` and the build of the book stops.
"""

from typing import Any, Literal

from explainers.notebook.words import tidy
from explainers.resources import chapter_claims, chapters

Verdict = Literal["holds", "qualified", "refuted"]
MIME = "application/vnd.explainers.claim+json"


class ClaimFailedError(AssertionError):
    """The condition of a verdict is False."""


class Outcome:
    """A claim with its verdict, displayed as the output of a cell.

    `measured` and `because` are one line of Markdown each.
    """

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
    """One claim of an article, with a method for each verdict; made by `claim`.

    Each method takes the `condition`, a truth value of Python, NumPy, PyTorch or SymPy;
    what was `measured`, shown as text; and `because`, a reason for readers in Markdown.
    It raises `ClaimFailedError` if the condition is False, `TypeError` if it is no
    truth value, and `ValueError` if the claim takes no such verdict.
    """

    def __init__(self, id: str, entry: dict[str, Any]) -> None:
        self.id, self.entry = id, entry

    def holds(self, condition: object, measured: object, because: str = "") -> Outcome:
        """The claim is true: `condition` says that its bar is met."""
        return self._verdict("holds", condition, measured, because)

    def qualified(
        self, condition: object, measured: object, because: str = ""
    ) -> Outcome:
        """The claim is true with a restriction, which `because` states: `condition`
        says that the claim fails without the restriction and is true with it."""
        return self._verdict("qualified", condition, measured, because)

    def refuted(
        self, condition: object, measured: object, because: str = ""
    ) -> Outcome:
        """The claim is false as printed: `condition` says that a measurement
        contradicts it, and `because` gives the reason."""
        return self._verdict("refuted", condition, measured, because)

    def _verdict(
        self, verdict: Verdict, condition: object, measured: object, because: str
    ) -> Outcome:
        for mark in ("quoted", "later"):
            if mark in self.entry:
                raise ValueError(
                    f"claim {self.id} has the key {mark!r} in its list, so no verdict "
                    "can be given"
                )
        if self.id.split("-")[1].startswith("X") and verdict != "holds":
            raise ValueError(
                f"claim {self.id} is our own addition: its verdict can only be holds"
            )
        if verdict != "holds" and not because:
            raise ValueError(
                f"because: expected the reason why claim {self.id} is {verdict}, got "
                f"{because!r}"
            )
        # each library has its own type for truth values; another type is a mistake
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
    """The claim with this `id`, such as "FD-25", from the list of its chapter.

    Raises `ValueError` if no chapter lists it.
    """
    for chapter in chapters():
        entries = chapter_claims(chapter)
        if id in entries:
            return Claim(id, entries[id])
    raise ValueError(f"id: no chapter lists a claim {id!r}")
