"""Numbers in a line of text, as a reader writes them."""

import re


def tidy(text: str) -> str:
    """3e−9 for 3e-09, and a true minus sign before a number, formulas left alone."""
    parts = re.split(r"(\$[^$]*\$)", text)
    for index in range(0, len(parts), 2):
        shorter = re.sub(
            r"(?<=\de)([+-])0*(?=\d)",
            lambda match: match[1].replace("+", "").replace("-", "−"),
            parts[index],
        )
        parts[index] = re.sub(r"(?<![\w.])-(?=\d)", "−", shorter)
    return "".join(parts)
