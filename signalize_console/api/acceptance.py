"""Accepting what a call asks for exactly once, or rehearsing it, and saying why not."""

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.api.authentication import caller_of
from signalize_console.api.errors import Conflict, ErrorCode, Unprocessable
from signalize_console.deliveries import idempotency, outbox
from signalize_console.deliveries.latencies import LatencyKind, stopwatch

KEY_HEADER, REPLAYED_HEADER = "Idempotency-Key", "Idempotency-Replayed"
LONGEST_KEY = 255
RETRY_AFTER = 1

Act = Callable[[], idempotency.Answer]


def accept(request: Request, data: dict[str, Any], act: Act, why_nobody: Callable[[], str] = str) -> Response:
    """``act`` does it and gives ``{"said": what is answered, "message_id": …}``; a repeat hears it again."""
    key = key_of(request, data)
    try:
        if data["dryRun"]:
            return Response(rehearsed(act)["said"])
        done = idempotency.once(caller_of(request).website_id, key, _fingerprint(request), act)
    except idempotency.KeyReused as error:
        raise Unprocessable(str(error), ErrorCode.IDEMPOTENCY_KEY_REUSED) from error
    except idempotency.InFlight as error:
        code = ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT
        raise Conflict(str(error), code, retry_after=RETRY_AFTER) from error
    except outbox.NobodyReachable as error:
        raise Unprocessable(why_nobody() or str(error), ErrorCode.NOBODY_REACHABLE) from error
    except outbox.NotAccepted as error:
        raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error
    if not done.replayed:
        seconds = time.monotonic() - request.parser_context["view"].began_at
        stopwatch.note(LatencyKind.ACCEPT, seconds, transactional=data["transactional"])
    headers = {REPLAYED_HEADER: "true"} if done.replayed else {}
    return Response(done.answer["said"], status=201, headers=headers)


@transaction.atomic
def rehearsed(act: Act) -> idempotency.Answer:
    """All of it is done as in earnest, and undone."""
    answer = act()
    transaction.set_rollback(True)
    return answer


def key_of(request: Request, data: dict[str, Any]) -> str:
    header, alias = request.headers.get(KEY_HEADER), data.get("idempotencyKey", "")
    name, key = ("idempotencyKey", alias) if header is None else (KEY_HEADER, header)
    if header is not None and alias and header != alias:
        raise serializers.ValidationError({"idempotencyKey": [f"The header {KEY_HEADER} says another one."]})
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()) or header == "":
        raise serializers.ValidationError({name: [f"Give 1 to {LONGEST_KEY} printable ASCII characters."]})
    return key


def _fingerprint(request: Request) -> object:
    sent = dict(request.data)
    body = {name: value for name, value in sent.items() if name != "idempotencyKey"}
    return [request.path, body]
