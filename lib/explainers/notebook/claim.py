"""Verdicts on the claims of an article.

A chapter's claims are listed in `book/claims/<chapter>.yml`, each with its bar: the
criterion by which it is judged. A cell measures, and then gives the verdict::

    claim("FD-25").holds(
        abs(area - 1) < 1e-12, f"The area under a random curve is {area:.9f}."
    )

The condition is True if the measurement meets the bar for *that* verdict. If it is
False, the cell raises `ClaimFailedError` and the build of the book stops. The second
argument is what the book found, and is shown apart from what the article says.
"""

import re
from typing import Any, Literal

from explainers.notebook.words import tidy
from explainers.resources import chapter_claims, chapters

Verdict = Literal["holds", "qualified", "refuted"]
MIME = "application/vnd.explainers.claim+json"
# one line that begins with a capital, a digit, a formula or code, and has words in it
_SENTENCE = re.compile(r"(?:[^\W_a-z]|[$`])\S*( \S+){2,}(?<=\.)")


class ClaimFailedError(AssertionError):
    """The condition of a verdict is False."""


class Outcome:
    """A claim with its verdict, displayed as the output of a cell.

    `found` and `because` are whole sentences on one line of Markdown each.
    """

    def __init__(
        self, id: str, text: str, verdict: Verdict, found: str, because: str
    ) -> None:
        self.id, self.text, self.verdict, self.found, self.because = (
            id,
            text,
            verdict,
            found,
            because,
        )

    @property
    def source(self) -> str:
        """Who makes the claim, "Article" or, for our own additions, "We add"."""
        return "We add" if is_extra(self.id) else "Article"

    def __repr__(self) -> str:
        said = f"{self.found} {self.because}".rstrip()
        verdict = self.verdict.capitalize()
        return f"{self.id}. {self.source}: {self.text}\n{verdict}. Found: {said}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        said = f"{self.found} {self.because}".rstrip()
        return {
            "text/plain": repr(self),
            "text/markdown": f"*{self.source}:* {self.text}\n\n"
            f"**{self.verdict.capitalize()}.** *Found:* {said} ({self.id})",
            MIME: {
                key: getattr(self, key)
                for key in ("id", "source", "text", "verdict", "found", "because")
            },
        }


class Claim:
    """One claim of an article, with a method for each verdict; made by `claim`.

    Each method takes the `condition`, a truth value of Python, NumPy, PyTorch or SymPy,
    and what was `found`: one whole sentence of Markdown that readers understand without
    the code, since they see it right after the verdict. What is not simply true also
    takes `because`, a sentence that follows `found` and says within which limits the
    claim is true, or why it is false.

    It raises `ClaimFailedError` if the condition is False, `TypeError` if it is no
    truth value, and `ValueError` if a sentence is none or the claim takes no such
    verdict.
    """

    def __init__(self, id: str, entry: dict[str, Any]) -> None:
        self.id, self.entry = id, entry

    def holds(self, condition: object, found: str) -> Outcome:
        """The claim is true: `condition` says that its bar is met."""
        return self._verdict("holds", condition, found, "")

    def qualified(self, condition: object, found: str, because: str) -> Outcome:
        """The claim is true with a restriction, which `because` states: `condition`
        says that the claim fails without the restriction and is true with it."""
        return self._verdict("qualified", condition, found, because)

    def refuted(self, condition: object, found: str, because: str) -> Outcome:
        """The claim is false as printed: `condition` says that a measurement
        contradicts it, and `because` gives the reason."""
        return self._verdict("refuted", condition, found, because)

    def _verdict(
        self, verdict: Verdict, condition: object, found: str, because: str
    ) -> Outcome:
        for mark in ("quoted", "later"):
            if mark in self.entry:
                raise ValueError(
                    f"claim {self.id} has the key {mark!r} in its list, so no verdict "
                    "can be given"
                )
        if is_extra(self.id) and verdict != "holds":
            raise ValueError(
                f"claim {self.id} is our own addition: its verdict can only be holds"
            )
        found = self._sentence("found", found)
        if verdict != "holds":
            because = self._sentence("because", because)
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
                f"  claim: {self.entry['text']}\n"
                f"  bar:   {self.entry.get('bar', '')}\n"
                f"  found: {found}"
            )
        return Outcome(self.id, self.entry["text"], verdict, found, because)

    def _sentence(self, name: str, text: str) -> str:
        """`text` as it is shown, if it is a whole sentence."""
        if not isinstance(text, str) or not _SENTENCE.fullmatch(text):
            raise ValueError(
                f"{name}: expected a whole sentence on claim {self.id} in one line, "
                "from a capital letter, a digit or a formula to a full stop, got "
                f"{text!r}"
            )
        return tidy(text)


def is_extra(id: str) -> bool:
    """Whether the claim `id` is our own addition and not a claim of the article."""
    return id.split("-")[1].startswith("X")


def claim(id: str) -> Claim:
    """The claim with this `id`, such as "FD-25", from the list of its chapter.

    Raises `ValueError` if no chapter lists it.
    """
    for chapter in chapters():
        entries = chapter_claims(chapter)
        if id in entries:
            return Claim(id, entries[id])
    raise ValueError(f"id: no chapter lists a claim {id!r}")
