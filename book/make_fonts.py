"""Make the web fonts of the book from Adobe's Source families and from STIX Two Math; a maintainer runs it,
and commits the results.

    pip install "fonttools[woff]" fontpkg-source-serif-4 fontpkg-source-sans-3 fontpkg-source-code-pro
    python book/make_fonts.py

The font of the formulas comes from npm. Each font is reduced to the characters that the book uses, its axes
are fixed or narrowed, and it is written as woff2 with its licence and a README. The licences reserve the
names of the originals, so the results are renamed.
"""

import io
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

OUT = Path(__file__).parent / "theme" / "static" / "fonts"

ASCII = "".join(map(chr, range(0x20, 0x7F)))
NAMES = "ÅÄÁÉÖÜßàáâäåæçèéêëíîïñóôöøúüČčŁłńőřŚśŠšŽž"
LATIN = ASCII + NAMES + "\u00a0§©°±²³·×¼½«»¡¿"
GREEK = "αβγδεζηθικλμνξοπρστυφχψωΔΠΣΦ"
QUOTES = "–—‘’“”…−"
SIGNS = QUOTES + "≤≥≠≈→←↑↓∞√∑∫∂⁴■▸✓"
PROSE = LATIN + QUOTES + "→"  # Greek and signs in prose are formulas, which have a font of their own
TEXT = LATIN + GREEK + SIGNS
HATS = "\u0302\u0304"  # combining circumflex and macron, for labels such as x̂

# The signs of formulas. A build that needs another one fails and names it: it is to be added here.
MATH_ITALICS = "ℎ" + "".join(
    chr(code) for code in (*range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C)) if code != 0x1D455
)
MATH_OTHERS = "ΓΔΘΛΞΠΣΥΦΨΩ" + "ℂℕℙℚℝℤ𝔼ℓ"
MATH_FENCES = "()[]{}|∣∥‖⟨⟩⌊⌋⌈⌉"
MATH_OPERATORS = "−±×⋅∘∗∪∩∂∇∑∏∫√∞"
MATH_PRIMES = "′″"
PRIME_DOWN = -510  # thousandths of the size, from a height that is right outside of exponents
MATH_RELATIONS = "≤≥≠≈≡∼∝≪≫∈∉⊂⊆⊤∀∃∅→←⇒⇔↦"
MATH_DOTS = "…⋯"
MATH_ACCENTS = "\u0302\u0303\u0304\u0332"
MATH = "".join((
    ASCII, MATH_ITALICS, MATH_OTHERS, MATH_FENCES, MATH_OPERATORS, MATH_PRIMES, MATH_RELATIONS, MATH_DOTS,
    MATH_ACCENTS, "¯ˆ˜",
))  # fmt: skip
# variants of small letters in exponents, dotless and flat ones under accents; the table MATH is kept anyway
MATH_FEATURES = ["ssty", "dtls", "flac", "kern", "liga", "ccmp"]
MATH_PACKAGE, MATH_SOURCE = "@fontsource/stix-two-math@5.3.0", "files/stix-two-math-latin-400-normal.woff2"

LAYOUT = ["kern", "liga", "calt", "locl", "ccmp", "mark"]
FIGURES = ["lnum", "tnum", "onum", "pnum"]  # the sans has lining tabular figures without asking


@dataclass(frozen=True)
class Font:
    """A font to make: its source in a Python package, the values or ranges of its axes, its characters
    `signs`, OpenType features, and the family and style in CSS."""

    package: str
    source: str
    axes: dict[str, float | tuple[float, float]]
    signs: str
    features: list[str]
    family: str
    style: str = "normal"


SERIF, SANS, MONO = "fontpkg-source-serif-4", "fontpkg-source-sans-3", "fontpkg-source-code-pro"
FONTS = {
    "serif": Font(
        SERIF, "SourceSerif4[opsz,wght].ttf", {"opsz": 20, "wght": (400, 600)},
        PROSE, LAYOUT + FIGURES, "Ideas Serif",
    ),
    "serif-italic": Font(
        SERIF, "SourceSerif4-Italic[opsz,wght].ttf", {"opsz": 20, "wght": 400},
        ASCII + NAMES + QUOTES, ["kern", "liga", "onum", "pnum"], "Ideas Serif", "italic",
    ),
    "sans": Font(
        SANS, "SourceSans3[wght].ttf", {"wght": (400, 650)},
        TEXT + HATS, LAYOUT, "Ideas Sans",
    ),
    "mono": Font(
        MONO, "SourceCodePro[wght].ttf", {"wght": 400},
        ASCII + QUOTES + GREEK + "é×·²≤≥→", [], "Ideas Mono",
    ),
}  # fmt: skip

# How often each letter comes in English, in per cent: the mean advance decides the size of a fallback.
ENGLISH = dict(zip(" abcdefghijklmnopqrstuvwxyz,.", (
    18.0, 6.5, 1.2, 2.3, 3.3, 10.1, 1.8, 1.6, 4.8, 5.7, 0.1, 0.6, 3.3, 2.0, 5.6,
    6.1, 1.6, 0.1, 4.9, 5.2, 7.3, 2.3, 0.8, 1.9, 0.2, 1.6, 0.1, 1.0, 1.0,
), strict=True))  # fmt: skip
# File, weight, local fonts and their mean advance in ems. The second has the advances of the first.
FALLBACKS = [
    ("serif", 400, ["Times New Roman", "Liberation Serif"], 0.3968),
    ("serif", 600, ["Times New Roman Bold", "Liberation Serif Bold"], 0.4217),
    ("serif-italic", 400, ["Times New Roman Italic", "Liberation Serif Italic"], 0.3981),
    ("sans", 400, ["Arial", "Liberation Sans"], 0.4376),
    ("sans", 650, ["Arial Bold", "Liberation Sans Bold"], 0.4729),
    ("mono", 400, ["Courier New", "Liberation Mono"], 0.6001),
]


def make(font: Font) -> TTFont:
    """The reduced font. The characters are removed before the axes are fixed: the other order fails here."""
    module = font.package.replace("-", "_")
    ttf = TTFont(io.BytesIO((files(module) / "files" / font.source).read_bytes()), recalcTimestamp=False)
    options = Options(layout_features=font.features, hinting=False, name_IDs=[0, 14])
    options.drop_tables += ["BASE", "STAT"]
    subsetter = Subsetter(options)
    subsetter.populate(text=font.signs)
    subsetter.subset(ttf)
    if "fvar" in ttf:
        ttf["fvar"].instances = []
    ttf = instantiateVariableFont(ttf, font.axes)
    rename(ttf, font.family, font.style.title() if font.style != "normal" else "Regular")
    return ttf


def fetch_math() -> tuple[bytes, str]:
    """The font of the formulas, as npm has it, and its licence."""
    with tempfile.TemporaryDirectory() as folder:
        names = subprocess.check_output(["npm", "pack", "--silent", MATH_PACKAGE], cwd=folder, text=True)
        with tarfile.open(Path(folder) / names.strip()) as archive:
            font, licence = (archive.extractfile(f"package/{name}") for name in (MATH_SOURCE, "LICENSE"))
            assert font
            assert licence
            return font.read(), licence.read().decode()


def make_math(content: bytes) -> TTFont:
    """The reduced font of the formulas, with the variants of the signs kept, which are stretched to fit."""
    ttf = TTFont(io.BytesIO(content), recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=MATH_FEATURES, hinting=False, name_IDs=[0, 13, 14]))
    subsetter.populate(text=MATH)
    subsetter.subset(ttf)
    lacking = set(MATH) - set(map(chr, ttf.getBestCmap()))
    assert not lacking, f"STIX Two Math has no {lacking}"
    narrow_radicals(ttf)
    centre_accents(ttf)
    enlarge_primes(ttf)
    rename(ttf, "Ideas Math", "Regular")
    return ttf


def constructions(ttf: TTFont, direction: str) -> dict[str, list[str]]:
    """The glyphs of the signs that can be stretched, "Vert" or "Horiz", each with its variants and parts."""
    table = ttf["MATH"].table.MathVariants
    found = {}
    coverage = getattr(table, f"{direction}GlyphCoverage").glyphs
    for name, made in zip(coverage, getattr(table, f"{direction}GlyphConstruction"), strict=True):
        parts = [part.glyph for part in made.GlyphAssembly.PartRecords] if made.GlyphAssembly else []
        found[name] = [
            *dict.fromkeys([record.VariantGlyph for record in made.MathGlyphVariantRecord] + parts)
        ]
    return found


def narrow_radicals(ttf: TTFont) -> None:
    """Give the larger radicals the width of the smallest: Chromium keeps room for the widest behind each."""
    radical = ttf.getBestCmap()[ord("√")]
    width = ttf["hmtx"][radical][0]
    for name in constructions(ttf, "Vert")[radical]:
        reshape(ttf, name, (width / ttf["hmtx"][name][0], 1), (0, 0), width)


def centre_accents(ttf: TTFont) -> None:
    """Give accents, which stand left of their place and have no width, a width: Chromium centres boxes."""
    wide = constructions(ttf, "Horiz")
    for sign in MATH_ACCENTS:
        accent = ttf.getBestCmap()[ord(sign)]
        for name in {accent, *wide.get(accent, [])}:
            glyph = ttf["glyf"][name]
            reshape(ttf, name, (1, 1), (-glyph.xMin, 0), glyph.xMax - glyph.xMin)
            ttf["GDEF"].table.GlyphClassDef.classDefs[name] = 1  # no mark: the width of a mark is ignored


def enlarge_primes(ttf: TTFont) -> None:
    """Give primes the size that they need as exponents, where browsers set them small and high."""
    scale = 100 / ttf["MATH"].table.MathConstants.ScriptPercentScaleDown
    for sign in MATH_PRIMES:
        name = ttf.getBestCmap()[ord(sign)]
        width = round(scale * ttf["hmtx"][name][0])
        reshape(ttf, name, (scale, scale), (0, PRIME_DOWN), width)


def reshape(ttf: TTFont, name: str, scale: tuple[float, float], shift: tuple[int, int], width: int) -> None:
    """Scale a glyph horizontally and vertically, shift it to the right and up, and set its width."""
    glyph = ttf["glyf"][name]
    glyph.coordinates.scale(scale)
    glyph.coordinates.translate(shift)
    glyph.coordinates.toInt()
    glyph.recalcBounds(ttf["glyf"])
    ttf["hmtx"][name] = (width, glyph.xMin)


def rename(ttf: TTFont, family: str, style: str) -> None:
    """Give the font a family name of our own."""
    postscript = f"{family.replace(' ', '')}-{style}"
    names = {1: family, 2: style, 3: postscript, 4: f"{family} {style}", 6: postscript}
    for name_id, text in names.items():
        ttf["name"].setName(text, name_id, 3, 1, 0x409)


def fallback(file: str, weight: int, local: list[str], mean: float) -> str:
    """The CSS rule @font-face that scales local fonts to the line height and the mean width of ours.

    `mean` is the mean advance of the local fonts in ems.
    """
    ttf = TTFont(OUT / f"{file}.woff2")
    if "fvar" in ttf:
        ttf = instantiateVariableFont(ttf, {"wght": weight})
    em, cmap, hhea = ttf["head"].unitsPerEm, ttf.getBestCmap(), ttf["hhea"]
    ours = sum(share * ttf["hmtx"][cmap[ord(sign)]][0] for sign, share in ENGLISH.items())
    size = ours / sum(ENGLISH.values()) / em / mean
    rule = [
        f'font-family: "{FONTS[file].family} Fallback"',
        f"font-style: {FONTS[file].style}",
        f"font-weight: {weight}",
        "src: " + ", ".join(f'local("{name}")' for name in local),
        f"size-adjust: {size:.2%}",
        f"ascent-override: {hhea.ascent / em / size:.2%}",
        f"descent-override: {-hhea.descent / em / size:.2%}",
        f"line-gap-override: {hhea.lineGap / em / size:.2%}",
    ]
    return "@font-face {\n  " + ";\n  ".join(rule) + ";\n}\n"


README = """\
# Fonts

Written by `book/make_fonts.py`; do not edit. The fonts of text are by Adobe, that of formulas is by the STIX
Fonts Project, all under the SIL Open Font License 1.1. The licences reserve the names of the originals; these
are cut versions, so their family names are ours.

| file | bytes | family in CSS | weights | made from | version | licence |
|---|---|---|---|---|---|---|
{rows}

Each holds ASCII, the letters of European names and the quotation marks and dashes of prose; the sans and
the mono hold Greek small letters and Δ Π Σ Φ and signs of mathematics too, for labels and code. Hints are
left out. The optical size is pinned to 20, which is near the size of the text (19 px) and still fits
headings. In the serif `font-variant-numeric` chooses `oldstyle-nums proportional-nums` for prose or
`lining-nums tabular-nums` (the default) for tables; the figures of the sans are always lining and tabular.

The font of formulas holds the signs that formulas use; a build that needs another one fails and names it. Its
larger radicals are as narrow as the smallest, and its accents have a width, because Chromium keeps room for
the widest radical behind each and centres accents by their width. Its primes are as large as they have to be
in an exponent.

## Fallbacks

While a font loads, and where none can, these rules give a local font its line height and mean width, so that
the page does not jump. Put `"Ideas Serif Fallback"` after `"Ideas Serif"`, and so on. The widths are means
over English letters by their frequency.

```css
{rules}```
"""


def write_math() -> str:
    """Write the font of the formulas and its licence; return its row of the README."""
    content, licence = fetch_math()
    ttf = make_math(content)
    ttf.flavor = "woff2"
    path = OUT / "math.woff2"
    ttf.save(path)
    (OUT / "OFL-stix-two-math.txt").write_text(tidied(licence), encoding="utf-8")
    size = path.stat().st_size
    print(f"{path.name:20} {size:7,} bytes")
    package, _, number = MATH_PACKAGE.rpartition("@")
    return (
        f"| `{path.name}` | {size:,} | Ideas Math | 400 "
        f"| `{Path(MATH_SOURCE).name}` of npm's `{package}` {number} "
        f"| {ttf['head'].fontRevision:.3f} | `OFL-stix-two-math.txt` |"
    )


def tidied(text: str) -> str:
    """`text` without spaces at the ends of lines."""
    return "\n".join(map(str.rstrip, text.splitlines())) + "\n"


def main() -> None:
    """Write fonts, licences and README, and print the rules of the fallback fonts."""
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for file, font in FONTS.items():
        ttf = make(font)
        ttf.flavor = "woff2"
        path = OUT / f"{file}.woff2"
        ttf.save(path)
        licence = f"OFL-{font.package.removeprefix('fontpkg-')}.txt"
        text = (files(font.package.replace("-", "_")) / "LICENSE").read_text(encoding="utf-8")
        (OUT / licence).write_text(tidied(text), encoding="utf-8")
        weight = font.axes["wght"]
        weights = f"{weight[0]} to {weight[1]}" if isinstance(weight, tuple) else f"{weight}"
        if font.style != "normal":
            weights += f" {font.style}"
        made_from = f"`{font.source}` of {font.package} {version(font.package)}"
        size = path.stat().st_size
        rows.append(
            f"| `{file}.woff2` | {size:,} | {font.family} | {weights} | {made_from} "
            f"| {ttf['head'].fontRevision:.3f} | `{licence}` |"
        )
        print(f"{path.name:20} {size:7,} bytes")
    rows.append(write_math())
    rules = "".join(fallback(*arguments) for arguments in FALLBACKS)
    print(rules)
    (OUT / "README.md").write_text(README.format(rows="\n".join(rows), rules=rules), encoding="utf-8")


if __name__ == "__main__":
    main()
