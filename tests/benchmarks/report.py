"""Figures for people (a table) and for programs (var/bench/<name>.json)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent.parent.parent / "var" / "bench"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    columns = list(zip(headings, *[[str(cell) for cell in row] for row in rows], strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    for line in [headings, ["-" * width for width in widths], *rows]:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)))


def write(name: str, figures: Mapping[str, object]) -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    path = DIRECTORY / f"{name}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nWritten to {path.relative_to(DIRECTORY.parent.parent)}")
