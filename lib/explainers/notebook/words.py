"""Typography of numbers in text."""

import re


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
