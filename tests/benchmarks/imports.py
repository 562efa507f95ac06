"""``make bench-import``: moves SCALE subscriptions in (a million; one in a hundred is refused), and takes them back.

Rate and memory: what the process holds after a tenth, and at most at the end. 2,000 of the rows, spread over the file,
are browsers of the push service double, under five old VAPID keys: they are sent to before and after their next visit.
The double takes only what the right key has signed, and decrypts it.
"""

import csv
import os
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.pushservice.double import PushServiceDouble
from tests.benchmarks import report

ROWS = int(os.environ.get("SCALE", "1000000"))
POINTS, OLD_KEYS = 500, 5
BROWSERS = min(2_000, ROWS // 20)
SERVICES = ["fcm", "mozilla", "apple", "wns"]


@dataclass
class Browser:
    """One at the double: who it is here, and its subscription now."""

    client_id: str
    subscription: Any


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, PushServiceDouble() as double:
        Path(directory).chmod(0o755)
        home = Home(Path(directory))
        os.environ.update(
            SIGNALIZE_PUSH_SERVICES=double.push_services,
            SIGNALIZE_PUSH_SERVICES_CA=str(double.ca_file),
            SIGNALIZE_HOME=directory,
            DATABASE_URL=home.database_url,
            DJANGO_SETTINGS_MODULE="signalize_console.settings",
            LOG_LEVEL="ERROR",
        )
        postgres = EmbeddedPostgres(home).start()
        try:
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
            figures = measure(Path(directory) / "subscribers.csv", double)
        finally:
            postgres.stop()
    for name, value in figures.items():
        print(f"{name}: {value}")
    report.write("import", figures)


def measure(file: Path, double: PushServiceDouble) -> dict[str, Any]:
    import django

    django.setup()
    from signalize_console.deliveries import dispatch, undoing
    from signalize_console.recipients import importing, receiving
    from tests.makers import make_website

    website = make_website()
    browsers = write(file, double)
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
    figures |= send_to(website, browsers, double)
    dispatch.transport().close()
    began = time.monotonic()
    of.undo()
    while of.is_at_work:
        of = undoing.work_on(of.pk)
    figures["taking it back"] = (
        f"{time.monotonic() - began:.0f} s, {of.removed} removed, {of.subscriptions_made - of.removed} stay: they were sent to"
    )
    return figures


def memory() -> int:
    """Kilobytes that this process holds now."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")
    )
    return int(line.split()[1])


def write(file: Path, double: PushServiceDouble) -> list[Browser]:
    """As Signalize writes it. The keys of 500 browsers, at as many endpoints as there are rows, and BROWSERS real ones."""
    from signalize_console.recipients.subscribing import PushSubscription
    from signalize_console.webpush import vapid
    from tests.makers import base64url

    points = [vapid.generate_keys()[0] for _point in range(POINTS)]
    keys = [vapid.generate_keys() for _key in range(OLD_KEYS)]
    browsers: list[Browser] = []
    with file.open("w", newline="") as stored:
        writer = csv.writer(stored)
        writer.writerow(
            ["endpoint", "userPublicKey", "userAuth", "VAPID public key", "VAPID private key", "_et_coid"]
        )
        for number in range(ROWS):
            public, private = keys[number // 7 % OLD_KEYS]
            auth = "short" if number % 100 == 99 else base64url(secrets.token_bytes(16))
            endpoint = f"https://fcm.googleapis.com/fcm/send/{number:012x}:{secrets.token_urlsafe(100)}"
            point, client_id = points[number % POINTS], secrets.token_hex(16)
            if number % (ROWS // BROWSERS) == 0:
                real = double.make_subscriber(
                    SERVICES[len(browsers) % len(SERVICES)], application_server_key=public
                )
                endpoint, point, auth = real.endpoint, real.p256dh, real.auth
                browsers.append(Browser(client_id, PushSubscription(endpoint, point, auth, public)))
            writer.writerow([endpoint, point, auth, public, base64url(private), client_id])
    return browsers


def send_to(website: Any, browsers: list[Browser], double: PushServiceDouble) -> dict[str, str]:
    """A message to each of them, before and after they have come by: what arrived, and what was lost."""
    from signalize_console.deliveries.readdressing import readdress
    from signalize_console.recipients.subscribing import Proof, PushSubscription, Visitor, subscribe

    told = {f"{len(browsers)} sent to, each with its old key": arrived(website, browsers, double)}
    new = website.rotate_vapid_key().public_key
    for number, one in enumerate(browsers):
        visitor, old = Visitor(one.client_id), one.subscription
        subscribe(website, visitor, old)
        fresh = double.make_subscriber(SERVICES[number % len(SERVICES)], application_server_key=new)
        one.subscription = PushSubscription(fresh.endpoint, fresh.p256dh, fresh.auth, new)
        readdress(subscribe(website, visitor, one.subscription, Proof(old.endpoint, old.auth))[0])
    return told | {"sent to after a visit, with the new key": arrived(website, browsers, double)}


def arrived(website: Any, browsers: list[Browser], double: PushServiceDouble) -> str:
    from signalize_console.deliveries import outbox
    from signalize_console.deliveries.dispatch import Dispatch
    from signalize_console.recipients.models import Recipient
    from tests.makers import make_message, make_text

    double.reset()
    for start in range(0, len(browsers), outbox.MAX_RECIPIENTS):
        client_ids = [one.client_id for one in browsers[start : start + outbox.MAX_RECIPIENTS]]
        named = list(Recipient.objects.filter(website=website, client_id__in=client_ids))
        message = outbox.send(make_message(website), [make_text()], named).message_id
        end = time.monotonic() + 300
        while not is_finished(message) and time.monotonic() < end:
            Dispatch(transactional=True).run(seconds=5)
            Dispatch(transactional=False).run(seconds=5)
    wanted = {one.subscription.endpoint for one in browsers}
    got = [push.endpoint for push in double.received if push.plaintext]
    lost, more = len(wanted - set(got)), len(got) - len(wanted & set(got))
    return (
        f"{len(got)} arrived, {lost} lost, {more} too many, {len(double.rejected)} signed wrongly or refused"
    )


def is_finished(message_id: int) -> bool:
    from signalize_console.messaging.models import PushMessage

    return PushMessage.objects.get(pk=message_id).state == "finished"


if __name__ == "__main__":
    main()
