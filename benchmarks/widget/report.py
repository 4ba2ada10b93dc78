"""The measurements as a table, beside what is aimed at."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.widget.visits import Found

_ROWS: list[tuple[str, str, str, float]] = [
    # name, what, aim, what a unit of the table is
    ("script", "main script, kB with gzip", "≤ 15.36", 1000),
    ("until", "until it follows, kB", "≤ 70", 1000),
    ("all", "in all, kB", "≤ 140", 1000),
    ("again", "a second visit, kB", "0", 1000),
    ("shift", "layout shift", "0", 1),
    ("nearest slow", "stored pictures alone, slow pointer, %", "0", 1),
    ("nearest fast", "the same, fast pointer, %", "0", 1),
    ("lag slow", "shown behind the spring, slow, p95, cells", "≤ 0.1", 1),
    ("lag fast", "the same, fast", "≤ 0.1", 1),
    ("sharpness", "eyes between stored looks, % of their sharpness there", "≥ 97", 1),
    ("sharpness, least", "the same, least", "", 1),
    ("script 1 p50", "script of a frame, one of 512 px, median, ms", "≤ 2", 1),
    ("script 1 p95", "the same, p95", "", 1),
    ("script 9 p50", "nine of 160 px, median", "≤ 2", 1),
    ("script 50 p50", "fifty of 96 px, median", "", 1),
    ("copies 1 p50", "copies of a frame, one of 512 px, median, ms", "", 1),
    ("copies 9 p50", "nine of 160 px", "", 1),
    ("copies 50 p50", "fifty of 96 px", "", 1),
    ("frames 1 mean", "from frame to frame, one of 512 px, mean, ms", "", 1),
    ("frames 9 mean", "nine of 160 px", "as one", 1),
    ("frames 50 mean", "fifty of 96 px", "≤ 2 × one", 1),
    ("memory", "memory over a blank page, one of 512 px, MB", "≤ 60", 1),
    ("memory own", "the same without pages of files", "", 1),
    ("memory empty", "its poster under an empty picture of WebGL2", "", 1),
    ("memory empty own", "the same without pages of files", "", 1),
    ("memory 96", "for each more of fifty of 96 px", "≤ 6", 1),
    ("memory 512", "for each more of fifty of 512 px", "≤ 6", 1),
]


def table(found: Mapping[str, Found]) -> str:
    """Markdown.

    Args:
        found: by the heading of a column; what one lacks is a dash.
    """
    lines = [f"| what | aim | {' | '.join(found)} |", f"|---|---|{'---|' * len(found)}"]
    for name, what, aim, unit in _ROWS:
        cells = [_cell(column.get(name), unit) for column in found.values()]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {what} | {aim} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float | None, unit: float) -> str:
    if value is None:
        return "–"
    value /= unit
    return f"{value:.0f}" if abs(value) >= 100 or value == 0 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
