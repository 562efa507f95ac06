"""What an answer of a push service means: one table, read by service, status, and what it says.

Sources: RFC 8030 §5 and RFC 8292; the documentation of Mozilla's autopush, of Apple, of Microsoft's WNS; and
what senders report of Google's FCM. They differ most in how they say "made with another VAPID key".
"""

import email.utils
import functools
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    GONE = "gone"  # the subscription has ended
    RETRY = "retry"  # later; nothing was taken
    THROTTLED = "throttled"  # we are too fast for this push service
    DEVICE_THROTTLED = "device_throttled"  # too much for this one browser
    UNCERTAIN = "uncertain"  # failed after it was sent: perhaps it was taken
    MESSAGE_REJECTED = "message_rejected"  # this message is wrong, whoever gets it
    KEY_MISMATCH = "key_mismatch"  # made with another VAPID key: wait for the browser to subscribe anew
    CONFIGURATION = "configuration"  # we are wrong: delete nothing


class Row(NamedTuple):
    """A case. ``service`` "" is any; ``pattern`` is searched in the body and the WNS headers.

    ``wait`` is the seconds until the next try where the push service names none and backing off is wrong.
    """

    service: str
    status: int
    pattern: str
    outcome: Outcome
    reason: str
    wait: float | None = None


O = Outcome  # noqa: E741 - the table reads by it
MINUTE, HOUR = 60.0, 3600.0
ROWS = [
    # Google's FCM
    Row("fcm", 201, r"", O.ACCEPTED, ""),
    Row("fcm", 400, r"UnauthorizedRegistration", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("fcm", 400, r"(?i)too (large|big|long)", O.MESSAGE_REJECTED, "too_large"),
    Row("fcm", 400, r"(?i)jwt|authorization|vapid|expir", O.CONFIGURATION, "bad_jwt"),
    Row("fcm", 401, r"", O.CONFIGURATION, "unauthorized"),
    Row("fcm", 403, r"do not correspond", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("fcm", 403, r"invalid push subscription endpoint", O.RETRY, "invalid_endpoint", 6 * HOUR),
    Row("fcm", 403, r"(?i)jwt|aud|expir", O.CONFIGURATION, "bad_jwt"),
    Row("fcm", 404, r"", O.GONE, "not_found"),
    Row("fcm", 410, r"", O.GONE, "unsubscribed"),
    Row("fcm", 413, r"", O.MESSAGE_REJECTED, "too_large"),
    Row("fcm", 429, r"", O.THROTTLED, "throttled", MINUTE),
    Row("fcm", 500, r"", O.RETRY, "server_error"),
    Row("fcm", 502, r"", O.RETRY, "bad_gateway"),
    Row("fcm", 503, r"", O.RETRY, "unavailable"),
    # Mozilla's autopush
    Row("mozilla", 201, r"", O.ACCEPTED, ""),
    Row("mozilla", 202, r"", O.ACCEPTED, ""),
    Row("mozilla", 400, r'"errno":\s*1(01|10)\b', O.MESSAGE_REJECTED, "bad_encryption"),
    Row("mozilla", 400, r'"errno":\s*108\b', O.MESSAGE_REJECTED, "bad_router"),
    Row("mozilla", 400, r'"errno":\s*11[124]\b', O.MESSAGE_REJECTED, "bad_ttl"),
    Row("mozilla", 400, r'"errno":\s*113\b', O.MESSAGE_REJECTED, "bad_topic"),
    Row("mozilla", 401, r"(?i)mismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("mozilla", 401, r'"errno":\s*109\b', O.CONFIGURATION, "bad_jwt"),
    Row("mozilla", 403, r"(?i)mismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("mozilla", 404, r'"errno":\s*102\b', O.GONE, "not_found"),
    Row("mozilla", 410, r'"errno":\s*103\b', O.GONE, "expired"),
    Row("mozilla", 410, r'"errno":\s*105\b', O.GONE, "went_away"),
    Row("mozilla", 410, r'"errno":\s*106\b', O.GONE, "unsubscribed"),
    Row("mozilla", 413, r'"errno":\s*104\b', O.MESSAGE_REJECTED, "too_large"),
    Row("mozilla", 429, r"", O.THROTTLED, "throttled", MINUTE),
    Row("mozilla", 500, r'"errno":\s*999\b', O.RETRY, "server_error"),
    Row("mozilla", 502, r'"errno":\s*90[0-3]\b', O.RETRY, "bad_bridge"),
    Row("mozilla", 503, r'"errno":\s*201\b', O.RETRY, "unavailable"),
    Row("mozilla", 503, r'"errno":\s*202\b', O.RETRY, "try_at_once", 1.0),
    # Apple
    Row("apple", 201, r"", O.ACCEPTED, ""),
    Row("apple", 400, r"VapidPkHashMismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("apple", 400, r"BadTtl", O.MESSAGE_REJECTED, "bad_ttl"),
    Row("apple", 400, r"BadUrgency", O.MESSAGE_REJECTED, "bad_urgency"),
    Row("apple", 400, r"BadWebPushTopic", O.MESSAGE_REJECTED, "bad_topic"),
    Row("apple", 400, r"BadWebPushRequest", O.MESSAGE_REJECTED, "bad_request"),
    Row("apple", 403, r"VapidPkHashMismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("apple", 403, r"BadJwtToken", O.CONFIGURATION, "bad_jwt"),
    Row("apple", 403, r"BadAuthorizationHeader", O.CONFIGURATION, "bad_authorization"),
    Row("apple", 403, r"BadVapidPublicKey", O.CONFIGURATION, "bad_vapid_key"),
    Row("apple", 404, r"", O.CONFIGURATION, "bad_path"),
    Row("apple", 410, r"", O.GONE, "expired"),
    Row("apple", 413, r"", O.MESSAGE_REJECTED, "too_large"),
    Row("apple", 429, r"", O.DEVICE_THROTTLED, "device_throttled", MINUTE),
    Row("apple", 503, r"Shutdown", O.RETRY, "shutting_down"),
    # Microsoft's WNS, which says why in its headers
    Row("wns", 200, r"dropped", O.RETRY, "dropped", 15 * MINUTE),
    Row("wns", 201, r"dropped", O.RETRY, "dropped", 15 * MINUTE),
    Row("wns", 200, r"channelthrottled", O.DEVICE_THROTTLED, "device_throttled", MINUTE),
    Row("wns", 201, r"channelthrottled", O.DEVICE_THROTTLED, "device_throttled", MINUTE),
    Row("wns", 200, r"received", O.ACCEPTED, ""),
    Row("wns", 200, r"", O.UNCERTAIN, "not_confirmed"),
    Row("wns", 201, r"", O.ACCEPTED, ""),
    Row("wns", 400, r"X-WNS-Cache-Policy", O.MESSAGE_REJECTED, "bad_ttl"),
    Row("wns", 404, r"", O.GONE, "not_found"),
    Row("wns", 406, r"", O.THROTTLED, "throttled", 15 * MINUTE),
    Row("wns", 410, r"(?i)domain", O.CONFIGURATION, "domain_blocked"),
    Row("wns", 410, r"", O.GONE, "expired"),
    Row("wns", 413, r"", O.MESSAGE_REJECTED, "too_large"),
    Row("wns", 429, r"", O.THROTTLED, "throttled", MINUTE),
    # Whoever else, by RFC 8030, and what those above have never been seen to say
    Row("", 200, r"", O.ACCEPTED, ""),
    Row("", 201, r"", O.ACCEPTED, ""),
    Row("", 202, r"", O.ACCEPTED, ""),
    Row("", 400, r"", O.MESSAGE_REJECTED, "bad_request"),
    Row("", 401, r"", O.CONFIGURATION, "unauthorized"),
    Row("", 403, r"", O.CONFIGURATION, "forbidden"),
    Row("", 404, r"", O.GONE, "not_found"),
    Row("", 405, r"", O.CONFIGURATION, "method_not_allowed"),
    Row("", 406, r"", O.THROTTLED, "throttled", MINUTE),
    Row("", 408, r"", O.RETRY, "timeout"),
    Row("", 410, r"", O.GONE, "expired"),
    Row("", 411, r"", O.CONFIGURATION, "length_required"),
    Row("", 413, r"", O.MESSAGE_REJECTED, "too_large"),
    Row("", 429, r"", O.THROTTLED, "throttled", MINUTE),
    Row("", 500, r"", O.RETRY, "server_error"),
    Row("", 502, r"", O.RETRY, "bad_gateway"),
    Row("", 503, r"", O.RETRY, "unavailable"),
    Row("", 504, r"", O.RETRY, "gateway_timeout"),
]
SHORTEST_WAIT, LONGEST_WAIT = 1.0, HOUR
# No answer, and yet no sign that the push service is down: we did not ask, or did not want to.
OUR_OWN_DOING = {"too_late", "address_refused", "stopped", "stopped_after_sending"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is one stable word; ``wait`` is seconds, where the answer asks for a certain one.

    ``is_outage`` says that the push service itself seems to be down.
    """

    outcome: Outcome
    reason: str
    wait: float | None = None
    is_outage: bool = False


def outcome_of(
    service: str, status: int, *, text: str = "", headers: Mapping[str, str], sent: bool, error: str = ""
) -> Verdict:
    """Sorts an answer, or (status 0) its absence: ``sent`` says whether the request may have gone out."""
    if status == 0:
        outcome = Outcome.UNCERTAIN if sent else Outcome.RETRY
        return Verdict(outcome, error or "no_answer", is_outage=error not in OUR_OWN_DOING)
    row = _row_of(service, status, text, headers)
    asked = headers.get("retry-after") or headers.get("x-wns-continue-after")
    wait = retry_after(asked) if asked else None
    return Verdict(row.outcome, row.reason, wait or row.wait, is_outage=status >= 500)


def _row_of(service: str, status: int, text: str, headers: Mapping[str, str]) -> Row:
    rows = _rows_of(service, status)
    said = _said(text, headers) if len(rows) > 1 else ""
    for row in rows:
        if not row.pattern or re.search(row.pattern, said):
            return row
    if 300 <= status < 400:
        return Row(service, status, "", Outcome.MESSAGE_REJECTED, "redirect")
    if status >= 500:
        return Row(service, status, "", Outcome.RETRY, "server_error")
    return Row(service, status, "", Outcome.MESSAGE_REJECTED, "unexpected_status")


@functools.cache
def _rows_of(service: str, status: int) -> list[Row]:
    """The push service's own rows first."""
    rows = [row for row in ROWS if row.status == status and row.service in ("", service)]
    return sorted(rows, key=lambda row: row.service == "")


def _said(text: str, headers: Mapping[str, str]) -> str:
    return " ".join([text, *(value for name, value in headers.items() if name.startswith("x-wns"))])


def retry_after(value: str) -> float | None:
    """Seconds or an HTTP date, clipped to an hour; None for anything else."""
    value = value.strip()
    try:
        seconds = float(value) if value.isdigit() else _seconds_until(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def _seconds_until(date: str) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp() - time.time()
