"""Draw the pictures on the cards of the home page: `python book/draw_pictures.py` writes book/pictures/*.svg.

The function `draw` in book/pictures/<chapter>.py returns a description of the picture and the elements of the
SVG.
"""

import runpy
from pathlib import Path

from pictures.pen import HEIGHT, WIDTH

PICTURES = Path(__file__).parent / "pictures"


def write(drawing: Path) -> Path:
    """Run the function `draw` of the Python file `drawing`, write its picture beside it, and return its
    path."""
    description, parts = runpy.run_path(str(drawing))["draw"]()
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{description}">{"".join(parts)}</svg>\n'
    )
    picture = drawing.with_suffix(".svg")
    picture.write_text(svg, encoding="utf-8")
    return picture


def main() -> None:
    """Draw all pictures and print their sizes."""
    for drawing in sorted(PICTURES.glob("*.py")):
        if drawing.stem != "pen":
            print(f"{drawing.stem:16} {write(drawing).stat().st_size:6,} bytes")


if __name__ == "__main__":
    main()
