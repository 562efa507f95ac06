"""A garden shop with a season behind it, so that the console's pages show what they show a real one.

Runs inside of a console that was just started: ``from tests.browsers import season; season.grow()``.
"""

import datetime
import io
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.audiences.models import RecipientList, Segment
from signalize_console.console import audit
from signalize_console.console.reviewing import reach_of
from signalize_console.deliveries import outbox, rolling_up
from signalize_console.deliveries.alerts import Alert
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging import pictures
from signalize_console.messaging.media import Media
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.recipients.models import Recipient
from signalize_console.webhooks import endpoints
from signalize_console.websites import asking
from signalize_console.websites.models import ConsentText, Interest, Website

SUBSCRIBERS = 2_400
EN, DE = "en", "de"
# Days ago, title and message in English and German, every how manieth clicks.
SENT = [
    (27, ("Spring bulbs are here", "Tulips, daffodils, crocuses."), ("Die Zwiebeln sind da", "Tulpen, Narzissen, Krokusse."), 14),
    (20, ("Free delivery this week", "On every order above 30 €."), ("Diese Woche versandfrei", "Ab 30 € Bestellwert."), 11),
    (13, ("New: roses that smell", "Twelve old sorts, freshly dug."), ("Neu: Rosen, die duften", "Zwölf alte Sorten, frisch gegraben."), 9),
    (6, ("Frost tonight", "Bring your pots inside before eight."), ("Heute Nacht friert es", "Holen Sie Ihre Töpfe vor acht herein."), 5),
    (2, ("Autumn sale: 20 % off all bulbs", "Only until Sunday."), ("Herbstangebot: 20 % auf Zwiebeln", "Nur bis Sonntag."), 7),
]  # fmt: skip
BUYERS = {
    "all": [
        {"field": "language", "op": "equals", "value": "en"},
        {
            "any": [
                {"field": "purchase", "op": "atLeast", "value": 1, "within": {"days": 30}},
                {"field": "attribute", "name": "vip", "type": "boolean", "op": "equals", "value": True},
            ]
        },
        {"not": {"field": "lastMessage", "op": "after", "value": {"hoursAgo": 3}}},
    ]
}
GERMAN = {"field": "language", "op": "equals", "value": "de"}
PEOPLE = """
INSERT INTO recipients_recipient
    (website_id, client_id, customer_id, language, time_zone, attributes, interests, created_at, seen_at)
SELECT %(website)s, md5('visitor' || n), CASE WHEN n %% 3 = 0 THEN 'C-' || (41000 + n) ELSE '' END,
    (ARRAY['de', 'en', 'de', 'en', 'de-AT'])[1 + n %% 5], (ARRAY['Europe/Berlin', 'Europe/London', 'Europe/Vienna'])[1 + n %% 3],
    jsonb_build_object('first_name', (ARRAY['Ada', 'Ben', 'Clara', 'Deniz', 'Emil', 'Fatima'])[1 + n %% 6],
        'city', (ARRAY['Hamburg', 'London', 'Wien', 'Leipzig'])[1 + n %% 4], 'vip', n %% 9 = 0),
    CASE WHEN n %% 2 = 0 THEN ARRAY['sale'] ELSE ARRAY['sale', 'new'] END,
    now() - make_interval(days => 1 + n %% 29, hours => n %% 20), now() - make_interval(hours => n %% 200)
FROM generate_series(1, %(people)s) n;
INSERT INTO recipients_subscription (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash, p256dh,
    auth, push_service, platform, state, ended_at, ended_reason, created_at, seen_at)
SELECT website_id, id, %(key)s, 'https://push.example.net/' || id, sha256(id::text::bytea), '', '',
    (ARRAY['fcm', 'fcm', 'fcm', 'mozilla', 'apple', 'wns'])[1 + id %% 6],
    (ARRAY['windows', 'android', 'macos', 'ios'])[1 + id %% 4],
    CASE WHEN id %% 23 = 0 THEN 'unsubscribed' ELSE 'active' END,
    CASE WHEN id %% 23 = 0 THEN now() - make_interval(days => (id %% 20)::int) END, '', created_at, seen_at
FROM recipients_recipient WHERE website_id = %(website)s;
INSERT INTO activity_event (day, website_id, recipient_id, kind, name, properties, occurred_at)
SELECT (created_at + age)::date, website_id, id, kind, name, properties::jsonb, created_at + age
FROM (SELECT id, website_id, created_at, make_interval(mins => (id %% 50)::int) AS age
      FROM recipients_recipient WHERE website_id = %(website)s) recipient
JOIN (VALUES ('page_view', '', '{}', 1), ('event', 'order', '{"value": "49.90"}', 11), ('subscribed', '', '{}', 1),
             ('unsubscribed', '', '{}', 60), ('optin_shown', '', '{}', 1), ('optin_yes', '', '{}', 2),
             ('permission_granted', '', '{}', 3)) happened (kind, name, properties, every)
  ON recipient.id %% every = 0;
"""
AGREED = """
INSERT INTO recipients_consent (website_id, client_id_hash, kind, text_version, origin, occurred_at)
SELECT website_id, sha256(client_id::bytea), kind, CASE kind WHEN 'given' THEN %(version)s ELSE '' END,
    'https://shop.example.com/' || (ARRAY['', 'bulbs', 'roses', 'sale'])[1 + id %% 4],
    CASE kind WHEN 'given' THEN created_at ELSE created_at + interval '1 day' END
FROM recipients_recipient, (VALUES ('given', 1), ('withdrawn', 23)) said (kind, every)
WHERE website_id = %(website)s AND id %% every = 0
ORDER BY 6;
"""
TOLD = """
INSERT INTO webhooks_webhookdelivery (endpoint_id, webhook_id, kind, recipient_id, facts, occurred_at, state, give_up_at,
    attempts, status_code, reason, answer, milliseconds, answered_at, created_at)
SELECT %(endpoint)s, 'evt_' || substr(md5(id::text), 1, 20), CASE WHEN id %% 23 = 0 THEN 'unsubscribed' ELSE 'clicked' END, id,
    '{}', seen_at, CASE WHEN id %% 97 = 0 THEN 'failed' ELSE 'delivered' END, seen_at + interval '3 days',
    CASE WHEN id %% 31 = 0 THEN 3 ELSE 1 END, CASE WHEN id %% 97 = 0 THEN 422 ELSE 204 END,
    CASE WHEN id %% 97 = 0 THEN 'status_422' ELSE '' END, CASE WHEN id %% 97 = 0 THEN 'Unknown customer' ELSE '' END,
    40 + (id %% 90)::int, seen_at + interval '1 second', seen_at
FROM recipients_recipient WHERE website_id = %(website)s AND seen_at > now() - interval '2 days' ORDER BY seen_at;
"""
RAN = """
INSERT INTO automations_run (rule_id, version_id, recipient_id, trigger, triggered_at, facts, state, step, why, due_at, moved_at, ended_at)
SELECT version.rule_id, version.id, recipient.id, 'event:' || recipient.id, recipient.seen_at, '{"product": "Tulip bulbs, 50"}',
    state, step, '', CASE state WHEN 'waiting' THEN now() + interval '6 hours' END, recipient.seen_at + interval '1 hour',
    CASE state WHEN 'waiting' THEN NULL ELSE recipient.seen_at + interval '1 hour' END
FROM recipients_recipient recipient
JOIN (VALUES (0, 'finished', 3), (1, 'finished', 3), (2, 'cancelled', 1), (3, 'waiting', 2), (4, 'finished', 3)) run (part, state, step)
  ON recipient.id / 7 %% 5 = part, (SELECT id, rule_id FROM automations_ruleversion ORDER BY id DESC LIMIT 1) version
WHERE recipient.website_id = %(website)s AND recipient.seen_at > now() - interval '2 days'
ORDER BY recipient.seen_at;
"""
SUBSCRIBED = """
INSERT INTO deliveries_subscribercount (website_id, day, count)
SELECT %(website)s, day::date, (SELECT count(*) FROM recipients_subscription WHERE state = 'active' AND created_at < day)
FROM generate_series(current_date - 29, current_date - 1, interval '1 day') day;
"""
DELIVERED = """
INSERT INTO deliveries_delivery (day, push_message_id, subscription_id, recipient_id, push_service, state, reason,
    status_code, attempts, due_at, answered_at, ended_in, created_at)
SELECT %(day)s, %(message)s, id, recipient_id, push_service,
    CASE WHEN id %% %(part)s <> 0 THEN 'pending' WHEN id %% 397 = 0 THEN 'failed' WHEN id %% 89 = 0 THEN 'gone'
        ELSE 'accepted' END,
    CASE WHEN id %% %(part)s <> 0 THEN '' WHEN id %% 397 = 0 THEN 'too_large' WHEN id %% 89 = 0 THEN 'expired' ELSE '' END,
    CASE WHEN id %% %(part)s = 0 THEN 201 END, (id %% %(part)s = 0)::int,
    CASE WHEN id %% %(part)s = 0 THEN %(at)s ELSE now() + interval '2 hours' END,
    CASE WHEN id %% %(part)s = 0 THEN %(at)s::timestamptz END,
    CASE WHEN id %% %(part)s = 0 THEN pg_current_xact_id()::text::bigint END, %(at)s
FROM recipients_subscription WHERE website_id = %(website)s AND state = 'active' AND created_at < %(at)s;
INSERT INTO activity_event (day, website_id, recipient_id, kind, push_message_id, delivery_id, properties, occurred_at)
SELECT delivery.day, %(website)s, recipient_id, kind, push_message_id, delivery.id,
    CASE WHEN kind = 'clicked' AND delivery.id %% 3 = 0 THEN '{"button": "button-1"}' ELSE '{}' END::jsonb,
    answered_at + make_interval(mins => (delivery.id %% 600)::int)
FROM deliveries_delivery delivery
JOIN (VALUES ('shown', 1), ('clicked', %(clicks)s), ('closed', 6)) report (kind, every) ON delivery.id %% every = 0
WHERE push_message_id = %(message)s AND delivery.day = %(day)s AND state = 'accepted' AND push_service <> 'apple'
  AND answered_at + make_interval(mins => (delivery.id %% 600)::int) < now();
"""
TRIED = """
UPDATE deliveries_delivery SET variant = CASE id / 2 %% 2 WHEN 0 THEN 'A' ELSE 'B' END
WHERE push_message_id = %(message)s AND day = %(day)s AND id %% 2 = 0;
DELETE FROM activity_event event USING deliveries_delivery delivery
WHERE event.delivery_id = delivery.id AND event.day = delivery.day AND event.push_message_id = %(message)s
  AND event.kind = 'clicked' AND delivery.variant = 'A' AND delivery.id %% 3 <> 0;
"""


@transaction.atomic
def grow() -> dict[str, int]:
    """The ids of what the pictures show."""
    website = Website.objects.get(name="Demo shop")
    with connection.cursor() as cursor:
        values = {"website": website.pk, "key": website.vapid_key.pk, "people": SUBSCRIBERS}
        cursor.execute(PEOPLE, values)
        cursor.execute(SUBSCRIBED, values)
        icon = _pictures(website)
        segments = _audiences(website)
        for days, *said, clicks in SENT:
            _send(cursor, website, said, icon, days=days, clicks=clicks)
        _send(
            cursor,
            website,
            (
                ("Gift vouchers by e-mail", "For whoever has a garden."),
                ("Gutscheine per E-Mail", "Für alle mit Garten."),
            ),
            icon,
            days=0,
            clicks=4,
            part=3,
        )
        _try_two_texts(cursor)
    _planned(website, segments, icon)
    _set_up(website)
    rolling_up.rebuild()
    rolling_up.count_subscribers()
    finished = PushMessage.objects.filter(state="finished").order_by("-pk").values_list("pk", flat=True)
    others = PushMessage.objects.exclude(state="finished").values_list("state", "pk")
    recipient = Recipient.objects.filter(subscriptions__state="active").latest("pk")
    delivery = Delivery.objects.filter(state="failed").latest("pk")
    return {
        **dict(others),
        "finished": finished[0],
        "before": finished[1],
        "recipient": recipient.pk,
        "delivery": delivery.pk,
    }


def ran() -> None:
    """The newest automation, as if it had been on for two days."""
    with connection.cursor() as cursor:
        cursor.execute(RAN, {"website": Website.objects.get(name="Demo shop").pk})


def _text(language: str, said: tuple[str, str]) -> PushMessageText:
    title, message = said
    buttons = {EN: ("Show me", "Remind me"), DE: ("Ansehen", "Später")}[language]
    return PushMessageText(
        language=language, standard=language == EN, title=title, message=message,
        link="https://shop.example.com/sale", first_button=buttons[0], second_button=buttons[1],
    )  # fmt: skip


def _send(
    cursor: Any, website: Website, said: Any, icon: dict[str, str], *, days: int, clicks: int, part: int = 1
) -> None:
    """To all, and long done; or, with a ``part``, still on its way to all but each so manieth."""
    at = timezone.now() - datetime.timedelta(days=days, hours=1 if part == 1 else 0, minutes=4)
    message = PushMessage(website=website, icon=icon["icon"], image=icon["image"], sent_by="Mara Lindt")
    message.scheduled_at = timezone.now() + datetime.timedelta(days=3)
    sent = outbox.send(message, [_text(EN, said[0]), _text(DE, said[1])])
    values = {"website": website.pk, "message": sent.message_id, "day": at.date(), "at": at, "clicks": clicks}
    cursor.execute(DELIVERED, {**values, "part": part})
    total = Delivery.objects.filter(push_message_id=sent.message_id).count()
    ended = {"state": "finished", "due_at": None, "finished_at": at + datetime.timedelta(minutes=3)}
    going = {"state": "sending", "due_at": timezone.now() + datetime.timedelta(hours=2)}
    PushMessage.objects.filter(pk=sent.message_id).update(
        day=at.date(), scheduled_at=None, started_at=at, created_at=at, total=total, expand_at=None,
        valid_until=timezone.now() + datetime.timedelta(days=2) if part > 1 else at + datetime.timedelta(days=1),
        **(ended if part == 1 else going),
    )  # fmt: skip


def _try_two_texts(cursor: Any) -> None:
    """Half of those who got the latest sale read another text, which was clicked more, and so did the rest."""
    message = PushMessage.objects.filter(state="finished").latest("pk")
    for text in message.texts.all():
        text.pk, text.variant, text.title = (
            None,
            "B",
            {EN: "20 % off all bulbs", DE: "20 % auf Zwiebeln"}[text.language],
        )
        text.save()
    PushMessage.objects.filter(pk=message.pk).update(
        varied=True, winner="B", split_percent=50, canary_phase="over"
    )
    cursor.execute(TRIED, {"message": message.pk, "day": message.day})


def _pictures(website: Website) -> dict[str, str]:
    """Drawn flowers, and where they are served."""
    drawn = {}
    for kind, (width, height), name in (
        ("icon", (256, 256), "shop.png"),
        ("image", (720, 360), "autumn.png"),
        ("image", (722, 360), "roses.png"),
    ):
        ground = (
            (198, 104, 44) if name == "autumn.png" else (31, 111, 92) if kind == "icon" else (142, 42, 76)
        )
        image = Image.new("RGB", (width, height), ground)
        draw = ImageDraw.Draw(image)
        for number in range(7 if kind == "image" else 1):
            x, y = (
                (width // 2, height // 2) if kind == "icon" else (60 + number * 100, 130 + number * 37 % 120)
            )
            r = 62 if kind == "icon" else 40
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                draw.ellipse(
                    (
                        x + dx * r * 0.7 - r / 1.4,
                        y + dy * r * 0.7 - r / 1.4,
                        x + dx * r * 0.7 + r / 1.4,
                        y + dy * r * 0.7 + r / 1.4,
                    ),
                    fill=(255, 246, 224),
                )
            draw.ellipse((x - r / 2, y - r / 2, x + r / 2, y + r / 2), fill=(255, 201, 77))
        file = io.BytesIO()
        image.save(file, "PNG")
        file.seek(0)
        kept = Media.keep(
            website, kind, pictures.cleaned(file, file.getbuffer().nbytes, kind), name=name, by="Mara Lindt"
        )
        drawn.setdefault(kind, website.origins[0] + kept.path)
    return drawn


def _audiences(website: Website) -> list[Segment]:
    segments = [
        Segment.objects.create(website=website, name=name, definition=definition)
        for name, definition in (("Buyers who had a rest", BUYERS), ("German speakers", GERMAN))
    ]
    for segment in segments:
        segment.recount(timezone.now())
    RecipientList.objects.create(website=website, name="Winners of the spring raffle")
    return segments


def _planned(website: Website, segments: list[Segment], icon: dict[str, str]) -> None:
    for name, first, last, role in (
        ("mara", "Mara", "Lindt", "Marketer"),
        ("omar", "Omar", "Haddad", "Approver"),
        ("ines", "Ines", "Roth", "Auditor"),
    ):
        user = User.objects.create_user(
            name, f"{name}@shop.example", "x", first_name=first, last_name=last, is_staff=True
        )
        user.groups.add(Group.objects.get(name=role))
    later = timezone.now() + datetime.timedelta(days=2)
    said = (
        ("Advent calendar starts", "A small surprise, every day."),
        ("Der Adventskalender beginnt", "Jeden Tag eine kleine Überraschung."),
    )
    outbox.send(
        PushMessage(
            website=website,
            segment=segments[1],
            scheduled_at=later,
            time_zone="Europe/Berlin",
            icon=icon["icon"],
            sent_by="Mara Lindt",
        ),
        [_text(EN, said[0]), _text(DE, said[1])],
    )
    for title, state in (
        ("Winter feed for birds", "awaiting_approval"),
        ("Christmas trees, dug to order", "draft"),
    ):
        message = PushMessage(
            website=website,
            segment=segments[0],
            icon=icon["icon"],
            image=icon["image"],
            state=state,
            sent_by="Mara Lindt" if state == "awaiting_approval" else "",
        )
        message.save()
        message.expected = reach_of(message).count
        message.save()
        for language, words in (
            (EN, (title, "In stock now, and delivered in two days.")),
            (DE, (f"{title} (deutsch)", "Jetzt auf Lager, in zwei Tagen bei Ihnen.")),
        ):
            text = _text(language, words)
            text.push_message = message
            text.save()
            if state == "draft":
                text.pk, text.variant, text.title = (
                    None,
                    "B",
                    {EN: "Fresh from the field", DE: "Frisch vom Feld"}[language],
                )
                text.save()


def _set_up(website: Website) -> None:
    ApiKey.issue(website, "ERP", EVERYTHING, by="admin")
    hooks = endpoints.create(website, "https://crm.example.com/hooks/push", ["clicked", "unsubscribed"])
    opt_in = asking.opt_in_of(website)
    for key, name, german in (
        ("sale", "Sales and offers", "Angebote"),
        ("new", "New plants", "Neue Pflanzen"),
    ):
        Interest.objects.create(opt_in=opt_in, key=key, name=name, names={"de": german})
    asking.publish(opt_in)
    version = str(ConsentText.objects.filter(website=website).latest("pk").version)
    values = {"website": website.pk, "version": version, "endpoint": hooks.endpoint.pk}
    with connection.cursor() as cursor:
        cursor.execute(AGREED, values)
        cursor.execute(TOLD, values)
    Alert.objects.create(
        website=website, kind="configuration", push_service="apple", status_code=403, reason="bad_jwt",
        answer='{"reason":"BadJwtToken"}',
    )  # fmt: skip
    mara = User.objects.get(username="mara")
    for action, kind, detail in (
        ("changed", "messaging.pushmessage", "Autumn sale"),
        ("send", "messaging.pushmessage", "Autumn sale"),
        ("added", "audiences.segment", "German speakers"),
    ):
        audit.record(mara, action, kind, 1, detail=detail)
