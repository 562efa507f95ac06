"""RSS and Atom: fetched from public addresses only, and read without entities or external files."""

import hashlib
import io
import json
import socket
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError

import certifi
import pycurl
from defusedxml import DefusedXmlException, ElementTree
from django.conf import settings
from django.utils.translation import gettext as _

from signalize_console.webhooks.wire import places

MOST_BYTES, SECONDS, MOST_ITEMS, LONGEST = 1_000_000, 10, 100, 300
ATOM = "{http://www.w3.org/2005/Atom}"


class BrokenFeed(ValueError):
    """The feed can't be had or read; ``str()`` says why."""


class Item(NamedTuple):
    """``key`` tells it from all others; ``facts`` are for the texts: item_title, item_link, item_summary."""

    key: str
    facts: dict[str, str]


def items(url: str) -> list[Item]:
    """The newest first, as feeds are written. Raises BrokenFeed."""
    return read(fetch(url))


def read(body: bytes) -> list[Item]:
    try:
        root = ElementTree.fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise BrokenFeed(_("The feed can't be read: it isn't RSS or Atom.")) from error
    found = [*root.iter("item"), *root.iter(f"{ATOM}entry")][:MOST_ITEMS]
    if not found and root.tag not in {"rss", f"{ATOM}feed"}:
        raise BrokenFeed(_("The feed can't be read: it isn't RSS or Atom."))
    return [_item(one) for one in found]


def as_json(facts: Any) -> str:
    return json.dumps(facts)


def _item(element: Element) -> Item:
    title, link = _text(element, "title"), _text(element, "link")
    atom_link = next(
        (one for one in element.iter(f"{ATOM}link") if one.get("rel", "alternate") == "alternate"), None
    )
    if atom_link is not None:
        link = atom_link.get("href", "")[:LONGEST]
    identity = _text(element, "guid") or _text(element, "id") or link or title
    summary = _text(element, "description") or _text(element, "summary")
    facts = {"item_title": title, "item_link": link, "item_summary": summary}
    return Item(hashlib.sha256(identity.encode()).hexdigest()[:32], facts)


def _text(element: Element, name: str) -> str:
    for one in (name, f"{ATOM}{name}"):
        if (found := element.findtext(one)) and found.strip():
            return found.strip()[:LONGEST]
    return ""


def fetch(url: str) -> bytes:
    """No redirects, no proxies, TLS verified; the address is looked at when it is dialled."""
    allowed, body, refused = places(), io.BytesIO(), []
    opened: list[socket.socket] = []

    def open_socket(purpose: int, address: Any) -> Any:
        if purpose != pycurl.SOCKTYPE_IPCXN or not allowed.may_dial(*address.addr[:2]):
            refused.append(True)
            return pycurl.SOCKET_BAD
        # pycurl duplicates what we return: ours is closed when the request has ended.
        opened.append(socket.socket(address.family, address.socktype, address.protocol))
        return opened[-1]

    def write(data: bytes) -> int:
        return body.write(data) if body.tell() + len(data) <= MOST_BYTES else 0

    curl = pycurl.Curl()
    options = {
        pycurl.URL: url,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTPS,
        pycurl.FOLLOWLOCATION: False,
        pycurl.PROXY: "",
        pycurl.NOSIGNAL: True,
        pycurl.TIMEOUT: SECONDS,
        pycurl.CAINFO: settings.WEBHOOK_CA or certifi.where(),
        pycurl.CONNECT_TO: list(allowed.connect_to),
        pycurl.OPENSOCKETFUNCTION: open_socket,
        pycurl.WRITEFUNCTION: write,
    }
    try:
        for option, value in options.items():
            curl.setopt(option, value)
        curl.perform()
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error as error:
        if refused:
            raise BrokenFeed(_("The feed's address isn't public. Nothing was fetched.")) from error
        raise BrokenFeed(_("The feed can't be fetched: %s") % str(error.args[-1])[:200]) from error
    finally:
        curl.close()
        for one in opened:
            one.close()
    if status != 200:
        raise BrokenFeed(_("The feed's server answered with status %d. Redirects aren't followed.") % status)
    return body.getvalue()
