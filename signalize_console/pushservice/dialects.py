"""How each push service says the same thing: status, headers and body, as seen in the field."""

import json
from typing import NamedTuple


class Reply(NamedTuple):
    """An answer. ``fault`` is what happens instead of it: "reset", "close", "hang", or "" for nothing.

    With ``pause``, in seconds, the body comes slowly: a byte at a time (HTTP/2).
    """

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    fault: str = ""
    pause: float = 0.0


SERVICES = {
    "updates.push.services.mozilla.com": "mozilla",
    "fcm.googleapis.com": "fcm",
    "jmt17.google.com": "fcm",
    "web.push.apple.com": "apple",
    "wns2-par02p.notify.windows.com": "wns",
    "push.example.net": "other",
}

MOZILLA = {
    "not_found": (404, 102),
    "gone": (410, 106),
    "no_ttl": (400, 111),
    "bad_ttl": (400, 112),
    "bad_topic": (400, 113),
    "bad_encoding": (400, 110),
    "bad_urgency": (400, 110),
    "too_large": (413, 104),
    "unauthorized": (401, 109),
    "bad_jwt": (401, 109),
    "key_mismatch": (401, 109),
}
APPLE = {
    "not_found": (404, "BadPath"),
    "gone": (410, "Unregistered"),
    "no_ttl": (400, "BadTtl"),
    "bad_ttl": (400, "BadTtl"),
    "bad_topic": (400, "BadWebPushTopic"),
    "bad_encoding": (400, "BadWebPushRequest"),
    "bad_urgency": (400, "BadUrgency"),
    "too_large": (413, "PayloadTooLarge"),
    "unauthorized": (403, "BadAuthorizationHeader"),
    "bad_jwt": (403, "BadJwtToken"),
    "key_mismatch": (400, "VapidPkHashMismatch"),
}
FCM = {
    "not_found": (404, "A valid push subscription endpoint should be specified in the URL."),
    "gone": (410, "push subscription has unsubscribed or expired.\n"),
    "too_large": (400, "payload too large"),
    "unauthorized": (401, "no authorization header"),
    "bad_jwt": (403, "invalid JWT provided"),
    "key_mismatch": (
        403,
        "the VAPID credentials in the authorization header do not correspond to the credentials used to "
        "create the subscriptions.\n",
    ),
}
WNS = {
    "not_found": 404,
    "gone": 410,
    "too_large": 413,
    "unauthorized": 401,
    "bad_jwt": 401,
    "key_mismatch": 403,
}


def accepted(service: str, location: str, ttl: str) -> Reply:
    headers = {"location": location, "ttl": ttl}
    if service == "apple":
        headers["apns-id"] = location.rsplit("/", 1)[-1]
    if service == "wns":
        headers |= {"x-wns-status": "received", "x-wns-notificationstatus": "received"}
    return Reply(201, headers)


def refusal(service: str, kind: str, message: str) -> Reply:
    if service == "apple":
        status, reason = APPLE[kind]
        return Reply(status, {"content-type": "application/json"}, json.dumps({"reason": reason}).encode())
    if service == "fcm":
        status, text = FCM.get(kind, (400, message))
        return Reply(status, {"content-type": "text/plain"}, text.encode())
    if service == "wns":
        return Reply(WNS.get(kind, 400), {"x-wns-error-description": message, "x-wns-status": "dropped"})
    status, errno = MOZILLA[kind]
    body = {"code": status, "errno": errno, "error": kind, "message": message}
    return Reply(status, {"content-type": "application/json"}, json.dumps(body).encode())
