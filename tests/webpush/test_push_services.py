"""Endpoints come from strangers: which are believed, and which addresses are ever dialled."""

import ipaddress

import pycurl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalize_console.webpush.push_services import HOSTS, SUFFIXES, EndpointRefused, PushServices

KNOWN = PushServices()


@pytest.mark.parametrize(
    ("url", "origin", "service"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:DEF_-", "https://fcm.googleapis.com", "fcm"),
        ("https://jmt17.google.com/fcm/send/abc", "https://jmt17.google.com", "fcm"),
        (
            "https://updates.push.services.mozilla.com/wpush/v2/x",
            "https://updates.push.services.mozilla.com",
            "mozilla",
        ),
        ("https://web.push.apple.com/QAbc", "https://web.push.apple.com", "apple"),
        (
            "https://wns2-par02p.notify.windows.com/w/?token=a%2bb",
            "https://wns2-par02p.notify.windows.com",
            "wns",
        ),
        ("https://fcm.googleapis.com:443/x", "https://fcm.googleapis.com", "fcm"),
    ],
)
def test_it_takes_the_known_push_services(url: str, origin: str, service: str) -> None:
    endpoint = KNOWN.parse(url)
    assert (endpoint.origin, endpoint.service) == (origin, service)


HOSTILE = [
    "",
    "https://",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://[::1]/x",
    "https://169.254.169.254/latest/x.google.com/",
    "http://fcm.googleapis.com/x",
    "ftp://fcm.googleapis.com/x",
    "javascript:alert(1)//fcm.googleapis.com/",
    "https://fcm.googleapis.com",
    "https://fcm.googleapis.com:8443/x",
    "https://fcm.googleapis.com:0443x/x",
    "https://user@fcm.googleapis.com/x",
    "https://user:pass@fcm.googleapis.com/x",
    "https://127.0.0.1\\@fcm.googleapis.com/",
    "https://127.0.0.1\\.fcm.googleapis.com/",
    "https://fcm.googleapis.com\\@127.0.0.1/",
    "https://fcm.googleapis.com@127.0.0.1/",
    "https://fcm.googleapis.com#@127.0.0.1/",
    "https://fcm.googleapis.com?x=/",
    "https://fcm.googleapis.com.evil.example/x",
    "https://evilfcm.googleapis.com/x",
    "https://evil.example/fcm.googleapis.com/",
    "https://evil.example/.push.apple.com/",
    "https://push.apple.com.evil.example/x",
    "https://.push.apple.com/x",
    "https://a..push.apple.com/x",
    "https://evilpush.apple.com/x",
    "https://fcm.googleapis.com./x",
    "https://FCM.googleapis.com/x",
    "https://fcm.googleapis.com/x y",
    "https://fcm.googleapis.com/x\r\nHost: evil",
    "https://fcm.googleapis.com/x\x00",
    "https://fcm.googleapis.com/\N{LATIN SMALL LETTER U WITH DIAERESIS}",
    "https://fcm。googleapis。com/x",
    "https://fcm.googleapis.com/" + "x" * 2048,
    "//fcm.googleapis.com/x",
    " https://fcm.googleapis.com/x",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_it_refuses_everything_else(url: str) -> None:
    with pytest.raises(EndpointRefused):
        KNOWN.parse(url)


PIECES = ["https://", "http://", "fcm.googleapis.com", "web.push.apple.com", "127.0.0.1", "evil.example", "@", ":", "/",
          "\\", "#", "?", ".", "443", "80", "x", "%2e", "%00", "[::1]", "-", "é"]  # fmt: skip


def dialled(url: str) -> str:
    """The host that libcurl itself would connect to; nothing is really dialled."""
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    # Whatever the name: nothing is looked up.
    curl.setopt(pycurl.CONNECT_TO, ["::127.0.0.1:443"])
    curl.setopt(pycurl.OPENSOCKETFUNCTION, lambda *_facts: pycurl.SOCKET_BAD)
    curl.setopt(pycurl.PROXY, "")
    try:
        curl.perform()
    except pycurl.error as error:
        if error.args[0] == pycurl.E_URL_MALFORMAT:
            return "malformed"
    host = curl.getinfo(pycurl.EFFECTIVE_URL).split("/")[2].split("@")[-1].rsplit(":", 1)[0]
    curl.close()
    return host


@settings(max_examples=10_000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join))
def test_what_it_takes_leads_libcurl_to_an_allowed_host(url: str) -> None:
    try:
        endpoint = KNOWN.parse(url)
    except EndpointRefused:
        return
    assert endpoint.host in HOSTS or endpoint.host.endswith(tuple(SUFFIXES))
    assert dialled(url) == endpoint.host


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "192.0.0.192",
     "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "::127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe",
     "64:ff9b:1::1", "2002:7f00:1::1", "fc00::1", "fe80::1", "fec0::1", "ff02::1", "nonsense", ""],
)  # fmt: skip
def test_it_never_dials_inside(address: str) -> None:
    assert not KNOWN.may_dial(address, 443)


def test_it_dials_public_addresses_on_443_only() -> None:
    assert KNOWN.may_dial("142.250.185.74", 443)
    assert KNOWN.may_dial("2a00:1450:4001:80f::200a", 443)
    assert not KNOWN.may_dial("142.250.185.74", 80)


@given(st.ip_addresses())
def test_what_it_dials_is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if KNOWN.may_dial(str(address), 443):
        assert address.is_global
        assert not address.is_multicast


def test_an_operator_adds_a_push_service_and_leads_another_elsewhere() -> None:
    services = PushServices.from_text(
        "https://push.example.org:8443, https://jmt17.google.com=127.0.0.1:9443"
    )

    assert services.parse("https://push.example.org:8443/x").service == "other"
    assert services.connect_to == ("jmt17.google.com:443:127.0.0.1:9443",)
    assert services.may_dial("127.0.0.1", 9443)
    assert not services.may_dial("127.0.0.1", 5432)
    with pytest.raises(EndpointRefused):
        services.parse("https://push.example.org/x")


@pytest.mark.parametrize(
    "text", ["push.example.org", "http://push.example.org", "https://x=y", "https://a/b", "https://x=1.2.3.4"]
)
def test_a_bad_entry_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="SIGNALIZE_PUSH_SERVICES"):
        PushServices.from_text(text)
