"""``make bench-import``: moves SCALE subscriptions in (a million; one in a hundred is refused), and takes them back.

Rate and memory: what the process holds after a tenth, and at most at the end.
"""

import csv
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from tests.benchmarks import report

ROWS = int(os.environ.get("SCALE", "1000000"))
POINTS = 500


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        Path(directory).chmod(0o755)
        home = Home(Path(directory))
        os.environ.update(
            SIGNALIZE_HOME=directory,
            DATABASE_URL=home.database_url,
            DJANGO_SETTINGS_MODULE="signalize_console.settings",
            LOG_LEVEL="ERROR",
        )
        postgres = EmbeddedPostgres(home).start()
        try:
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
            figures = measure(Path(directory) / "subscribers.csv")
        finally:
            postgres.stop()
    for name, value in figures.items():
        print(f"{name}: {value}")
    report.write("imports", figures)


def measure(file: Path) -> dict[str, Any]:
    import django

    django.setup()
    from signalize_console.deliveries import undoing
    from signalize_console.recipients import importing, receiving
    from tests.makers import make_website

    website = make_website()
    write(file)
    started = time.monotonic()
    with file.open("rb") as stored:
        pieces = iter(lambda: stored.read(receiving.PIECE), b"")
        of = receiving.receive(website, file.name, pieces, at_once=True)
    figures: dict[str, Any] = {"rows": ROWS, "file": f"{of.size / 1e6:.0f} MB"}
    seconds, tenth, most = {"checking": 0.0, "moving": 0.0}, 0, 0
    while of.is_at_work:
        state, began = of.state, time.monotonic()
        of = importing.work_on(of.pk, seconds=0)
        seconds[state] += time.monotonic() - began
        most = max(most, memory())
        tenth = tenth or (most if of.rows >= ROWS / 10 else 0)
    took = time.monotonic() - started
    assert of.subscriptions_made + of.refused == ROWS, (of.state, of.error)
    figures["all of it"] = f"{took:.0f} s, {ROWS / took:.0f} rows a second"
    figures |= {name: f"{some:.0f} s" for name, some in seconds.items()}
    figures["refused, each with its reason"] = of.refusals.count()
    figures["memory after a tenth"] = f"{tenth / 1e3:.0f} MB"
    figures["memory at most"] = f"{most / 1e3:.0f} MB"
    began = time.monotonic()
    of.undo()
    while of.is_at_work:
        of = undoing.work_on(of.pk)
    figures["taking it back"] = f"{time.monotonic() - began:.0f} s, {of.removed} removed"
    return figures


def memory() -> int:
    """Kilobytes that this process holds now."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")
    )
    return int(line.split()[1])


def write(file: Path) -> None:
    """As Signalize writes it. The keys of 500 browsers, at as many endpoints as there are rows."""
    from signalize_console.webpush import vapid
    from tests.makers import base64url

    points = [vapid.generate_keys()[0] for _point in range(POINTS)]
    public, private = vapid.generate_keys()
    with file.open("w", newline="") as stored:
        writer = csv.writer(stored)
        writer.writerow(
            ["endpoint", "userPublicKey", "userAuth", "VAPID public key", "VAPID private key", "_et_coid"]
        )
        for number in range(ROWS):
            auth = "short" if number % 100 == 99 else base64url(secrets.token_bytes(16))
            endpoint = f"https://fcm.googleapis.com/fcm/send/{number:012x}:{secrets.token_urlsafe(100)}"
            point = points[number % POINTS]
            writer.writerow([endpoint, point, auth, public, base64url(private), secrets.token_hex(16)])


if __name__ == "__main__":
    main()
