"""Each answer of each push service, and what is done about it."""

import pytest

from signalize_console.webpush.outcomes import ROWS, Outcome, outcome_of, retry_after

A, G, R, T, D, U, M, K, C = (
    Outcome.ACCEPTED, Outcome.GONE, Outcome.RETRY, Outcome.THROTTLED, Outcome.DEVICE_THROTTLED, Outcome.UNCERTAIN,
    Outcome.MESSAGE_REJECTED, Outcome.KEY_MISMATCH, Outcome.CONFIGURATION,
)  # fmt: skip
CASES = [
    ("fcm", 201, "", A), ("mozilla", 201, "", A), ("apple", 201, "", A), ("wns", 201, "received", A), ("fcm", 202, "", A),
    ("fcm", 200, "", A), ("wns", 200, "received", A), ("wns", 200, "dropped", R), ("wns", 201, "dropped", R),
    ("wns", 200, "channelthrottled", D), ("wns", 201, "channelthrottled", D), ("wns", 200, "", U),
    ("fcm", 301, "", M), ("fcm", 302, "", M), ("mozilla", 307, "", M), ("fcm", 308, "", M),
    ("apple", 400, '{"reason":"VapidPkHashMismatch"}', K), ("apple", 400, '{"reason":"BadWebPushTopic"}', M),
    ("apple", 400, '{"reason":"BadTtl"}', M), ("apple", 400, '{"reason":"BadUrgency"}', M), ("apple", 400, "", M),
    ("fcm", 400, "UnauthorizedRegistration", K), ("fcm", 400, "invalid JWT provided", C), ("fcm", 400, "payload", M),
    ("mozilla", 400, '{"errno": 113}', M), ("mozilla", 400, '{"errno":111}', M), ("mozilla", 400, '{"errno":110}', M),
    ("wns", 400, "Ttl value conflicts with X-WNS-Cache-Policy.", M), ("other", 400, "", M),
    ("mozilla", 401, '{"errno":109,"message":"VAPID public key mismatch"}', K), ("mozilla", 401, '{"errno":109}', C),
    ("fcm", 401, "", C), ("wns", 401, "", C), ("apple", 403, '{"reason":"BadJwtToken"}', C),
    ("apple", 403, '{"reason":"VapidPkHashMismatch"}', K), ("apple", 403, '{"reason":"BadVapidPublicKey"}', C),
    ("fcm", 403, "the VAPID credentials in the authorization header do not correspond to the credentials used", K),
    ("fcm", 403, "invalid push subscription endpoint", R), ("fcm", 403, "", C), ("mozilla", 403, "mismatch", K),
    ("wns", 403, "", C), ("other", 403, "", C),
    ("fcm", 404, "", G), ("mozilla", 404, "", G), ("wns", 404, "", G), ("apple", 404, '{"reason":"BadPath"}', C),
    ("fcm", 405, "", C), ("wns", 406, "", T), ("other", 406, "", T), ("other", 408, "", R),
    ("fcm", 410, "", G), ("mozilla", 410, "", G), ("apple", 410, "", G), ("wns", 410, "", G), ("wns", 410, "Domain Blocked", C),
    ("fcm", 411, "", C), ("fcm", 413, "", M), ("apple", 413, "", M), ("fcm", 418, "", M),
    ("fcm", 429, "", T), ("apple", 429, "", D), ("wns", 429, "", T), ("mozilla", 429, "", T),
    ("fcm", 500, "", R), ("mozilla", 502, "", R), ("apple", 503, "", R), ("wns", 504, "", R), ("fcm", 599, "", R),
]  # fmt: skip


@pytest.mark.parametrize(("service", "status", "said", "outcome"), CASES)
def test_each_answer_is_sorted_by_what_must_be_done(
    service: str, status: int, said: str, outcome: Outcome
) -> None:
    # WNS speaks in headers, the others in the body.
    headers = {"x-wns-error-description": said} if service == "wns" else {}
    text = "" if service == "wns" else said

    assert outcome_of(service, status, text=text, headers=headers, sent=True).outcome is outcome


def test_every_row_has_a_case() -> None:
    cases = {(service, status) for service, status, _said, _outcome in CASES}
    services = {"fcm", "mozilla", "apple", "wns", "other"}
    uncovered = [
        row
        for row in ROWS
        if not cases & {(service, row.status) for service in ([row.service] if row.service else services)}
    ]
    assert not uncovered


def test_no_subscription_ends_but_by_404_and_410() -> None:
    assert {row.status for row in ROWS if row.outcome is Outcome.GONE} == {404, 410}


def test_without_an_answer_it_depends_on_whether_the_request_was_sent() -> None:
    assert outcome_of("fcm", 0, headers={}, sent=True, error="timeout_after_sending").outcome is U
    assert outcome_of("fcm", 0, headers={}, sent=False, error="no_connection").outcome is R


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 1), ("99999999999", 3600), ("-5", None), ("soon", None), ("", None), ("1e9", None), ("٣", 3.0),
     ("Wed, 21 Oct 2099 07:28:00 GMT", 3600), ("Wed, 21 Oct 1999 07:28:00 GMT", 1), ("21 Foo 2099", None)],
)  # fmt: skip
def test_retry_after_is_obeyed_within_reason(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_the_wait_comes_with_the_verdict() -> None:
    assert outcome_of("mozilla", 503, headers={"retry-after": "120"}, sent=True).wait == 120
