"""The picture of a stock and the poster of an event, as SVG attributes: no inline style."""

from django import template

from tickets.stock import Figures

register = template.Library()
WIDTH, MOST_CELLS = 1000, 60


@register.inclusion_tag("components/stock.html")
def stock(figures: Figures, link: str = "") -> dict:
    """One cell per ticket up to 60, a plain bar above; tickets in hand stand taller. The figures carry the meaning.

    With the address of the tickets' list, each figure leads to those that it counts.
    """
    total = max(figures.total, 1)
    cell = WIDTH / total
    parts, x = [], 0.0
    runs = [
        ("checked", figures.checked),
        ("printed", figures.printed - min(figures.checked, figures.printed)),
        ("given", figures.distributed - max(figures.printed, figures.checked)),
        ("away", figures.away + figures.unused),
    ]
    for name, count in runs:
        if count > 0:
            parts.append({"name": name, "x": round(x, 2), "width": round(count * cell, 2)})
            x += count * cell
    in_cells = total <= MOST_CELLS
    left = []
    if figures.left:
        gap = min(3.1, cell * 0.22 / 2) if in_cells else 0
        count, width = (figures.left, cell) if in_cells else (1, figures.left * cell)
        left = [{"x": round(x + i * width + gap, 2), "width": round(width - 2 * gap, 2)} for i in range(count)]
    cuts = "".join(f"M{round(i * cell, 2)} 0v24" for i in range(1, total - figures.left)) if in_cells else ""
    return {"figures": figures, "parts": parts, "left": left, "cuts": cuts, "link": link}
