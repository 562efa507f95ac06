"""What a visitor's browser loads stays small: each script as it is served, gzipped."""

import gzip
import sys
from pathlib import Path

import rjsmin

SCRIPTS = Path(__file__).resolve().parent.parent / "static" / "browser"
# Bytes. The opt-in dialogs are loaded only when they are shown.
BUDGETS = {"signalize.js": 6_000, "service-worker.js": 3_000, "opt-in.js": 5_000, "preferences.js": 3_000}


def size(name: str) -> int:
    return len(gzip.compress(rjsmin.jsmin((SCRIPTS / name).read_text()).encode()))


def main() -> int:
    too_large = [
        f"{name} takes {size(name)} bytes gzipped; its budget is {budget}."
        for name, budget in BUDGETS.items()
        if (SCRIPTS / name).exists() and size(name) > budget
    ]
    print("\n".join(too_large), end="\n" if too_large else "")
    return len(too_large)


if __name__ == "__main__":
    sys.exit(main())
