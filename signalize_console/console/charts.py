"""Lines over time, drawn on the server as SVG: nothing to load, readable without scripts.

Behind each chart its numbers stand in a table, for who doesn't see it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 250
LEFT, RIGHT, TOP, BOTTOM = 96, 12, 16, 34
MOST_LABELS, STEPS = 6, 4


@dataclass(frozen=True)
class Series:
    """None where nobody knows: the line has a gap there."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """``key`` is its id on the page, ``file`` what its picture is called if not that. ``labels`` are the
    places on the way from left to right.

    Places are texts: in a page, numbers would be written as the reader's language does, with a comma.
    """

    key: str
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    file: str = ""

    width, height, left, right, bottom = WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM

    @property
    def is_empty(self) -> bool:
        return not any(value for one in self.series for value in one.values)

    @property
    def top(self) -> float:
        """The value at the upper end: a round one, above all others."""
        largest = max((value or 0 for one in self.series for value in one.values), default=0)
        return STEPS * _round_up(largest / STEPS) if largest else STEPS

    @property
    def grid(self) -> list[dict[str, Any]]:
        steps = (self.top * number / STEPS for number in range(STEPS + 1))
        return [{"y": f"{self._y(value):.1f}", "value": value} for value in steps]

    @property
    def places(self) -> list[dict[str, Any]]:
        """Some of the labels, that they don't touch; where room is scarce, every second one is ``spare``."""
        every = max(math.ceil(len(self.labels) / MOST_LABELS), 1)
        numbers = range(0, len(self.labels), every)
        return [
            {
                "x": f"{self._x(number):.1f}",
                "label": self.labels[number],
                "anchor": "end" if 0 < number == len(self.labels) - 1 else "middle",
                "spare": place % 2 == 1,
            }
            for place, number in enumerate(numbers)
        ]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [
            {"label": one.label, "number": number, "paths": self._paths(one)}
            for number, one in enumerate(self.series, start=1)
        ]

    @property
    def rows(self) -> list[tuple[str, list[float | None]]]:
        return [
            (label, [one.values[number] for one in self.series]) for number, label in enumerate(self.labels)
        ]

    def _paths(self, series: Series) -> list[str]:
        """What is known without a gap, piece by piece; a single value is a short stroke."""
        pieces: list[list[str]] = [[]]
        for number, value in enumerate(series.values):
            if value is None:
                pieces.append([])
            else:
                pieces[-1].append(f"{self._x(number):.1f},{self._y(value):.1f}")
        return [" ".join(piece if len(piece) > 1 else [_stroke(piece[0])]) for piece in pieces if piece]

    def _x(self, number: int) -> float:
        room = self.right - self.left
        last = len(self.labels) - 1
        return self.left + (room * number / last if last else room / 2)

    def _y(self, value: float) -> float:
        return self.bottom - (self.bottom - TOP) * value / self.top


def _stroke(point: str) -> str:
    x, y = point.split(",")
    return f"{float(x) - 3:.1f},{y} {float(x) + 3:.1f},{y}"


def _round_up(value: float) -> float:
    """A digit and zeros, and no less than 1: counts are whole."""
    power = 10 ** math.floor(math.log10(value)) if value >= 1 else 1
    return math.ceil(value / power) * power if value > 1 else 1
