"""Draw the cards of the home page: `python book/draw_pictures.py` writes book/pictures/*.svg.

Each chapter has its own drawing, `draw` in book/pictures/<chapter>.py: what is seen, for those who cannot see
it, and the elements of the SVG.
"""

import runpy
from pathlib import Path

from pictures.pen import HEIGHT, WIDTH

PICTURES = Path(__file__).parent / "pictures"


def write(drawing: Path) -> Path:
    """Draw the card whose `draw` stands in the file `drawing`; return the picture, which lies beside it."""
    seen, parts = runpy.run_path(str(drawing))["draw"]()
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{seen}">{"".join(parts)}</svg>\n'
    picture = drawing.with_suffix(".svg")
    picture.write_text(svg, encoding="utf-8")
    return picture


def main() -> None:
    for drawing in sorted(PICTURES.glob("*.py")):
        if drawing.stem != "pen":
            print(f"{drawing.stem:16} {write(drawing).stat().st_size:6,} bytes")


if __name__ == "__main__":
    main()
