"""What a push service's answer means, sorted by what must be done: one table, a row per case.

Sources: RFC 8030 and 8292; Mozilla autopush's error numbers; Apple's reasons; WNS's response headers;
what FCM answers in the field.
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
    UNCERTAIN = "uncertain"  # failed after it was sent: perhaps it was taken
    MESSAGE_REJECTED = "message_rejected"  # this message is wrong, whoever gets it
    KEY_MISMATCH = "key_mismatch"  # made with another VAPID key: wait for the browser to subscribe anew
    CONFIGURATION = "configuration"  # we are wrong: delete nothing


class Row(NamedTuple):
    """A case. ``service`` "" is any; ``pattern`` is searched in the body and the WNS headers."""

    service: str
    status: int
    pattern: str
    outcome: Outcome
    reason: str


O = Outcome  # noqa: E741 - the table reads by it
ROWS = [
    Row("wns", 200, r"dropped", O.RETRY, "dropped"),
    Row("wns", 201, r"dropped", O.RETRY, "dropped"),
    Row("wns", 200, r"channelthrottled", O.RETRY, "throttled"),
    Row("wns", 201, r"channelthrottled", O.RETRY, "throttled"),
    Row("wns", 200, r"received", O.ACCEPTED, ""),
    Row("", 200, r"", O.ACCEPTED, ""),
    Row("", 201, r"", O.ACCEPTED, ""),
    Row("", 202, r"", O.ACCEPTED, ""),
    Row("apple", 400, r"VapidPkHashMismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("apple", 400, r"BadWebPushTopic", O.MESSAGE_REJECTED, "bad_topic"),
    Row("apple", 400, r"BadTtl", O.MESSAGE_REJECTED, "bad_ttl"),
    Row("apple", 400, r"BadUrgency", O.MESSAGE_REJECTED, "bad_urgency"),
    Row("fcm", 400, r"UnauthorizedRegistration", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("fcm", 400, r"(?i)jwt|authorization|vapid|expir", O.CONFIGURATION, "bad_jwt"),
    Row("mozilla", 400, r'"errno":\s*113', O.MESSAGE_REJECTED, "bad_topic"),
    Row("mozilla", 400, r'"errno":\s*11[124]', O.MESSAGE_REJECTED, "bad_ttl"),
    Row("wns", 400, r"X-WNS-Cache-Policy", O.MESSAGE_REJECTED, "bad_ttl"),
    Row("", 400, r"", O.MESSAGE_REJECTED, "bad_request"),
    Row("mozilla", 401, r"(?i)mismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("", 401, r"", O.CONFIGURATION, "unauthorized"),
    Row("apple", 403, r"VapidPkHashMismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("apple", 403, r"BadJwtToken", O.CONFIGURATION, "bad_jwt"),
    Row("apple", 403, r"BadVapidPublicKey", O.CONFIGURATION, "bad_vapid_key"),
    Row("fcm", 403, r"do not correspond", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("fcm", 403, r"invalid push subscription endpoint", O.RETRY, "invalid_endpoint"),
    Row("mozilla", 403, r"(?i)mismatch", O.KEY_MISMATCH, "vapid_key_mismatch"),
    Row("", 403, r"", O.CONFIGURATION, "forbidden"),
    Row("apple", 404, r"", O.CONFIGURATION, "bad_path"),
    Row("", 404, r"", O.GONE, "not_found"),
    Row("", 405, r"", O.CONFIGURATION, "method_not_allowed"),
    Row("", 406, r"", O.RETRY, "throttled"),
    Row("", 408, r"", O.RETRY, "timeout"),
    Row("wns", 410, r"(?i)domain", O.CONFIGURATION, "domain_blocked"),
    Row("", 410, r"", O.GONE, "expired"),
    Row("", 411, r"", O.CONFIGURATION, "length_required"),
    Row("", 413, r"", O.MESSAGE_REJECTED, "too_large"),
    Row("", 429, r"", O.RETRY, "throttled"),
    Row("", 500, r"", O.RETRY, "server_error"),
    Row("", 502, r"", O.RETRY, "bad_gateway"),
    Row("", 503, r"", O.RETRY, "unavailable"),
    Row("", 504, r"", O.RETRY, "gateway_timeout"),
]
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 3600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is one stable word; ``retry_after`` is seconds, where the push service asked for a wait."""

    outcome: Outcome
    reason: str
    retry_after: float | None = None


def outcome_of(
    service: str, status: int, *, text: str = "", headers: Mapping[str, str], sent: bool, error: str = ""
) -> Verdict:
    """Sorts an answer, or (status 0) its absence: ``sent`` says whether the request may have gone out."""
    if status == 0:
        reason = error or "no_answer"
        return Verdict(Outcome.UNCERTAIN if sent else Outcome.RETRY, reason)
    wait = retry_after(headers["retry-after"]) if "retry-after" in headers else None
    rows = _rows_of(service, status)
    said = _said(text, headers) if len(rows) > 1 else ""
    for row in rows:
        if not row.pattern or re.search(row.pattern, said):
            return Verdict(row.outcome, row.reason, wait)
    if 300 <= status < 400:
        return Verdict(Outcome.MESSAGE_REJECTED, "redirect")
    if status >= 500:
        return Verdict(Outcome.RETRY, "server_error", wait)
    return Verdict(Outcome.MESSAGE_REJECTED, "unexpected_status")


@functools.cache
def _rows_of(service: str, status: int) -> list[Row]:
    return [row for row in ROWS if row.status == status and row.service in ("", service)]


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
