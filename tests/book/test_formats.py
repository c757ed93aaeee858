"""A number is written alike by Python, in still pictures and captions, and by the page's script."""

import itertools
import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from explainers.notebook.explore.controls import FORMAT, check_format
from explainers.notebook.explore.still import format_value

SCRIPT = Path(__file__).parents[2] / "lib/explainers/notebook/explore/explorable.js"
DIGITS = ["", *(f".{digits}" for digits in range(16))]
FORMATS = [
    text
    for sign, comma, digits, kind in itertools.product(["", "+"], ["", ","], DIGITS, "defg%")
    if FORMAT.fullmatch(text := sign + comma + digits + kind)
]
# halves and near halves, zeros, powers of ten, what is huge or tiny, and what is no number
VALUES = [
    *(0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 0.125, 0.375, 0.25, 0.15, 2.675, 1.005, 12.5, 9.5, 99.5, 0.00005),
    *(
        1234567.0,
        999999.5,
        0.1234,
        1e21,
        -1e21,
        1.5e22,
        123456789012345680.0,
        1e-5,
        1e-4,
        9.9995e-5,
        0.0004,
        -0.0004,
    ),
    *(10.0**power for power in range(-12, 16)),
    *(9.5 * 10.0**power for power in range(-6, 7)),
    *(float("nan"), float("inf"), -float("inf")),
]


@pytest.mark.book
def test_python_and_the_script_write_every_number_alike(browser: Browser) -> None:
    rng = random.Random(0)
    drawn = [rng.choice((-1, 1)) * rng.random() * 10 ** rng.uniform(-9, 12) for _ in range(60)]
    drawn += [rng.randrange(-2000, 2000) / 2 ** rng.randrange(1, 9) for _ in range(60)]  # exact halves
    values = VALUES + drawn
    source = re.search(
        r"\nconst halvesToEven = .*?\n// A text with values", SCRIPT.read_text(encoding="utf-8"), flags=re.S
    )
    assert source
    page = browser.new_page()
    code = source[0].removesuffix("// A text with values")
    said = page.evaluate(
        f"([values, formats]) => {{ {code} return values.map((v) => formats.map((f) => written(v, f))); }}",
        [values, FORMATS],
    )
    page.close()
    wrong = [
        (value, form, shown, format_value(value, form))
        for value, row in zip(values, said, strict=True)
        for form, shown in zip(FORMATS, row, strict=True)
        if shown != format_value(value, form)
    ]
    assert len(FORMATS) > 150
    assert wrong == []


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.5, ".0f", "0"),
        (0.125, ".2f", "0.12"),
        (-0.0004, ".2f", "0.00"),
        (12.5, ".0%", "1250%"),
        (1234567.0, ",.1f", "1,234,567.0"),
        (1e21, ",d", "1,000,000,000,000,000,000,000"),
        (-3e-5, ".0e", "−3e−5"),
        (2.5, "d", "2"),
        (7, "+d", "+7"),
        (True, "g", "yes"),
        (float("nan"), "d", "–"),
        ("a word", ".2f", "a word"),
    ],
)
def test_a_number_in_a_picture_or_a_caption(value: object, form: str, shown: str) -> None:
    assert format_value(value, form) == shown


@pytest.mark.parametrize(
    "form", [",g", ",.7g", ",.0%", ",.2e", ".2d", ".16f", ".f", "x", " .2f", "10.2f", ""]
)
def test_a_format_that_the_two_could_read_apart_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"^format: "):
        check_format("format", form)
