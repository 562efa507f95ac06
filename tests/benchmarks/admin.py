"""``make bench-admin``: every page of the console with a million recipients, ten million deliveries and a million
messages to one recipient each behind it.

Through the web server as in production, PostgreSQL with fsync. What counts is the time in Django, and the
number of queries. SCALE=100000 for a tenth. The pages and their filters come from the admin's own registry.
"""

import json
import os
import re
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.api import Servers
from tests.web import Web

RECIPIENTS = int(os.environ.get("SCALE", "1000000"))
MESSAGES, ROUNDS = 10, int(os.environ.get("ROUNDS", "20"))
TOKEN = "bench" + 27 * "0"
# What somebody asks for by a click, of all rows; while one edits, the number is an estimate.
EXACT = "a segment counted exactly, on demand"
LIMIT_MS, LIMIT_QUERIES = 300, 15
BUYERS = {
    "all": [
        {"field": "language", "op": "equals", "value": "de"},
        {"field": "event", "name": "order", "within": {"days": 30}},
    ]
}
SEED = """
INSERT INTO recipients_recipient
    (website_id, client_id, customer_id, language, time_zone, attributes, interests, created_at, seen_at)
SELECT %(website)s, md5(n::text), CASE WHEN n %% 3 = 0 THEN 'customer-' || n ELSE '' END,
    (ARRAY['de', 'en', 'fr', 'de-AT'])[1 + n %% 4], 'Europe/Berlin',
    jsonb_build_object('city', 'c' || n %% 100), ARRAY['i' || n %% 10],
    now() - make_interval(days => n %% 300), now() - make_interval(days => n %% 60)
FROM generate_series(1, %(recipients)s) n;
INSERT INTO recipients_subscription (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash, p256dh,
    auth, push_service, platform, state, ended_at, ended_reason, created_at)
SELECT website_id, id, %(key)s, 'https://push.example.net/' || id, sha256(id::text::bytea), '', '',
    (ARRAY['fcm', 'fcm', 'fcm', 'mozilla', 'apple', 'wns'])[1 + id %% 6],
    (ARRAY['windows', 'android', 'macos', 'ios'])[1 + id %% 4],
    CASE WHEN id %% 20 = 0 THEN 'unsubscribed' ELSE 'active' END, CASE WHEN id %% 20 = 0 THEN now() END, '',
    created_at FROM recipients_recipient;
"""
DELIVERIES = """
INSERT INTO deliveries_delivery (day, push_message_id, subscription_id, recipient_id, push_service, state, reason,
    status_code, attempts, due_at, answered_at, ended_in, created_at)
SELECT %(day)s, %(message)s, id, recipient_id, push_service,
    CASE WHEN id %% 997 = 0 THEN 'failed' WHEN id %% 89 = 0 THEN 'gone' ELSE 'accepted' END,
    CASE WHEN id %% 997 = 0 THEN 'too_large' WHEN id %% 89 = 0 THEN 'expired' ELSE '' END,
    201, 1, %(at)s, %(at)s, pg_current_xact_id()::text::bigint, %(at)s
FROM recipients_subscription;
"""
REPORTS = """
INSERT INTO activity_event (day, website_id, recipient_id, kind, push_message_id, delivery_id, properties, occurred_at)
SELECT delivery.day, %(website)s, recipient_id, kind, push_message_id, delivery.id,
    CASE WHEN kind = 'clicked' AND delivery.id %% 3 = 0 THEN '{"button": "button-1"}' ELSE '{}' END::jsonb,
    answered_at + make_interval(mins => (delivery.id %% 600)::int)
FROM deliveries_delivery delivery
JOIN (VALUES ('shown', 3), ('clicked', 40), ('closed', 9)) report (kind, every) ON delivery.id %% every = 0
WHERE push_message_id = %(message)s AND delivery.day = %(day)s AND state = 'accepted' AND push_service <> 'apple';
"""
# As a shop's orders make them: each of one delivery.
NAMED = """
WITH made AS (
    INSERT INTO messaging_pushmessage ({columns}) SELECT {columns} FROM messaging_pushmessage, generate_series(2, %(recipients)s)
    WHERE id = %(message)s RETURNING id
)
INSERT INTO messaging_pushmessagetext (push_message_id, {text_columns})
SELECT made.id, {text_columns} FROM made, messaging_pushmessagetext WHERE push_message_id = %(message)s;
"""
VISITS = """
INSERT INTO activity_event (day, website_id, recipient_id, kind, name, properties, occurred_at)
SELECT (now() - age)::date, website_id, id, kind, name, properties::jsonb, now() - age
FROM (SELECT id, website_id, make_interval(days => (id %% 28)::int, hours => (id %% 23)::int) AS age
      FROM recipients_recipient) recipient
JOIN (VALUES ('page_view', '', '{}', 2), ('event', 'order', '{"value": "49.90"}', 30), ('subscribed', '', '{}', 5),
             ('unsubscribed', '', '{}', 100), ('optin_shown', '', '{}', 3), ('optin_yes', '', '{}', 9),
             ('permission_granted', '', '{}', 11)) happened (kind, name, properties, every)
  ON recipient.id %% every = 0;
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        Path(directory).chmod(0o755)
        with Servers(Path(directory)):
            figures = measure()
    report.write("admin", figures)
    limited = [page for page in figures["pages"] if page["page"] != EXACT]
    slow = [page for page in limited if page["p95_ms"] > LIMIT_MS or page["queries"] > LIMIT_QUERIES]
    for page in slow:
        print(f"Above the limits: {page['page']}")
    sys.exit(bool(slow))


def measure() -> dict[str, Any]:
    import django

    django.setup()
    website, seeded = timed(seed)
    rolled, summed = timed(roll_up)
    figures = {
        "recipients": RECIPIENTS,
        "deliveries": RECIPIENTS * MESSAGES,
        "rollup_rows": rolled,
        "seeded_seconds": round(seeded),
        "rebuilt_rollups_seconds": round(summed),
    }
    print(", ".join(f"{name}: {value}" for name, value in figures.items()), flush=True)
    with Web(workers=1, threads=4, application="tests.benchmarks.admin_wsgi:application") as web:
        opener = log_in(web)
        pages = [ask(opener, web, path) for path in addresses(website)]
        edited = {"website": str(website.pk), "definition": json.dumps(segment().definition)}
        pages.append(ask(opener, web, "/admin/audiences/segment/preview/", edited))
        count = {"action": "recount", "_selected_action": str(segment().pk)}
        pages.append({**ask(opener, web, "/admin/audiences/segment/", count), "page": EXACT})
    report.table(
        ["page", "p50 ms", "p95 ms", "queries"],
        [[one["page"], one["p50_ms"], one["p95_ms"], one["queries"]] for one in pages],
    )
    return {**figures, "rounds": ROUNDS, "pages": pages}


def seed() -> Any:
    from django.db import connection
    from django.utils import timezone

    from signalize_console.audiences.models import Segment
    from signalize_console.deliveries import outbox
    from signalize_console.messaging.models import PushMessage, PushMessageText
    from signalize_console.recipients.models import Recipient
    from tests.makers import make_message, make_text, make_website

    website = make_website()
    Segment.objects.create(website=website, name="German buyers", definition=BUYERS)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "website": website.pk,
            "key": website.vapid_key.pk,
            "recipients": RECIPIENTS,
        }
        cursor.execute(SEED, values)
        cursor.execute("ANALYZE recipients_recipient, recipients_subscription")
        for number in range(MESSAGES):
            message_id = outbox.send(make_message(website), [make_text(title=f"Sale {number}")]).message_id
            message = PushMessage.objects.get(pk=message_id)
            values |= {"message": message_id, "day": message.day, "at": timezone.now()}
            cursor.execute(DELIVERIES, values)
            cursor.execute(REPORTS, values)
            PushMessage.objects.filter(pk=message_id).update(
                state="finished", due_at=None, total=RECIPIENTS, finished_at=timezone.now()
            )
            print(f"  {RECIPIENTS * (number + 1)} deliveries", flush=True)
        order = outbox.send(
            make_message(website), [make_text(title="Your order")], [Recipient.objects.first()]
        )
        PushMessage.objects.filter(pk=order.message_id).update(
            state="finished", due_at=None, finished_at=timezone.now()
        )
        columns, text_columns = columns_of(PushMessage), columns_of(PushMessageText, "push_message_id")
        named = NAMED.format(columns=columns, text_columns=text_columns)
        cursor.execute(named, {**values, "message": order.message_id})
        cursor.execute(VISITS, values)
        cursor.execute("VACUUM ANALYZE")
    return website


def columns_of(model: Any, *without: str) -> str:
    return ", ".join(
        field.column for field in model._meta.local_fields if field.column not in {"id", *without}
    )


def roll_up() -> int:
    from signalize_console.deliveries import rolling_up
    from signalize_console.deliveries.models import DailyCount

    rolling_up.rebuild()
    rolling_up.count_subscribers()
    return DailyCount.objects.count()


def addresses(website: Any) -> list[str]:
    """The dashboard, the reports, and of each model its list with each filter, a search and one row."""
    from django.contrib import admin  # noqa: TID251 - its registry names every page
    from django.urls import reverse

    from signalize_console.messaging.models import PushMessage
    from signalize_console.recipients.models import Recipient

    messages = list(PushMessage.objects.order_by("pk").values_list("pk", flat=True)[:MESSAGES])
    person = Recipient.objects.exclude(customer_id="").order_by("pk")[RECIPIENTS // 10]
    found = [
        "/admin/",
        *(f"/admin/reports/?days={days}" for days in (7, 30, 90, 364)),
        f"/admin/reports/message/{messages[0]}/",
        f"/admin/reports/message/{messages[-1]}/?csv=1",
        f"/admin/reports/compare/?{'&'.join(f'message={one}' for one in messages[:5])}",
    ]
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        path = reverse(f"admin:{name}_changelist")
        found.append(path)
        if model_admin.search_fields or hasattr(model_admin, "recipient_path"):
            found += [f"{path}?q={person.client_id}", f"{path}?q={person.customer_id}", f"{path}?q=nobody"]
        if (last := model._default_manager.order_by("-pk").first()) is not None:
            found.append(reverse(f"admin:{name}_change", args=[last.pk]))
    deliveries, events = "/admin/deliveries/delivery/", "/admin/activity/event/"
    half = RECIPIENTS * MESSAGES // 2
    found += [f"{deliveries}?state__exact={one}" for one in ("accepted", "failed", "suppressed", "pending")]
    found += [f"{deliveries}?push_service={one}" for one in ("apple", "other")]
    found += [f"{deliveries}?before={half}", f"{deliveries}?before={half}&state__exact=failed"]
    of_message = f"{deliveries}?push_message_id={messages[2]}"
    found += [
        of_message,
        *(f"{of_message}&state__exact={one}" for one in ("accepted", "failed", "suppressed")),
    ]
    found += [f"{of_message}&push_service={one}" for one in ("apple", "other")]
    found += [f"{events}?kind__exact={one}" for one in ("shown", "subscribed", "permission_denied")]
    found += [f"{events}?website__id__exact={website.pk}"]
    found += [f"/admin/recipients/subscription/?state__exact={one}" for one in ("unsubscribed", "expired")]
    found += ["/admin/recipients/subscription/?push_service=other"]
    found += [f"/admin/recipients/recipient/?before={RECIPIENTS // 2}"]
    listed = "/admin/messaging/pushmessage/"
    found += [f"{listed}?for={one}" for one in ("many", "named")]
    found += [f"{listed}?state__exact={one}" for one in ("finished", "draft")]
    found += [
        f"{listed}?website__id__exact={website.pk}",
        f"{listed}?before={RECIPIENTS // 2}",
        f"{listed}?tests=only",
    ]
    return found


class Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


def log_in(web: Web) -> urllib.request.OpenerDirector:
    """With a session as the login makes it, and a CSRF token of our own choice."""
    from django.contrib.auth.models import User
    from django.test import Client

    user = User.objects.create_superuser("bench", password="bench-bench-bench")
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    opener = urllib.request.build_opener(Unfollowed)
    opener.addheaders = [("Cookie", f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}")]
    return opener


def ask(
    opener: urllib.request.OpenerDirector, web: Web, path: str, data: dict[str, str] | None = None
) -> dict[str, Any]:
    took, queries, slowest = [], set(), ""
    body = urllib.parse.urlencode({**data, "csrfmiddlewaretoken": TOKEN}).encode() if data else None
    for number in range(ROUNDS + 2):
        try:
            answer = opener.open(web.origin + path, body, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            answer.read()
        if answer.status != 200 and not (data and answer.status == 302):
            raise SystemExit(f"{path} answers {answer.status} {answer.headers.get('Location', '')}")
        if number >= 2:  # the first ones fill caches and open connections
            took.append(1000 * float(answer.headers["X-Seconds"]))
            queries.add(int(answer.headers["X-Queries"]))
            slowest = max(slowest, answer.headers["X-Slowest"])
    name = re.sub(r"[0-9a-f]{32}", "…", path.removeprefix("/admin"))
    return {
        "page": name,
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(statistics.quantiles(took, n=20, method="inclusive")[18], 1),
        "queries": max(queries),
        "slowest_query": slowest,
    }


def segment() -> Any:
    from signalize_console.audiences.models import Segment

    return Segment.objects.get()


def timed(do: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    return do(), time.perf_counter() - started


if __name__ == "__main__":
    main()
