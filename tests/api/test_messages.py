"""Messages beyond one send: to an audience, rehearsed, listed, steered, counted."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from signalize_console.activity.cursors import CurrentTransaction
from signalize_console.api import examples
from signalize_console.api.errors import ErrorCode
from signalize_console.api.schedule import local_time
from signalize_console.deliveries import outbox, reports, tokens
from signalize_console.deliveries.models import Delivery, IdempotencyKey
from signalize_console.messaging.models import MessageTemplate, PushMessage
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.api.calling import SEND, TEXT, Api, body_for, read_six_fields
from tests.makers import make_message, make_recipient, make_subscription, make_text

AUDIENCE = "/v3/pushmessages"
TO_EVERYONE = {"webPush": {"webPushMessageTexts": [TEXT]}}
LATER = 4_000_000_000_000


def test_signalizes_documented_sample_is_taken_unchanged(api: Api, website: Website) -> None:
    make_subscription(website, recipient=make_recipient(website, interests=["Thema 1"]))

    response = api.post(examples.SIGNALIZE, AUDIENCE)

    assert response.status_code == 201
    said = response.json()
    assert isinstance(said["messageId"], int)
    # Its validUntil was in 2020.
    assert "validUntil" in said["warnings"][0]
    message = PushMessage.objects.get(pk=said["messageId"])
    text = message.texts.get()
    assert (text.title, text.message, text.language) == ("Hello World!", "This is a test-message.", "de")
    assert text.link == f"{website.origins[0]}/"
    assert message.audience == "segment"
    rehearsed = api.post({**examples.SIGNALIZE, "validUntil": LATER, "dryRun": True}, AUDIENCE)
    assert rehearsed.json()["deliveries"] == 1


def test_it_sends_to_everyone(api: Api) -> None:
    said = api.post(TO_EVERYONE, AUDIENCE).json()
    message = PushMessage.objects.get(pk=said["messageId"])
    assert set(said) == {"messageId"}
    assert (message.audience, message.state, message.transactional) == ("everyone", "scheduled", False)


def test_it_sends_to_a_segment_of_the_website_only(api: Api, website: Website) -> None:
    definition = {"field": "language", "op": "equals", "value": "de"}
    segment = api.send("POST", "/v3/segments", {"name": "German", "definition": definition}).json()
    said = api.post({**TO_EVERYONE, "segmentId": segment["segmentId"]}, AUDIENCE).json()
    message = PushMessage.objects.get(pk=said["messageId"])
    assert (message.audience, message.segment_id) == ("segment", segment["segmentId"])
    refused = api.post({**TO_EVERYONE, "segmentId": 999_999}, AUDIENCE)
    assert read_six_fields(refused, 422, ErrorCode.SEGMENT_UNKNOWN).startswith("segmentId")
    refused = api.post({**TO_EVERYONE, "segment": {"all": [{"field": "nothing"}]}}, AUDIENCE)
    assert read_six_fields(refused, 400, ErrorCode.INVALID_REQUEST).startswith("segment.all[0].field")


def test_it_leaves_out_segments_and_who_got_one_a_short_time_ago(api: Api, website: Website) -> None:
    german, english, tired = (make_recipient(website, language=one) for one in ("de", "en", "de"))
    for recipient in (german, english, tired):
        make_subscription(website, recipient=recipient)
    accepted = outbox.send(make_message(website), [make_text()], [tired])
    Delivery.objects.filter(push_message_id=accepted.message_id).update(
        state="accepted", answered_at=timezone.now() - datetime.timedelta(hours=2)
    )
    definition = {"field": "language", "op": "equals", "value": "en"}
    number = api.send("POST", "/v3/segments", {"name": "E", "definition": definition}).json()["segmentId"]
    body = {**TO_EVERYONE, "excludedSegmentIds": [number, number], "excludeRecentHours": 3}
    assert api.post({**body, "dryRun": True}, AUDIENCE).json()["deliveries"] == 1
    assert api.post({**body, "excludeRecentHours": 1, "dryRun": True}, AUDIENCE).json()["deliveries"] == 2
    message = PushMessage.objects.get(pk=api.post(body, AUDIENCE).json()["messageId"])
    assert (message.audience, message.rest_hours) == ("everyone", 3)
    assert [one.pk for one in message.excluded_segments.all()] == [number]

    refused = api.post({**TO_EVERYONE, "excludedSegmentIds": [number, 999_999]}, AUDIENCE)
    assert read_six_fields(refused, 422, ErrorCode.SEGMENT_UNKNOWN).startswith("excludedSegmentIds[1]")
    for wrong in ({"excludedSegmentIds": list(range(1, 12))}, {"excludeRecentHours": 0}):
        read_six_fields(api.post({**TO_EVERYONE, **wrong}, AUDIENCE), 400, ErrorCode.INVALID_REQUEST)


def test_signalizes_segment_filter_narrows_named_recipients(api: Api, website: Website) -> None:
    likes, other = (make_recipient(website, interests=interests) for interests in (["Thema 1"], []))
    for recipient in (likes, other):
        make_subscription(website, recipient=recipient)
    body = body_for({"clientId": likes.client_id}, {"clientId": other.client_id})
    said = api.post({**body, "segmentFilter": examples.SIGNALIZE["segmentFilter"]}).json()
    assert (said["recipients"], said["deliveries"]) == (1, 1)
    assert Delivery.objects.get().recipient_id == likes.pk


def test_a_rehearsal_stores_nothing(api: Api, reachable: dict[str, str]) -> None:
    unknown = {"clientId": "0" * 32}
    response = api.post({**body_for(reachable, unknown), "dryRun": True}, **{"Idempotency-Key": "k"})
    said = response.json()
    assert response.status_code == 200
    assert (said["recipients"], said["deliveries"]) == (1, 1)
    assert said["unreachable"] == [{**unknown, "reason": "unknown"}]
    assert said["rendered"][0]["notification"]["title"] == "Hello"
    for stored in (PushMessage, Delivery, IdempotencyKey):
        assert not stored.objects.exists()
    assert api.post({**TO_EVERYONE, "dryRun": True}, AUDIENCE).json()["deliveries"] == 1
    assert not PushMessage.objects.exists()
    refused = api.post({**body_for(reachable, message="漢" * 1000), "dryRun": True})
    read_six_fields(refused, 422, ErrorCode.NOT_ACCEPTED)


def test_a_template_has_an_id_of_its_own(api: Api) -> None:
    said = api.post(examples.TEMPLATE_BODY, AUDIENCE, **{"Idempotency-Key": "t"}).json()
    again = api.post(examples.TEMPLATE_BODY, AUDIENCE, **{"Idempotency-Key": "t"})
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (said, "true")
    assert said["messageId"] == said["templateId"] == MessageTemplate.objects.get().pk
    assert not PushMessage.objects.exists()
    assert api.post(TO_EVERYONE, AUDIENCE).json()["messageId"] > said["messageId"]
    read_six_fields(api.post(examples.TEMPLATE_BODY, AUDIENCE), 409, ErrorCode.NAME_TAKEN)


def test_links_get_their_utm_parameters(api: Api, reachable: dict[str, str]) -> None:
    body = body_for(reachable, link="https://shop.example/a?utm_source=mine&x=1#top")
    body["webPush"]["utm"] = {"source": "push", "campaign": "a&b"}
    api.post(body)
    text = PushMessage.objects.get().texts.get()
    assert text.link == "https://shop.example/a?utm_source=mine&x=1&utm_campaign=a%26b#top"


@pytest.mark.parametrize(
    ("written", "zone", "utc"),
    [
        ("2026-12-24T09:00", "Europe/Berlin", "2026-12-24T08:00"),
        ("2026-07-24T09:00", "Europe/Berlin", "2026-07-24T07:00"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30"),  # The clock skips it.
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),  # It comes twice.
        ("2026-07-24T09:00", "UTC", "2026-07-24T09:00"),
    ],
)
def test_a_local_time_is_a_moment(written: str, zone: str, utc: str) -> None:
    assert f"{local_time(written, zone):%Y-%m-%dT%H:%M}" == utc


@pytest.mark.parametrize(
    "schedule",
    [
        {},
        {"sendAt": "soon"},
        {"sendAt": 1, "timeZone": "UTC"},
        {"localTime": "2026-12-24T09:00"},
        {"localTime": "tomorrow", "timeZone": "UTC"},
        {"localTime": "2026-12-24T09:00", "timeZone": "../../etc/passwd"},
        {"localTime": "2026-12-24T09:00", "timeZone": "Mars/Base"},
        {"localTime": 5, "timeZone": 5},
        [],
    ],
)
def test_a_schedule_that_nobody_understands_is_refused(api: Api, schedule: Any) -> None:
    refused = api.post({**TO_EVERYONE, "schedule": schedule}, AUDIENCE)
    assert read_six_fields(refused, 400, ErrorCode.INVALID_REQUEST).startswith("schedule")


def test_messages_are_listed_by_cursor(api: Api, website: Website) -> None:
    ids = [outbox.send(make_message(website), [make_text()]).message_id for _ in range(5)]
    PushMessage.objects.filter(pk=ids[0]).update(state="finished")
    found, cursor = [], ""
    for _page in range(3):
        said = api.get(f"{AUDIENCE}?limit=2{cursor and f'&cursor={cursor}'}").json()
        found += [one["messageId"] for one in said["items"]]
        cursor = said["nextCursor"]
        outbox.send(make_message(website), [make_text()])  # What comes in meanwhile moves nothing.
    assert (found, cursor) == (ids[::-1], None)
    finished = api.get(f"{AUDIENCE}?state=finished").json()["items"]
    assert [one["messageId"] for one in finished] == [ids[0]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1000", "limit=x", "cursor=x", "cursor=%00", "state=x", "stat=sending"]
)
def test_a_bad_parameter_is_named(api: Api, query: str) -> None:
    message = read_six_fields(api.get(f"{AUDIENCE}?{query}"), 400, ErrorCode.INVALID_REQUEST)
    assert message.startswith(query.split("=", maxsplit=1)[0])


@pytest.mark.django_db(transaction=True)
def test_a_message_is_paused_resumed_and_cancelled(api: Api, reachable: dict[str, str]) -> None:
    message = api.post(body_for(reachable)).json()["messageId"]
    path = f"{AUDIENCE}/{message}"
    states = []
    for action in ("pause", "resume", "cancel"):
        response = api.send("PATCH", path, {"action": action})
        states.append((response.status_code, response.json()["state"]))
    assert states == [(200, "paused"), (200, "sending"), (200, "cancelled")]
    said = read_six_fields(api.send("PATCH", path, {"action": "resume"}), 409, ErrorCode.STATE_CONFLICT)
    assert "cancelled" in said


def test_a_message_that_waits_is_moved_with_its_deliveries(api: Api, reachable: dict[str, str]) -> None:
    start = timezone.now().replace(microsecond=0)
    moments = [start + datetime.timedelta(days=days) for days in (1, 2)]
    sent = {**body_for(reachable), "sendAt": int(moments[0].timestamp() * 1000)}
    message = api.post(sent).json()["messageId"]
    path = f"{AUDIENCE}/{message}"
    said = api.send("PATCH", path, {"sendAt": int(moments[1].timestamp() * 1000)}).json()
    assert said["sendAt"] == moments[1].timestamp() * 1000
    row, delivery = PushMessage.objects.get(), Delivery.objects.get()
    assert (row.due_at, delivery.due_at) == (moments[1], moments[1])
    assert row.valid_until == moments[1] + datetime.timedelta(seconds=row.ttl)
    PushMessage.objects.update(state="sending")
    read_six_fields(api.send("PATCH", path, {"sendAt": LATER}), 409, ErrorCode.STATE_CONFLICT)


def test_a_message_is_not_moved_beyond_its_end(api: Api, reachable: dict[str, str]) -> None:
    soon, end = ((timezone.now() + datetime.timedelta(hours=hours)).timestamp() * 1000 for hours in (1, 2))
    sent = {**body_for(reachable), "sendAt": int(soon), "validUntil": int(end)}
    path = f"{AUDIENCE}/{api.post(sent).json()['messageId']}"
    said = read_six_fields(api.send("PATCH", path, {"sendAt": int(end)}), 422, ErrorCode.NOT_ACCEPTED)
    assert "validUntil" in said


@pytest.mark.parametrize("body", [{}, {"action": "stop"}, {"action": "pause", "sendAt": LATER}, {"x": 1}, []])
def test_a_change_that_nobody_understands_is_refused(api: Api, reachable: dict[str, str], body: Any) -> None:
    path = f"{AUDIENCE}/{api.post(body_for(reachable)).json()['messageId']}"
    read_six_fields(api.send("PATCH", path, body), 400, ErrorCode.INVALID_REQUEST)


@pytest.fixture
def four_deliveries(api: Api, website: Website) -> list[Delivery]:
    """One message: two accepted (one shown, one clicked), one gone, one whose recipient was erased."""
    recipients = [make_recipient(website, language=language) for language in ("de-AT", "de", "en", "")]
    for recipient, service in zip(recipients, ["fcm", "fcm", "mozilla", "mozilla"], strict=True):
        make_subscription(website, recipient=recipient, push_service=service)
    api.post(body_for(*({"clientId": one.client_id} for one in recipients)))
    deliveries = list(Delivery.objects.order_by("recipient_id"))
    for delivery, state, reason in zip(
        deliveries, ["accepted", "accepted", "gone", "failed"], ["", "", "expired", "too_large"], strict=True
    ):
        ended = Delivery.objects.filter(pk=delivery.pk)
        ended.update(state=state, reason=reason, ended_in=CurrentTransaction())
    reports.report(tokens.make(deliveries[0].pk, deliveries[0].day), "shown")
    reports.report(tokens.make(deliveries[1].pk, deliveries[1].day), "clicked")
    Recipient.objects.filter(pk=recipients[3].pk).delete()
    return deliveries


def test_statistics_are_broken_down(api: Api, four_deliveries: list[Delivery]) -> None:
    message = four_deliveries[0].push_message_id
    said = api.get(f"{AUDIENCE}/{message}/statistics").json()
    german = {"targeted": 2, "accepted": 2, "shown": 1, "clicked": 1, "closed": 0}
    nothing = {"targeted": 1, "accepted": 0, "shown": 0, "clicked": 0, "closed": 0}
    assert said == {
        "messageId": message,
        "byPushService": {"fcm": german, "mozilla": {**nothing, "targeted": 2}},
        "byLanguage": {"de": german, "en": nothing, "": nothing},
        "byVariant": {},
        "failedByReason": {"expired": 1, "too_large": 1},
    }


def test_deliveries_are_listed_by_cursor_and_name_no_erased_recipient(
    api: Api, four_deliveries: list[Delivery], django_assert_num_queries: Any
) -> None:
    path = f"{AUDIENCE}/{four_deliveries[0].push_message_id}/deliveries"
    first = api.get(f"{path}?limit=3").json()
    second = api.get(f"{path}?limit=3&cursor={first['nextCursor']}").json()
    items = [*first["items"], *second["items"]]
    assert {one["deliveryId"] for one in items} == {one.pk for one in four_deliveries}
    assert (len(second["items"]), second["nextCursor"]) == (1, None)
    assert [one["clientId"] for one in items if one["reason"] == "too_large"] == [None]
    assert [one["shown"] for one in items].count(True) == 1
    gone = api.get(f"{path}?state=gone").json()["items"]
    assert [one["reason"] for one in gone] == ["expired"]
    for limit in (1, 4):
        with django_assert_num_queries(6):
            api.get(f"{path}?limit={limit}")


def test_statistics_by_day(api: Api, four_deliveries: list[Delivery]) -> None:
    today = four_deliveries[0].day
    days = api.get("/v3/statistics").json()["days"]
    assert len(days) == 30
    assert days[-1] == {
        "day": today.isoformat(), "messages": 1, "targeted": 4, "accepted": 2, "shown": 1, "clicked": 1,
        "closed": 0, "subscribed": 0, "unsubscribed": 0,
    }  # fmt: skip
    assert not any(count for day in days[:-1] for name, count in day.items() if name != "day")
    for query in ("from=2026-02-30", "from=2026-01-02&to=2026-01-01", "from=2020-01-01", "form=2026-01-01"):
        read_six_fields(api.get(f"/v3/statistics?{query}"), 400, ErrorCode.INVALID_REQUEST)


@pytest.mark.parametrize(("last", "count"), [("0001-01-05", 5), ("9999-12-31", 30)])
def test_statistics_reach_to_the_ends_of_the_calendar(api: Api, last: str, count: int) -> None:
    days = api.get(f"/v3/statistics?to={last}").json()["days"]
    assert (len(days), days[-1]["day"]) == (count, last)


def test_the_body_may_carry_the_idempotency_key(api: Api, reachable: dict[str, str]) -> None:
    first = api.post({**body_for(reachable), "idempotencyKey": "order-1"})
    again = api.post(body_for(reachable), **{"Idempotency-Key": "order-1"})
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    both = api.post({**body_for(reachable), "idempotencyKey": "a"}, **{"Idempotency-Key": "b"})
    read_six_fields(both, 400, ErrorCode.INVALID_REQUEST)
    elsewhere = api.post({**TO_EVERYONE, "idempotencyKey": "order-1"}, AUDIENCE)
    read_six_fields(elsewhere, 422, ErrorCode.IDEMPOTENCY_KEY_REUSED)
    assert api.post({}, SEND).json()["errors"][0]["field"] == "recipients"


def test_a_replay_is_what_was_said_though_the_world_has_moved_on(api: Api, reachable: dict[str, str]) -> None:
    first = api.post(body_for(reachable), **{"Idempotency-Key": "k"})
    Recipient.objects.all().delete()
    assert api.post(body_for(reachable), **{"Idempotency-Key": "k"}).json() == first.json()
