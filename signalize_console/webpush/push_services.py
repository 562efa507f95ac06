"""Which push services an installation talks to, and which addresses it dials for that.

Subscription endpoints come from strangers: the host is compared by label against a list, and the address
that is really dialled is looked at once more when connecting, so that no name can lead inside.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

SERVICES = ("fcm", "mozilla", "apple", "wns", "other")
HOSTS = {
    "fcm.googleapis.com": "fcm",
    "android.googleapis.com": "fcm",
    "jmt17.google.com": "fcm",
    "updates.push.services.mozilla.com": "mozilla",
}
SUFFIXES = {
    ".push.services.mozilla.com": "mozilla",
    ".push.apple.com": "apple",
    ".notify.windows.com": "wns",
}
# One host of each, as far as it is known which there are.
ORIGINS = {
    "fcm": "https://fcm.googleapis.com",
    "mozilla": "https://updates.push.services.mozilla.com",
    "apple": "https://web.push.apple.com",
    "wns": "https://wns2-par02p.notify.windows.com",
}
LONGEST_ENDPOINT = 2_048

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = rf"(?:{LABEL}\.)*{LABEL}"
# Scheme and host as browsers write them, in lower case; then a path of the characters of RFC 3986.
ENDPOINT = re.compile(
    rf"https://(?P<host>{HOST})(?::(?P<port>[0-9]{{1,5}}))?/[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*"
)
ENTRY = re.compile(
    rf"(?P<origin>https://(?P<host>{HOST})(?::(?P<port>[0-9]{{1,5}}))?)"
    r"(?:=(?P<address>[0-9.]+|\[[0-9a-f:]+\]):(?P<to>[0-9]{1,5}))?"
)
# What ipaddress calls global, and yet leads inside or nowhere.
DENIED = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3"),
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16"),
        *("fc00::/7", "fe80::/9", "ff00::/8"),
    )
]


class EndpointRefused(ValueError):
    """This is no endpoint of a push service that we talk to."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked endpoint. ``origin`` is the VAPID audience, ``service`` its push service's short name."""

    url: str
    origin: str
    host: str
    port: int
    service: str


@dataclass(frozen=True)
class PushServices:
    """The allow-list: the known push services, and further origins that the operator named."""

    extra: frozenset[tuple[str, int]] = frozenset()
    connect_to: tuple[str, ...] = ()
    local: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def from_text(cls, text: str) -> "PushServices":
        """From SIGNALIZE_PUSH_SERVICES: ``https://push.example.org`` or, for development,
        ``https://jmt17.google.com=127.0.0.1:8443``; several with commas or spaces."""
        return cls.of(text.replace(",", " ").split())

    @classmethod
    def of(cls, entries: Iterable[str]) -> "PushServices":
        extra, connect_to, local = set(), [], set()
        for entry in entries:
            match = ENTRY.fullmatch(entry)
            if not match:
                raise ValueError(
                    f"SIGNALIZE_PUSH_SERVICES has {entry[:200]!r}. Write https://push.example.org, "
                    "or https://push.example.org=127.0.0.1:8443 to send its traffic elsewhere."
                )
            host, port = match["host"], int(match["port"] or 443)
            extra.add((host, port))
            if match["address"]:
                connect_to.append(f"{host}:{port}:{match['address']}:{match['to']}")
                local.add((match["address"].strip("[]"), int(match["to"])))
            elif host in {"localhost", "127.0.0.1"}:
                local |= {("127.0.0.1", port), ("::1", port)}
        return cls(frozenset(extra), tuple(connect_to), frozenset(local))

    def parse(self, url: str) -> Endpoint:
        """Checks an endpoint by parts, never by prefix. Raises EndpointRefused."""
        if len(url) > LONGEST_ENDPOINT:
            raise EndpointRefused(f"The endpoint is longer than {LONGEST_ENDPOINT} characters.")
        match = ENDPOINT.fullmatch(url)
        if not match:
            raise EndpointRefused("The endpoint is not a plain https address.")
        host, port = match["host"], int(match["port"] or 443)
        service = self._service(host)
        if (host, port) not in self.extra and (service == "other" or port != 443):
            raise EndpointRefused(
                f"{host[:100]} is not a push service that this installation talks to. "
                "The operator can add it to SIGNALIZE_PUSH_SERVICES."
            )
        origin = f"https://{host}" if port == 443 else f"https://{host}:{port}"
        return Endpoint(url, origin, host, port, service)

    def allows(self, url: str) -> bool:
        """Whether ``parse`` takes it."""
        try:
            self.parse(url)
        except EndpointRefused:
            return False
        return True

    @staticmethod
    def _service(host: str) -> str:
        if host in HOSTS:
            return HOSTS[host]
        return next((name for suffix, name in SUFFIXES.items() if host.endswith(suffix)), "other")

    def may_dial(self, address: str, port: int) -> bool:
        """Whether a connection may go to this IP address: public ones, and what the operator named."""
        if (address, port) in self.local:
            return True
        allowed_port = port == 443 or any(port == other for _host, other in self.extra)
        return allowed_port and is_public(address)


def is_public(address: str) -> bool:
    """Whether this IP address is one that everybody on the internet sees alike."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return ip.is_global and not any(ip in network for network in DENIED if network.version == ip.version)
