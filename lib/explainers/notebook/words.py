"""Typography of numbers in text, and text with values to be filled in."""

import re
from collections.abc import Callable

_PLACES = re.compile(r"\$[^$]*\$|\{(\w+)(?::([^}]+))?\}")


def tidy(text: str) -> str:
    """`text` with 3e−9 for 3e-09 and a minus sign for the hyphen before a number.

    Formulas between dollar signs are unchanged.
    """
    parts = re.split(r"(\$[^$]*\$)", text)
    for index in range(0, len(parts), 2):
        shorter = re.sub(
            r"(?<=\de)([+-])0*(?=\d)",
            lambda match: match[1].replace("+", "").replace("-", "−"),
            parts[index],
        )
        parts[index] = re.sub(r"(?<![\w.])-(?=\d)", "−", shorter)
    return "".join(parts)


def places(text: str) -> list[tuple[str, str]]:
    """The name and the format of each place such as ``{kl:.3f}`` in `text`, the format
    empty if there is none.

    Braces in formulas between dollar signs are no places.
    """
    return [(m[1], m[2] or "") for m in _PLACES.finditer(text) if m[1]]


def fill(text: str, value: Callable[[str, str], str]) -> str:
    """`text` with `value(name, format)` in each of its `places`."""
    return _PLACES.sub(lambda m: value(m[1], m[2] or "") if m[1] else m[0], text)
