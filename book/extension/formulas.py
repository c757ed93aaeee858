"""Formulas as MathML, made when the book is built, so that a page needs no script to show them.

A formula that the converter does not know, or that needs a sign which the font of the formulas lacks, is a
warning at its place, and fails the build. The LaTeX stays in the page as an annotation, which is what a
reader gets who copies the formula.
"""

import re
import unicodedata
from functools import cache
from html import unescape
from pathlib import Path

from docutils import nodes
from fontTools.ttLib import TTFont
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

FONT = Path(__file__).parents[1] / "theme/static/fonts/math.woff2"
NAME = "mathml"
LONG = 24  # signs: a longer formula in a line may be wider than the line on a telephone
_CONVERTER = LatexToMathML(annotation=True)
# browsers set a lone letter in `mi` in italics, which have codes of their own; h is older than the others
_ITALIC_CODES = [*range(0x1D434, 0x1D455), *range(0x1D456, 0x1D468), *range(0x1D6E2, 0x1D71C)]
_ITALICS = {
    chr(int(unicodedata.decomposition(chr(code)).split()[1], 16)): chr(code) for code in _ITALIC_CODES
}
_ITALICS["h"] = "\u210e"
# a line that is stretched over a lone letter is longer than the letter in Chromium
_LINE_OVER_A_LETTER = re.compile(r'(<mi>\w</mi>)<mo stretchy="true">\u0332</mo>')
logger = logging.getLogger(__name__)


class FormulaError(ValueError):
    """A formula that cannot be shown, with the reason."""


@cache
def mathml(latex: str, *, block: bool = False) -> str:
    """The element `math` of a formula; `block` is one that stands alone.

    Raises `FormulaError` for LaTeX that the converter does not know and signs that the font lacks.
    """
    latex = " ".join(latex.split())
    try:
        converted = _CONVERTER.convert_with_local_state(latex, displaystyle=block)
    except LatexError as error:
        # the first line, without its colours; a drawing of the place follows
        reason = re.sub(r"\x1b\[[\d;]*m|Error: ?", "", str(error)).strip().partition("\n")[0]
        raise FormulaError(f"the formula '{latex}' is not understood: {reason}") from error
    converted = _LINE_OVER_A_LETTER.sub(r'\1<mo stretchy="false">¯</mo>', converted)
    lacking = signs(converted) - font_signs()
    if lacking:
        named = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in sorted(lacking))
        raise FormulaError(
            f"the formula '{latex}' needs {named}, which the font lacks: see book/make_fonts.py"
        )
    return converted


def signs(converted: str) -> set[str]:
    """The signs that a browser takes from the font to show a converted formula."""
    shown = re.sub(r"<mi>(\w)</mi>", lambda letter: _ITALICS.get(letter[1], letter[1]), converted)
    text = _text(shown)
    # what only says how to read a formula, such as the application of a function, has no shape
    return {sign for sign in text if not sign.isspace() and unicodedata.category(sign) != "Cf"}


@cache
def font_signs() -> frozenset[str]:
    """The signs that the font of the formulas has."""
    return frozenset(map(chr, TTFont(FONT, lazy=True).getBestCmap()))


def _text(converted: str) -> str:
    """The text of a converted formula without its LaTeX."""
    return unescape(re.sub(r"<annotation.*?</annotation>|<[^>]*>", "", converted, flags=re.S))


def in_lines(body: str) -> str:
    """The HTML `body` with the formulas in its lines kept together with the punctuation and letters that
    touch them, and with long ones in boxes that can scroll."""
    glued = re.sub(r"(?<![^\s<>])[^\s<>]*(?:<math>.*?</math>[^\s<>]*)+", _glue, body, flags=re.S)
    return re.sub(r"<math>.*?</math>", _box, glued, flags=re.S)


def _glue(found: re.Match[str]) -> str:
    alone = found[0].startswith("<math>") and found[0].index("</math>") + len("</math>") == len(found[0])
    return found[0] if alone else f'<span class="glue">{found[0]}</span>'


def _box(found: re.Match[str]) -> str:
    return f'<span class="long">{found[0]}</span>' if len(_text(found[0])) > LONG else found[0]


def _write_inline(self: HTML5Translator, node: nodes.math) -> None:
    try:
        self.body.append(mathml(node.astext()))
    except FormulaError as error:
        logger.warning("%s", error, location=node)
    raise nodes.SkipNode


def _write_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    try:
        self.body.append(f'<div class="display">{mathml(node.astext(), block=True)}</div>')
    except FormulaError as error:
        logger.warning("%s", error, location=node)
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register with Sphinx, which prefers this renderer to its own, MathJax."""
    app.add_html_math_renderer(NAME, (_write_inline, None), (_write_block, None))
