"""Every row of the table of answers, one by one, through the whole engine: what becomes of everything."""

import os
from collections.abc import Callable
from typing import NamedTuple

import pytest

from signalize_console.deliveries import dispatch, outbox
from signalize_console.deliveries.alerts import Alert
from signalize_console.deliveries.lanes import REFUSALS_IN_A_ROW
from signalize_console.deliveries.models import Attempt, Delivery
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.webpush.outcomes import ROWS, outcome_of
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import make_old
from tests.makers import make_message, make_text

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]


class Case(NamedTuple):
    """An answer and what must become of a marketing delivery, its subscription, the breaker and the alerts."""

    service: str
    status: int
    said: str
    state: str
    reason: str
    subscription: str = "active"
    is_outage: bool = False
    alert: str = ""


OURS = "configuration"
UNAUTHORIZED = '{"code":401,"errno":109,"error":"Unauthorized","message":"%s"}'
CREDENTIALS = "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions."
CASES = [
    # FCM
    Case("fcm", 201, "", "accepted", ""),
    Case("fcm", 200, "", "accepted", ""),
    Case("fcm", 202, "", "accepted", ""),
    Case("fcm", 400, "UnauthorizedRegistration", "pending", "vapid_key_mismatch", "mismatched"),
    Case("fcm", 400, "payload too large", "failed", "too_large", alert=OURS),
    Case("fcm", 400, "invalid JWT provided", "pending", "bad_jwt", alert=OURS),
    Case("fcm", 400, "<html>", "failed", "bad_request", alert=OURS),
    Case("fcm", 401, "", "pending", "unauthorized", alert=OURS),
    Case("fcm", 403, CREDENTIALS, "pending", "vapid_key_mismatch", "mismatched"),
    Case("fcm", 403, "invalid push subscription endpoint", "pending", "invalid_endpoint"),
    Case("fcm", 403, "the key in the authorization header does not match the aud claim", "pending", "bad_jwt", alert=OURS),
    Case("fcm", 403, "", "pending", "forbidden", alert=OURS),
    Case("fcm", 404, "A valid push subscription endpoint should be specified in the URL", "gone", "not_found", "quarantined"),
    Case("fcm", 410, "push subscription has unsubscribed or expired.", "gone", "unsubscribed", "quarantined"),
    Case("fcm", 413, "", "failed", "too_large", alert=OURS),
    Case("fcm", 429, "", "pending", "throttled", alert="throttled"),
    Case("fcm", 500, "", "pending", "server_error", is_outage=True),
    Case("fcm", 502, "", "pending", "bad_gateway", is_outage=True),
    Case("fcm", 503, "", "pending", "unavailable", is_outage=True),
    Case("fcm", 504, "", "pending", "gateway_timeout", is_outage=True),
    Case("fcm", 599, "", "pending", "server_error", is_outage=True),
    Case("fcm", 301, "", "failed", "redirect", alert=OURS),
    Case("fcm", 307, "", "failed", "redirect", alert=OURS),
    Case("fcm", 418, "", "failed", "unexpected_status", alert=OURS),
    # Mozilla
    Case("mozilla", 201, "", "accepted", ""),
    Case("mozilla", 202, "", "accepted", ""),
    Case("mozilla", 400, '{"errno":101}', "failed", "bad_encryption", alert=OURS),
    Case("mozilla", 400, '{"errno":110}', "failed", "bad_encryption", alert=OURS),
    Case("mozilla", 400, '{"errno":108}', "failed", "bad_router", alert=OURS),
    Case("mozilla", 400, '{"errno":111}', "failed", "bad_ttl", alert=OURS),
    Case("mozilla", 400, '{"errno":112}', "failed", "bad_ttl", alert=OURS),
    Case("mozilla", 400, '{"errno":113}', "failed", "bad_topic", alert=OURS),
    Case("mozilla", 400, '{"errno":114}', "failed", "bad_ttl", alert=OURS),
    Case("mozilla", 401, UNAUTHORIZED % "VAPID public key mismatch", "pending", "vapid_key_mismatch", "mismatched"),
    Case("mozilla", 401, UNAUTHORIZED % "Request did not validate", "pending", "bad_jwt", alert=OURS),
    Case("mozilla", 403, "key mismatch", "pending", "vapid_key_mismatch", "mismatched"),
    Case("mozilla", 404, '{"errno":102}', "gone", "not_found", "quarantined"),
    Case("mozilla", 410, '{"errno":103}', "gone", "expired", "quarantined"),
    Case("mozilla", 410, '{"errno":105}', "gone", "went_away", "quarantined"),
    Case("mozilla", 410, '{"errno":106}', "gone", "unsubscribed", "quarantined"),
    Case("mozilla", 413, '{"errno":104}', "failed", "too_large", alert=OURS),
    Case("mozilla", 429, "", "pending", "throttled", alert="throttled"),
    Case("mozilla", 500, '{"errno":999}', "pending", "server_error", is_outage=True),
    Case("mozilla", 502, '{"errno":901}', "pending", "bad_bridge", is_outage=True),
    Case("mozilla", 503, '{"errno":201}', "pending", "unavailable", is_outage=True),
    Case("mozilla", 503, '{"errno":202}', "pending", "try_at_once", is_outage=True),
    # Apple
    Case("apple", 201, "", "accepted", ""),
    Case("apple", 400, '{"reason":"VapidPkHashMismatch"}', "pending", "vapid_key_mismatch", "mismatched"),
    Case("apple", 400, '{"reason":"BadTtl"}', "failed", "bad_ttl", alert=OURS),
    Case("apple", 400, '{"reason":"BadUrgency"}', "failed", "bad_urgency", alert=OURS),
    Case("apple", 400, '{"reason":"BadWebPushTopic"}', "failed", "bad_topic", alert=OURS),
    Case("apple", 400, '{"reason":"BadWebPushRequest"}', "failed", "bad_request", alert=OURS),
    Case("apple", 403, '{"reason":"VapidPkHashMismatch"}', "pending", "vapid_key_mismatch", "mismatched"),
    Case("apple", 403, '{"reason":"BadJwtToken"}', "pending", "bad_jwt", alert=OURS),
    Case("apple", 403, '{"reason":"BadAuthorizationHeader"}', "pending", "bad_authorization", alert=OURS),
    Case("apple", 403, '{"reason":"BadVapidPublicKey"}', "pending", "bad_vapid_key", alert=OURS),
    Case("apple", 404, '{"reason":"BadPath"}', "pending", "bad_path", alert=OURS),
    Case("apple", 405, "", "pending", "method_not_allowed", alert=OURS),
    Case("apple", 410, '{"reason":"Unregistered"}', "gone", "expired", "quarantined"),
    Case("apple", 413, '{"reason":"PayloadTooLarge"}', "failed", "too_large", alert=OURS),
    Case("apple", 429, '{"reason":"TooManyRequests"}', "pending", "device_throttled"),
    Case("apple", 500, "", "pending", "server_error", is_outage=True),
    Case("apple", 503, '{"reason":"Shutdown"}', "pending", "shutting_down", is_outage=True),
    # WNS
    Case("wns", 200, "received", "accepted", ""),
    Case("wns", 201, "received", "accepted", ""),
    Case("wns", 200, "", "unknown", "not_confirmed"),
    Case("wns", 200, "dropped", "pending", "dropped"),
    Case("wns", 201, "dropped", "pending", "dropped"),
    Case("wns", 200, "channelthrottled", "pending", "device_throttled"),
    Case("wns", 201, "channelthrottled", "pending", "device_throttled"),
    Case("wns", 400, "Ttl value conflicts with X-WNS-Cache-Policy.", "failed", "bad_ttl", alert=OURS),
    Case("wns", 401, "", "pending", "unauthorized", alert=OURS),
    Case("wns", 403, "", "pending", "forbidden", alert=OURS),
    Case("wns", 404, "", "gone", "not_found", "quarantined"),
    Case("wns", 406, "", "pending", "throttled", alert="throttled"),
    Case("wns", 410, "Domain Blocked", "pending", "domain_blocked", alert=OURS),
    Case("wns", 410, "", "gone", "expired", "quarantined"),
    Case("wns", 413, "", "failed", "too_large", alert=OURS),
    Case("wns", 429, "", "pending", "throttled", alert="throttled"),
    # Whoever else
    Case("other", 200, "", "accepted", ""),
    Case("other", 201, "", "accepted", ""),
    Case("other", 202, "", "accepted", ""),
    Case("other", 400, "", "failed", "bad_request", alert=OURS),
    Case("other", 401, "", "pending", "unauthorized", alert=OURS),
    Case("other", 403, "", "pending", "forbidden", alert=OURS),
    Case("other", 404, "", "gone", "not_found", "quarantined"),
    Case("other", 405, "", "pending", "method_not_allowed", alert=OURS),
    Case("other", 406, "", "pending", "throttled", alert="throttled"),
    Case("other", 408, "", "pending", "timeout"),
    Case("other", 410, "", "gone", "expired", "quarantined"),
    Case("other", 411, "", "pending", "length_required", alert=OURS),
    Case("other", 413, "", "failed", "too_large", alert=OURS),
    Case("other", 429, "", "pending", "throttled", alert="throttled"),
    Case("other", 500, "", "pending", "server_error", is_outage=True),
    Case("other", 502, "", "pending", "bad_gateway", is_outage=True),
    Case("other", 503, "", "pending", "unavailable", is_outage=True),
    Case("other", 504, "", "pending", "gateway_timeout", is_outage=True),
]  # fmt: skip


def headers_of(case: Case) -> dict[str, str]:
    """WNS speaks in headers, the others in the body."""
    return {"x-wns-status": case.said} if case.service == "wns" and case.said else {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.service}-{case.status}-{case.said[:24]}")
def test_each_answer_has_its_consequences(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, case: Case
) -> None:
    subscriptions = [subscribe(service=case.service) for _ in range(REFUSALS_IN_A_ROW)]
    make_old(*subscriptions)
    body = b"" if case.service == "wns" else case.said.encode()
    double.answer_next(case.status, headers_of(case), body, n=REFUSALS_IN_A_ROW)
    for subscription in subscriptions:
        outbox.send(make_message(website), [make_text()], [subscription.recipient])

    work()
    let_a_second_pass(work)

    deliveries = Delivery.objects.all()
    assert [(one.state, one.reason, one.attempts) for one in deliveries] == [
        (case.state, case.reason, 1)
    ] * REFUSALS_IN_A_ROW
    for subscription in subscriptions:
        subscription.refresh_from_db()
        state = "mismatched" if subscription.key_mismatch_at else subscription.state
        assert state == case.subscription
    recent = dispatch._lanes_of(os.getpid(), False).services[case.service].recent
    assert [outage for _at, outage in recent] == [case.is_outage] * REFUSALS_IN_A_ROW
    assert [alert.kind for alert in Alert.objects.open()] == ([case.alert] if case.alert else [])
    assert Attempt.objects.count() == (0 if case.state == "accepted" else REFUSALS_IN_A_ROW)


def let_a_second_pass(work: Work) -> None:
    for rate in dispatch._lanes_of(os.getpid(), False).rates.values():
        rate.ticked_at -= 1
    work()


def test_every_row_of_the_table_has_its_case() -> None:
    assert len(ROWS) >= 60
    met = set()
    for case in CASES:
        verdict = outcome_of(case.service, case.status, text=case.said, headers=headers_of(case), sent=True)
        met.add((case.service, case.status, verdict.reason))
    missing = [row for row in ROWS if (row.service or "other", row.status, row.reason) not in met]
    assert not missing


def test_no_subscription_ends_but_by_404_and_410() -> None:
    assert {row.status for row in ROWS if row.outcome == "gone"} == {404, 410}
