"""Draw the cards of the home page: `python book/draw_pictures.py` writes book/pictures/*.svg.

Each chapter has its own drawing, `draw` in book/pictures/<chapter>.py: what is seen, for those who cannot see
it, and the elements of the SVG.
"""

from importlib import import_module
from pathlib import Path

from pictures.pen import HEIGHT, WIDTH

OUT = Path(__file__).parent / "pictures"


def chapters() -> list[str]:
    """The chapters that have a drawing."""
    return sorted(path.stem for path in OUT.glob("*.py") if path.stem != "pen")


def write(chapter: str) -> Path:
    """Draw the card of `chapter`; return the file."""
    seen, parts = import_module(f"pictures.{chapter}").draw()
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{seen}">{"".join(parts)}</svg>\n'
    path = OUT / f"{chapter}.svg"
    path.write_text(svg, encoding="utf-8")
    return path


def main() -> None:
    for chapter in chapters():
        print(f"{chapter:16} {write(chapter).stat().st_size:6,} bytes")


if __name__ == "__main__":
    main()
