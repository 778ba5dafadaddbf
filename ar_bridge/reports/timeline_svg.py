"""The life of an invoice as a picture: one line of days, a mark for each thing that happens."""

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from ar_bridge.insights.timeline import Step

WIDTH: Final = 960
ROW: Final = 30
LEFT: Final = 28
TEXT: Final = 370
"""Where the line of days begins, right of the words."""

COLOURS: Final = {
    "reminder": "#2b6cb0",
    "late_fee": "#c05621",
    "credit_hold": "#9b2c2c",
    "hand_off": "#742a2a",
}
OTHER: Final = "#718096"


def timeline_svg(steps: Sequence[Step], title: str, until: int) -> str:
    """An SVG document. `until` is the last day, counted from the due date."""
    begin = min([step.days_late for step in steps] + [0])
    span = max(until - begin, 1)
    height = 96 + ROW * len(steps)

    def x(day: int) -> float:
        return TEXT + (WIDTH - TEXT - LEFT) * (day - begin) / span

    bottom = height - 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="30" font-size="17" font-weight="600" fill="#1a202c">'
        f"{escape(title)}</text>",
    ]
    for day in _ticks(begin, until):
        colour = "#1a202c" if day == 0 else "#e2e8f0"
        parts += [
            f'<line x1="{x(day):.1f}" y1="48" x2="{x(day):.1f}" y2="{bottom}" stroke="{colour}"/>',
            f'<text x="{x(day):.1f}" y="{bottom + 18}" font-size="12" text-anchor="middle" '
            f'fill="#4a5568">{"due" if day == 0 else f"{day:+d}"}</text>',
        ]
    for number, step in enumerate(steps):
        y = 66 + ROW * number
        colour = COLOURS.get(step.kind, OTHER)
        waits = step.mode == "approve"
        parts += [
            f'<line x1="{TEXT}" y1="{y}" x2="{x(step.days_late):.1f}" y2="{y}" '
            f'stroke="{colour}" stroke-opacity="0.25"/>',
            f'<circle cx="{x(step.days_late):.1f}" cy="{y}" r="6" stroke="{colour}" '
            f'stroke-width="2" fill="{"#ffffff" if waits else colour}">'
            f"<title>{escape(f'{step.on}: {step.why}')}</title></circle>",
            f'<text x="{LEFT}" y="{y + 4}" font-size="13" fill="#2d3748">'
            f"{escape(_words(step))}</text>",
        ]
    parts.append(
        f'<text x="{WIDTH - LEFT}" y="30" font-size="12" text-anchor="end" fill="#4a5568">'
        "hollow: a person approves it</text>"
    )
    return "\n".join([*parts, "</svg>", ""])


def _words(step: Step) -> str:
    said = f"{step.title} {step.amount}".strip()
    return said if len(said) <= 46 else f"{said[:45]}\N{HORIZONTAL ELLIPSIS}"


def _ticks(begin: int, until: int) -> list[int]:
    sizes = (7, 14, 30, 60, 90, 180, 365)
    every = next((size for size in sizes if until - begin <= size * 12), 365)
    return list(range(-(-begin // every) * every, until + 1, every))
