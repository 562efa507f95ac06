"""An origin (RFC 6454) as browsers send it: scheme, host, and the port where it isn't the scheme's own."""

import ipaddress
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


def validate_origin(origin: str) -> None:
    """Raises ValidationError for what no browser would send, and for http outside this computer."""
    match = ORIGIN.fullmatch(origin)
    if not match:
        raise ValidationError(
            _("%(origin)s isn't an origin. Write it like https://www.example.com, without a path."),
            params={"origin": origin},
        )
    if match["scheme"] == "http" and not is_local(match["host"]):
        raise ValidationError(
            _("%(origin)s isn't https. Browsers allow push only on https, and on localhost."),
            params={"origin": origin},
        )
    if {"http": "80", "https": "443"}[match["scheme"]] == match["port"]:
        raise ValidationError(
            _("%(origin)s names the usual port. Leave it out, as browsers do."), params={"origin": origin}
        )


def is_local(host: str) -> bool:
    """Whether browsers count this host as this computer, where http is a secure context too."""
    if host in LOCAL_HOSTS or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def validate_link(url: str) -> None:
    """A link that a notification may open or load: https, or http on this computer."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    printable = url.isprintable() and not re.search(r"[\s\\]", url)
    if not (printable and host and not parts.username and len(url) <= 2000) or not (
        parts.scheme == "https" or (parts.scheme == "http" and is_local(host))
    ):
        raise ValidationError(
            _("%(url)s isn't a link that a notification can open. Give a whole https:// address."),
            params={"url": url[:200]},
        )
