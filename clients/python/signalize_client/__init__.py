"""Sends push messages by a Signalize Console::

    console = Signalize("https://push.example.com", "sk_…")
    console.send(Text("On its way"), customer_ids=["K-4711"], key="order-4711-dispatched")

Every call is repeated while the console is away or busy, and a message is accepted once however often it is
repeated: with the idempotency key that you give, or one of its own.
"""

import http.client
import json
import random
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

__all__ = ["Refused", "Sent", "Signalize", "Text", "Unavailable"]

LONGEST_WAIT = 60.0
AGAIN_ERRORS = {"idempotency_key_in_flight", "rate_limited", "unavailable"}


class Refused(Exception):
    """The console says no, and would say so again. ``code`` is one of its error codes."""

    def __init__(self, status: int, code: str, message: str, request_id: str) -> None:
        super().__init__(message)
        self.status, self.code, self.request_id = status, code, request_id


class Unavailable(Exception):
    """The console didn't answer, however often it was asked. With the same key you may ask again."""


@dataclass(frozen=True)
class Text:
    """What a message says in one language."""

    title: str
    message: str = ""
    link: str = ""
    language: str = "en"
    standard: bool = True

    def as_json(self) -> dict[str, Any]:
        facts = {"title": self.title, "message": self.message, "link": self.link}
        said: dict[str, Any] = {name: value for name, value in facts.items() if value}
        return {"language": self.language, "standard": self.standard, **said}


@dataclass(frozen=True)
class Sent:
    """``deliveries``: to how many browsers; None for an audience. ``replayed``: it was sent before."""

    message_id: int
    deliveries: int | None
    unreachable: list[dict[str, str]]
    replayed: bool


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key and the message go to the console, and nowhere else."""

    def redirect_request(self, *_facts: Any) -> None:
        return None


_open = urllib.request.build_opener(_Here).open


class Signalize:
    """One website of a console. May be shared by threads."""

    def __init__(self, server: str, api_key: str, *, timeout: float = 10, tries: int = 6) -> None:
        self.server, self._api_key = server.rstrip("/"), api_key
        self.timeout, self.tries = timeout, tries

    def send(
        self,
        *texts: Text,
        client_ids: Iterable[str] = (),
        customer_ids: Iterable[str] = (),
        template_id: int | None = None,
        data: Mapping[str, Any] | None = None,
        key: str = "",
        **more: Any,
    ) -> Sent:
        """To named recipients. ``more`` are further fields of the request, such as ``validUntil``."""
        named = [{"clientId": one} for one in client_ids] + [{"customerId": one} for one in customer_ids]
        body = {"recipients": named, **_content(texts, template_id, data), **more}
        return self._send("/v3/subscriptions/pushmessages", body, key)

    def send_to_audience(
        self,
        *texts: Text,
        segment_id: int | None = None,
        template_id: int | None = None,
        data: Mapping[str, Any] | None = None,
        key: str = "",
        **more: Any,
    ) -> Sent:
        """To a segment, or without one to everyone who opted in."""
        named = {} if segment_id is None else {"segmentId": segment_id}
        return self._send("/v3/pushmessages", {**named, **_content(texts, template_id, data), **more}, key)

    def message(self, message_id: int) -> dict[str, Any]:
        """What became of it."""
        return self.call("GET", f"/v3/pushmessages/{message_id}")

    def update_recipient(self, client_id: str, **profile: Any) -> dict[str, Any]:
        """``customerId``, ``language``, ``timeZone``, ``attributes`` and ``interests``, as far as given."""
        return self.call("PATCH", f"/v3/recipients/{quote(client_id, safe='')}", profile)

    def recipients_of(self, customer_id: str) -> list[dict[str, Any]]:
        """All browsers of a customer."""
        query = urlencode({"customerId": customer_id, "limit": 200})
        items: list[dict[str, Any]] = self.call("GET", f"/v3/recipients?{query}")["items"]
        return items

    def track(self, client_id: str, name: str, **properties: Any) -> None:
        """Reports that something happened. May be stored twice where the connection breaks."""
        body = {"events": [{"name": name, "properties": properties}]}
        self.call("POST", f"/v3/recipients/{quote(client_id, safe='')}/events", body)

    def _send(self, path: str, body: dict[str, Any], key: str) -> Sent:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        said, answered = self._ask("POST", path, body, headers)
        replayed = answered.get("Idempotency-Replayed") == "true"
        return Sent(said["messageId"], said.get("deliveries"), said.get("unreachable", []), replayed)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Any address of the API. Raises Refused or Unavailable."""
        return self._ask(method, path, body, {})[0]

    def _ask(
        self, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-API-Key": self._api_key, "Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.server + path, data, headers, method=method)  # noqa: S310 - ours
        why: Exception | None = None
        for attempt in range(self.tries):
            wait = random.uniform(0, min(LONGEST_WAIT, 0.5 * 2**attempt))  # noqa: S311 - spreads callers
            try:
                with _open(request, timeout=self.timeout) as answer:
                    text = answer.read()
                    return json.loads(text) if text else {}, answer.headers
            except urllib.error.HTTPError as error:
                with error:
                    why = _refused(error)
                    wait = max(wait, _seconds(error.headers.get("Retry-After")))
                if error.code < 500 and why.code not in AGAIN_ERRORS:
                    raise why from None
            except (OSError, http.client.HTTPException) as error:
                why = error
            if attempt + 1 < self.tries:
                time.sleep(min(wait, LONGEST_WAIT))
        raise Unavailable(f"The console didn't take it after {self.tries} tries: {why}") from why


def _content(
    texts: tuple[Text, ...], template_id: int | None, data: Mapping[str, Any] | None
) -> dict[str, Any]:
    if bool(texts) == (template_id is not None):
        raise ValueError("Give either texts or a template_id.")
    said: dict[str, Any] = {"data": dict(data)} if data else {}
    if template_id is not None:
        return {"templateId": template_id, **said}
    return {"webPush": {"webPushMessageTexts": [text.as_json() for text in texts]}, **said}


def _refused(error: urllib.error.HTTPError) -> Refused:
    try:
        body = json.loads(error.read())
        return Refused(error.code, body["errorCode"], body["message"], body.get("requestId", ""))
    except (ValueError, KeyError, TypeError):
        return Refused(error.code, "", f"The server answered {error.code}. Is its address right?", "")


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0
