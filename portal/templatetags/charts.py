"""Charts as SVG that the server draws, from attributes alone: no script, no style. The table beside each says the same in numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django import template

register = template.Library()
WIDTH, HEIGHT, GAP = 1000, 240, 0.18


@dataclass(frozen=True)
class Bars:
    """What a chart draws: its title in words, and for each place on the axis a label and its numbers, the largest first.

    The classes, as many as the numbers, say how each is drawn: a smaller number stands in front of a larger one.
    """

    title: str
    classes: Sequence[str]
    places: Iterable[tuple[str, Sequence[int]]]


@register.inclusion_tag("components/bars.html")
def bars(chart: Bars) -> dict:
    places = list(chart.places)
    top = max((number for _label, numbers in places for number in numbers), default=0)
    step = WIDTH / max(len(places), 1)
    drawn = []
    for at, (_label, numbers) in enumerate(places):
        for name, number in zip(chart.classes, numbers, strict=True):
            if number:
                height = HEIGHT * number / top
                shape = {"x": at * step + step * GAP / 2, "width": step * (1 - GAP), "y": HEIGHT - height, "height": height}
                drawn.append({"name": name} | {key: round(value, 2) for key, value in shape.items()})
    return {
        "title": chart.title,
        "top": top,
        "drawn": drawn,
        "first": places[0][0] if places else "",
        "last": places[-1][0] if places else "",
    }
