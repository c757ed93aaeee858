"""An explorable of a parabola with defaults for all arguments, which tests override."""

from collections.abc import Callable
from typing import Any

import numpy as np

from explainers.notebook.explore import Explorable, Slider, explorable, lines

x = np.linspace(0, 1, 30)
SIZE = Slider(1, 20, default=3)


def parabola(size: float) -> dict[str, Any]:
    return {"x": x, "y": size * x**2, "top": float(size)}


def made(compute: Callable[..., Any] = parabola, **keywords: Any) -> Explorable:
    given: dict[str, Any] = {"view": lines("x", "y"), "alt": "A parabola."}
    controls = {} if "controls" in keywords else {"size": SIZE}
    return explorable(compute, **{**given, **controls, **keywords.pop("controls", {}), **keywords})
