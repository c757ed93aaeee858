"""The controls of an explorable: each has a finite list of values, its stops, and a
default among them, so that the results for all settings can be computed in advance."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

_DIGITS = r"(\.(\d|1[0-5]))?"
FORMAT = re.compile(rf"\+?(,?d|,?{_DIGITS}f|{_DIGITS}[eg%])")
MIN_STOPS = (
    15  # stops of a slider: with fewer, the drawing jumps and a Choice says more
)

Value = int | float | str | bool


def check_format(name: str, text: str) -> str:
    """`text` if it is a number format that the page supports.

    Raises `ValueError` that begins with `name` otherwise.
    """
    if not FORMAT.fullmatch(text):
        raise ValueError(
            f"{name}: {text!r} is not one of Python's number formats "
            "[+][,]d, [+][,][.digits]f or [+][.digits] with e, g or %, up to 15 digits"
        )
    return text


@dataclass(frozen=True)
class Control(ABC):
    """The base class of all controls.

    A control gets its name from the keyword under which it is passed to `explore`.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def stops(self) -> Sequence[Value]:
        """The values that the control can take, in order."""

    @property
    def start(self) -> int:
        """The position of the default in `stops`."""
        return 0

    def spec(self, name: str) -> dict[str, Any]:
        """The control as data for the front end."""
        return {
            "kind": self.kind,
            "name": name,
            "label": getattr(self, "label", "") or name,
            "values": list(self.stops),
            "count": len(self.stops),
            "start": self.start,
        }


@dataclass(frozen=True)
class Slider(Control):
    """Numbers from `first` to `last`, at least 15 of them.

    Between integers, the `step` is 1 by default. `count` gives the number of stops
    instead, at equal distances, or at equal ratios with `log=True`; then each is
    rounded to three digits, so that the number shown is the number used. `unit` is
    printed after the value, and `format` is a Python number format. Raises `ValueError`
    for arguments that do not define a range, for fewer than 15 stops, and for a
    `default` that is not one of them.
    """

    kind: ClassVar[str] = "slider"
    first: float
    last: float
    step: float | None = None
    _: KW_ONLY
    count: int | None = None
    log: bool = False
    default: float | None = None
    label: str = ""
    unit: str = ""
    format: str = ""
    values: list[float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", self._values())
        if self.format:
            check_format("format", self.format)
        if len(self.values) < MIN_STOPS:
            raise ValueError(
                f"{'count' if self.count else 'step'}: {len(self.values)} stops are "
                f"fewer than {MIN_STOPS}; use a Choice, or more stops"
            )
        if self.default is not None and self._position(self.default) is None:
            raise ValueError(f"default: {self.default} is not one of {self.values}")

    def _values(self) -> list[float]:
        if not self.first < self.last:
            raise ValueError(f"last: expected above {self.first}, got {self.last}")
        if self.log and self.first <= 0:
            raise ValueError(f"first: expected above 0 with log=True, got {self.first}")
        if self.count is not None and self.step is not None:
            raise ValueError("step: expected either step or count, got both")
        if self.count is not None:
            if self.count < 2:
                raise ValueError(f"count: expected at least 2, got {self.count}")
            shares = [i / (self.count - 1) for i in range(self.count)]
            if self.log:
                ratio = self.last / self.first
                return [float(f"{self.first * ratio**share:.3g}") for share in shares]
            reach = self.last - self.first
            return [_tidy(self.first + reach * share) for share in shares]
        whole = isinstance(self.first, int) and isinstance(self.last, int)
        if self.log or (self.step is None and not whole):
            raise ValueError("count: expected a number of stops, or a step")
        step = 1 if self.step is None else self.step
        if not step > 0:
            raise ValueError(f"step: expected above 0, got {step}")
        steps = math.floor((self.last - self.first) / step + 1e-9)
        if whole and isinstance(step, int):
            return [int(self.first) + i * step for i in range(steps + 1)]
        return [_tidy(self.first + i * step) for i in range(steps + 1)]

    def _position(self, value: float) -> int | None:
        near = [i for i, v in enumerate(self.values) if math.isclose(v, value)]
        return near[0] if near else None

    @property
    def stops(self) -> Sequence[Value]:
        return self.values

    @property
    def start(self) -> int:
        return 0 if self.default is None else (self._position(self.default) or 0)

    def spec(self, name: str) -> dict[str, Any]:
        return super().spec(name) | {
            "unit": self.unit,
            "format": self.format or _format(self.values, self.log),
            # drawn from zero, where zero is a stop
            "signed": self.first < 0 and 0 in self.values,
        }


@dataclass(frozen=True)
class Play(Control):
    """A slider for time, with a button that plays it.

    It has the stops of a `Slider`, or `reveals="t"`, the name of a result of shape
    (n,): then every result whose last axis has length n is drawn up to a growing
    position, and computed only once. It starts at its last stop, or at `default`; with
    `reveals`, `default` is a position in the array. Raises `ValueError` for both a
    range and `reveals`, and as `Slider` does.
    """

    kind: ClassVar[str] = "play"
    first: float = 0
    last: float = 0
    step: float | None = None
    _: KW_ONLY
    reveals: str = ""
    default: float | None = None
    label: str = ""
    unit: str = ""
    format: str = ""
    values: list[float] = field(init=False, repr=False)
    place: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.format:
            check_format("format", self.format)
        values: list[float] = []
        if not self.reveals:
            slider = Slider(self.first, self.last, self.step, default=self.default)
            values = slider.values
            place = len(values) - 1 if self.default is None else slider.start
        elif self.first != self.last:
            raise ValueError("reveals: expected either a range or an array, got both")
        elif self.default is not None and not isinstance(self.default, int):
            raise ValueError(
                f"default: expected a position, an int, got {self.default!r}"
            )
        else:
            place = -1 if self.default is None else self.default
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "place", place)

    @property
    def stops(self) -> Sequence[Value]:
        return self.values

    @property
    def start(self) -> int:
        """The position of the default; with `reveals`, -1 is the end of the array."""
        return self.place

    def spec(self, name: str) -> dict[str, Any]:
        shown = self.format or ("g" if self.reveals else _format(self.values, False))
        return super().spec(name) | {
            "unit": self.unit,
            "format": shown,
            "signed": False,
            "reveals": self.reveals,
            "values": None if self.reveals else self.values,
        }


@dataclass(frozen=True)
class Choice(Control):
    """One of a few strings, shown as a row of buttons.

    Raises `ValueError` for fewer than two options, for equal ones, and for a `default`
    that is not an option; `TypeError` for options that are not non-empty strings.
    """

    kind: ClassVar[str] = "choice"
    options: Sequence[str]
    _: KW_ONLY
    default: str | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if len(self.options) < 2 or len(set(self.options)) < len(self.options):
            raise ValueError(
                f"options: expected two or more different ones, got {self.options!r}"
            )
        if not all(isinstance(option, str) and option for option in self.options):
            raise TypeError(
                f"options: expected non-empty strings, got {self.options!r}"
            )
        if self.default is not None and self.default not in self.options:
            raise ValueError(f"default: {self.default!r} is not one of {self.options}")

    @property
    def stops(self) -> Sequence[Value]:
        return list(self.options)

    @property
    def start(self) -> int:
        return 0 if self.default is None else list(self.options).index(self.default)


@dataclass(frozen=True)
class Toggle(Control):
    """A checkbox; its value is True or False."""

    kind: ClassVar[str] = "toggle"
    label: str = ""
    _: KW_ONLY
    default: bool = False

    @property
    def stops(self) -> Sequence[Value]:
        return [False, True]

    @property
    def start(self) -> int:
        return int(self.default)


def _tidy(value: float) -> float:
    """`value` rounded to 12 digits, with 0.0 for -0.0."""
    return float(f"{value:.12g}") + 0.0


def _format(values: Sequence[Value], log: bool) -> str:
    """The number format that shows all digits of the stops."""
    if all(isinstance(value, int) for value in values):
        return "d"
    if log:
        return ".3g"
    digits = max(len(f"{float(v):.6f}".rstrip("0").partition(".")[2]) for v in values)
    return f".{digits}f"
