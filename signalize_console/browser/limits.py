"""How often one client, and all clients of one website together, may ask: counted in Valkey before any query.

No address is stored: a client is the HMAC of its address under a salt that lives for a day. A private address
is a proxy's or a colleague's, shared by many: it is counted only with the whole website.
"""

import datetime
import functools
import hmac
import ipaddress
import logging
import math
import secrets
import time
from dataclasses import dataclass

import redis
from django.conf import settings
from django.http import HttpRequest
from redis.exceptions import RedisError

from signalize_console.browser.answers import Refused

TIMEOUT, PAUSE = 0.25, 5.0
PREFIX = "signalize:limit"
# For each key a time up to which it is used up (GCRA). Answers the seconds to wait; then nothing is counted.
TAKE = """
local time = redis.call('TIME')
local now, wait, taken = time[1] + time[2] / 1e6, 0, {}
for number, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * number - 1]), tonumber(ARGV[2 * number])
  taken[number] = math.max(tonumber(redis.call('GET', key) or '0'), now) + interval
  wait = math.max(wait, taken[number] - now - burst * interval)
end
if wait > 0 then return string.format('%.6f', wait) end
for number, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.6f', taken[number]), 'EX', math.ceil(taken[number] - now) + 1)
end
return '0'
"""
log = logging.getLogger(__name__)


class TooOften(Refused):
    """``seconds`` until it is worth another try."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(429, "too_many_requests", f"That was a lot. Try again in {self.seconds} seconds.")


@dataclass(frozen=True)
class Limit:
    """Requests of a client a minute, at most ``burst`` at once; and a second of everybody at a website."""

    name: str
    a_minute: int
    burst: int
    together_a_second: int

    def check(self, request: HttpRequest, secure_code: str = "") -> None:
        """Counts this request. Raises TooOften."""
        keys = [f"{PREFIX}:{self.name}:{secure_code}"]
        values: list[float] = [1 / self.together_a_second, 2 * self.together_a_second]
        if client := _client(request):
            # Whatever website they name: a stranger could make secure codes up.
            keys.append(f"{PREFIX}:{self.name}::{client}")
            values += [60 / self.a_minute, self.burst]
        if (seconds := float(_ask(keys, values))) > 0:
            raise TooOften(seconds)


def wait_of_user(name: str, user_id: int, *, a_minute: int, burst: int) -> float:
    """Counts what a member of the staff does: 0, or the seconds to wait where it was too often."""
    return _ask([f"{PREFIX}:{name}::user-{user_id}"], [60 / a_minute, burst])


READING = Limit("reading", 240, 120, 3_000)
SUBSCRIBING = Limit("subscribing", 10, 20, 300)
DESCRIBING = Limit("describing", 30, 30, 300)
EVENTS = Limit("events", 60, 60, 1_000)
REPORTS = Limit("reports", 120, 120, 5_000)


def address(request: HttpRequest) -> str:
    """The client's address: what the outermost of our own proxies saw. The rest are claims."""
    claimed = request.headers.get("X-Forwarded-For", "").split(",")
    hops = [*filter(None, map(str.strip, claimed)), request.META.get("REMOTE_ADDR", "")]
    return hops[-1 - min(settings.TRUSTED_PROXIES, len(hops) - 1)]


def _client(request: HttpRequest) -> str:
    """A name for the client that can't be led back to its address. Empty where many share the address."""
    try:
        ip = ipaddress.ip_address(address(request))
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if not ip.is_global:
        return ""
    # A household has a whole /64 of IPv6 addresses.
    packed = ip.packed if ip.version == 4 else ip.packed[:8]
    return hmac.digest(_salt(datetime.datetime.now(datetime.UTC).date()), packed, "sha256")[:12].hex()


@functools.lru_cache(maxsize=1)
def _salt(day: datetime.date) -> bytes:
    """Today's, the same for every process, and gone after tomorrow."""
    own = secrets.token_hex(16)
    try:
        key = f"signalize:salt:{day}"
        _valkey().set(key, own, nx=True, ex=2 * 86_400)
        return str(_valkey().get(key) or own).encode()
    except (RedisError, ValueError):
        return own.encode()


@functools.cache
def _valkey() -> redis.Redis:
    url = settings.LIMITS_URL or settings.CELERY_BROKER_URL
    url = url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    return redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
    )


class _Breaker:
    """While Valkey is away nobody is held up by asking it, and everybody is let in."""

    until = 0.0


def _ask(keys: list[str], values: list[float]) -> float:
    if time.monotonic() < _Breaker.until:
        return 0.0
    try:
        return float(_take()(keys=keys, args=values))
    except (RedisError, ValueError) as error:
        _Breaker.until = time.monotonic() + PAUSE
        log.warning("Requests are not being limited: the broker can't be asked. %s", error)
        return 0.0


@functools.cache
def _take() -> redis.commands.core.Script:
    return _valkey().register_script(TAKE)
