"""One rule says which code is folded, on the page and in the exported notebook: all code except what the text
is about.

Open are the cells without a tag, which compute and print what the text speaks of. Folded are symbols,
figures, proofs, verdicts, exercises and the ledger, and what is longer than 24 lines. A call of `show_source`
is left out on the page, where its listing says the same.
"""

import re
from collections.abc import Collection

FOLD_ABOVE = 24  # lines: longer code is folded
FOLDED_TAGS = {"hide-input", "hide-cell", "judge", "ledger", "proof"}
SOLUTION = "Solution"  # the heading of a solution, below its exercise


def is_folded(source: str, tags: Collection[str], *, in_solution: bool = False) -> bool:
    """Whether the code of a cell is folded, by the rule above."""
    verdict = re.search(r"^ *claim\(", source, flags=re.M)
    long = source.count("\n") + 1 > FOLD_ABOVE
    return bool(FOLDED_TAGS.intersection(tags) or verdict or in_solution or long)
