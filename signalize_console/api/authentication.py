"""Who calls: the key in the header ``X-API-Key``, and in no other place; and what that key may do."""

import hmac
import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from signalize_console.api.errors import ErrorCode, Forbidden, Unauthorized
from signalize_console.api.models import MARK, hash_of

HEADER = "X-API-Key"

# Finds the key, counts its use and notes it once a minute: one statement, and one that waits for no disk
# but in that minute. A key that is dead or not proven is found, and not counted.
ADMIT = """
WITH known AS (
    SELECT id, website_id, name, scopes, networks, requests_per_minute, last_used_at,
        revoked_at IS NULL AND coalesce(expires_at > now(), true) AS alive, secret_hash,
        secret_hash = %s AS proven
    FROM api_apikey WHERE prefix = %s
), used AS (
    INSERT INTO api_keyuse AS use (key_id, minute, requests)
    SELECT id, date_trunc('minute', now()), 1 FROM known WHERE alive AND proven
    ON CONFLICT (key_id) DO UPDATE SET
        requests = CASE use.minute WHEN excluded.minute THEN use.requests + 1 ELSE 1 END,
        minute = excluded.minute
    RETURNING requests
), noted AS (
    UPDATE api_apikey SET last_used_at = now() FROM known
    WHERE api_apikey.id = known.id AND alive AND proven
      AND coalesce(known.last_used_at < now() - interval '1 minute', true)
)
SELECT secret_hash, id, website_id, name, scopes, networks, requests_per_minute, alive, coalesce(requests, 0),
    60 - extract(second FROM now())::int
FROM known LEFT JOIN used ON true
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """A key at work. ``requests`` were made in this minute, which ends in ``seconds_left``."""

    key_id: int
    website_id: int
    name: str
    scopes: list[str]
    networks: list[str]
    limit: int
    alive: bool
    requests: int
    seconds_left: int

    @classmethod
    def admit(cls, text: str) -> "Caller | None":
        """Who has this key, be it alive or not; None if nobody ever had."""
        mark, _separator, rest = text.partition("_")
        prefix, _separator, secret = rest.partition("_")
        if mark != MARK or not secret or not (text.isascii() and text.isprintable()):
            return None
        given = hash_of(secret)
        with connection.cursor() as cursor:
            cursor.execute(ADMIT, [given, prefix])
            row = cursor.fetchone()
        if row is None or not hmac.compare_digest(bytes(row[0]), given):
            return None
        return cls(*row[1:])

    @property
    def is_over_limit(self) -> bool:
        return self.requests > self.limit


class ApiKeyAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the Caller."""

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        text = request.headers.get(HEADER)
        if text is None:
            return None
        caller = Caller.admit(text)
        if caller is None:
            raise Unauthorized(
                "This API key is unknown. The console's API keys page makes one.", ErrorCode.API_KEY_UNKNOWN
            )
        if not caller.alive:
            raise Unauthorized(
                "This API key has expired or was revoked. The console's API keys page makes a new one.",
                ErrorCode.API_KEY_UNKNOWN,
            )
        if caller.networks and not _is_within(address_of(request._request), caller.networks):
            raise Forbidden(
                "This API key may not be used from this network address. The console lists its networks.",
                ErrorCode.ADDRESS_NOT_ALLOWED,
            )
        return None, caller

    def authenticate_header(self, request: Request) -> str:
        return HEADER


def address_of(request: HttpRequest) -> str:
    """Where a call comes from: as our outermost proxy says, where there are SIGNALIZE_TRUSTED_PROXIES."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    hops = forwarded.split(",")
    if forwarded and len(hops) >= settings.TRUSTED_PROXIES > 0:
        return str(hops[-settings.TRUSTED_PROXIES]).strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _is_within(address: str, networks: list[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in ipaddress.ip_network(network) for network in networks)


class HasScope(BasePermission):
    """The view names a scope for each method that it answers; what it doesn't name is closed."""

    def has_permission(self, request: Request, view: object) -> bool:
        if not isinstance(request.auth, Caller):
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        scope = getattr(view, "scopes", {}).get(method)
        is_answered = method != "OPTIONS" and hasattr(view, method.lower())
        if is_answered and scope not in request.auth.scopes:
            raise Forbidden(f"This API key lacks the scope {scope}.", ErrorCode.SCOPE_MISSING)
        return True


def caller_of(request: Request) -> Caller:
    assert isinstance(request.auth, Caller)
    return request.auth


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = ApiKeyAuthentication
    name = "ApiKeyAuth"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": HEADER}
