"""What a figure says at each setting of its controls: texts with results in them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explainers.notebook.explore.controls import Control, Play, check_format
from explainers.notebook.explore.still import format_value
from explainers.notebook.explore.table import Column
from explainers.notebook.words import places, tidy

MAX_SENTENCES = 24  # different values of a result that is a string


class Results:
    """The results and the values of the controls at any setting, a list with the
    position of one stop for each control.

    `shown` is the number of entries that a control with `reveals` reveals, or 0.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        controls: Mapping[str, Control],
        shown: int,
    ) -> None:
        self.columns, self.controls, self.shown = columns, controls, shown
        reveals = [bool(getattr(c, "reveals", "")) for c in controls.values()]
        self.revealing = reveals.index(True) if any(reveals) else None

    def get(self, name: Any, at: Sequence[int]) -> Any:
        """The result or the control `name`, cut to what a control reveals; a number is
        itself."""
        if not isinstance(name, str):
            return name
        if name in self.columns:
            column = self.columns[name]
            value = column.at(at)
            if self.revealing is not None and column.shape[-1:] == (self.shown,):
                return value[..., : at[self.revealing] + 1]
            return str(value) if column.values.dtype.kind == "U" else value
        control = self.controls[name]
        stop = at[list(self.controls).index(name)]
        if isinstance(control, Play) and control.reveals:
            return self.columns[control.reveals].at(at)[stop]
        return control.stops[stop]

    def text(self, name: str, format: str, at: Sequence[int]) -> str:
        """What stands in a text for a string or a number; of an array it is the last
        entry that is revealed."""
        value = self.get(name, at)
        last = value[-1] if np.ndim(value) else value
        return tidy(format_value(last, format or "g"))


def check_sentences(
    argument: str, text: str, columns: Mapping[str, Column], shown: int
) -> None:
    """Raise `ValueError` unless each place in `text` is for a string or a number.

    An array of which a control reveals a growing part, of `shown` entries in all, gives
    its last entry. A string may have 24 different values, as each is a sentence that
    the page holds.
    """
    for name, format in places(text):
        if format:
            check_format(f"{argument}: {{{name}}}", format)
        if name not in columns:
            continue
        column = columns[name]
        if column.shape not in ((), (shown,)):
            raise ValueError(
                f"{argument}: {{{name}}} has shape {column.shape}, expected one number "
                "or a string"
            )
        if column.values.dtype.kind == "U":
            different = len(np.unique(column.values))
            if format or different > MAX_SENTENCES:
                raise ValueError(
                    f"{argument}: {{{name}}} is one of {different} strings, expected "
                    f"at most {MAX_SENTENCES}, and no format"
                )
