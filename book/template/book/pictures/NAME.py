"""Powers of a number below one."""

from pictures.pen import WIDTH, box, number, numbers, path


def draw() -> tuple[str, list[str]]:
    ratio, count, left, floor, high = 0.8, 14, 26.0, 160.0, 130.0
    pitch = (WIDTH - 2 * left) / count
    heights = [high * ratio**power for power in range(count)]
    bars = "".join(
        box(left + power * pitch, floor - height, pitch - 4, height) for power, height in enumerate(heights)
    )
    parts = [
        path(bars, "p-c1"),
        path(f"M{numbers([left - 6, floor])}H{number(WIDTH - left + 6)}", "s-track", stroke_width=1.2),
    ]
    return "Fourteen blue bars, each four fifths as high as the one before it.", parts
