"""What an answer means. Each row of the table has its case in tests/deliveries/test_answers.py."""

import pytest

from signalize_console.webpush.outcomes import Outcome, outcome_of, retry_after


def test_without_an_answer_it_depends_on_whether_the_request_was_sent() -> None:
    assert (
        outcome_of("fcm", 0, headers={}, sent=True, error="timeout_after_sending").outcome
        is Outcome.UNCERTAIN
    )
    assert outcome_of("fcm", 0, headers={}, sent=False, error="no_connection").outcome is Outcome.RETRY


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 1), ("99999999999", 3600), ("-5", None), ("soon", None), ("", None), ("1e9", None), ("٣", 3.0),
     ("Wed, 21 Oct 2099 07:28:00 GMT", 3600), ("Wed, 21 Oct 1999 07:28:00 GMT", 1), ("21 Foo 2099", None)],
)  # fmt: skip
def test_retry_after_is_obeyed_within_reason(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_the_wait_comes_with_the_verdict() -> None:
    assert outcome_of("mozilla", 503, headers={"retry-after": "120"}, sent=True).wait == 120


def test_wns_says_in_a_header_of_its_own_when_to_go_on() -> None:
    verdict = outcome_of(
        "wns", 200, headers={"x-wns-status": "channelthrottled", "x-wns-continue-after": "40"}, sent=True
    )

    assert (verdict.outcome, verdict.wait) == (Outcome.DEVICE_THROTTLED, 40)


def test_what_we_end_ourselves_is_no_outage() -> None:
    assert outcome_of("fcm", 0, headers={}, sent=True, error="timeout_after_sending").is_outage
    assert not outcome_of("fcm", 0, headers={}, sent=False, error="too_late").is_outage
    assert not outcome_of("fcm", 0, headers={}, sent=False, error="address_refused").is_outage
