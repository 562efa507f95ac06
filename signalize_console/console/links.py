"""Whether the links and pictures of a message answer: asked where they lead. It blocks nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.utils.encoding import iri_to_uri, punycode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.browser.limits import wait_of_user
from signalize_console.messaging.content import Content, Text
from signalize_console.messaging.lint import LINKS, Remark, of_weight
from signalize_console.messaging.media import Media
from signalize_console.messaging.pictures import PictureKind
from signalize_console.messaging.placeholders import MissingValue, fill_link
from signalize_console.webhooks.looking import Page, answers, looking
from signalize_console.webpush.transport import Answer
from signalize_console.websites.models import Website
from signalize_console.websites.origins import is_local

# All together; a page that takes longer isn't waited for.
SECONDS = 3.0
MOST_ASKED, MOST_REDIRECTS = 10, 4
KEPT_SECONDS = 300
# Looks of one member of the staff: the console must not be made a scanner.
A_MINUTE, BURST = 10, 10
REDIRECTS = {301, 302, 303, 307, 308}
GONE = {404, 410}
SLOW, ENDLESS = "slow", "endless"
UNREACHED = gettext_lazy("The console doesn't reach this address. Open it once yourself.")
ERRORS = {
    SLOW: gettext_lazy(
        "What is behind this address didn't answer within 3 seconds. Visitors don't wait long."
    ),
    ENDLESS: gettext_lazy(
        "This address leads on and on, from one to the next. Open it once, and correct it."
    ),
    "name_not_resolved": gettext_lazy(
        "The console finds no server of this name. Open it once, and correct it."
    ),
    "address_refused": gettext_lazy("This address leads into a private network, where no visitor gets."),
    "certificate_refused": gettext_lazy("Browsers warn of this address: its certificate isn't valid."),
}


class Found(NamedTuple):
    """``status`` 0: no answer, for the reason in ``error``. ``weight`` in bytes, where it is told."""

    status: int = 0
    error: str = ""
    weight: int = 0


class Place(NamedTuple):
    """Where in a message an address stands: in a field of a text, or of the message."""

    field: str
    text: Text | None
    url: str


class Said(NamedTuple):
    """``asked``: how many addresses were looked at; ``wait``: in how many seconds the others may be."""

    remarks: list[Remark]
    asked: int = 0
    wait: float = 0.0


def may_ask(user: Any) -> bool:
    """Who writes, sends or approves messages: only to look is no reason to have us ask."""
    deeds = ("add_pushmessage", "change_pushmessage", "send_pushmessage", "approve_pushmessage")
    return settings.LINK_CHECK and any(user.has_perm(f"messaging.{deed}") for deed in deeds)


def remarks(message: Content, texts: Sequence[Text], website: Website | None, user: Any) -> Said:
    """What this member of the staff should know of where the message leads."""
    if website is None:
        return Said([])
    places = list(_places(message, texts, website))
    urls = list(dict.fromkeys(place.url for place in places))[:MOST_ASKED]
    found = {url: known for url in urls if (known := cache.get(_key(url)))}
    wait = 0.0
    if new := [url for url in urls if url not in found]:
        wait = wait_of_user("links", user.pk, a_minute=A_MINUTE, burst=BURST)
        found |= {} if wait else _ask_and_keep(new, website.origins)
    said = [
        Remark(sentence, place.field, place.text)
        for place in places
        if place.url in found and (sentence := _sentence(place.field, found[place.url]))
    ]
    return Said(said, len(found), wait)


def _places(message: Content, texts: Sequence[Text], website: Website) -> Iterator[Place]:
    """What may be asked of them, but for the pictures that we serve ourselves.

    Placeholders are as for who has no value: nobody's values leave the house for this.
    """
    written: list[tuple[str, Text | None, str]] = []
    for text in texts:
        for field in LINKS:
            with suppress(MissingValue):
                written.append((field, text, fill_link(getattr(text, field), {})))
    pictures = {kind: getattr(message, kind) for kind in PictureKind}
    names = {kind: PurePosixPath(url.partition("?")[0]).name for kind, url in pictures.items()}
    own = Media.objects.filter(website=website, file_name__in=names.values())
    known = set(own.values_list("file_name", flat=True)) if any(pictures.values()) else set()
    written += [(kind, None, url) for kind, url in pictures.items() if names[kind] not in known]
    for field, its_text, url in written:
        if askable := _askable(url, website.origins):
            yield Place(field, its_text, askable)


def _askable(url: str, origins: Sequence[str]) -> str:
    """As a request writes it; "" for what isn't asked.

    The usual port of https, or an origin of the website's own: what else there is, is nobody's to find out.
    """
    try:
        parts = urlsplit(url)
        host, port = punycode(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    is_usual = port in (None, 443) or f"https://{parts.netloc}" in origins
    if parts.scheme != "https" or not host or parts.username or is_local(host) or not is_usual:
        return ""
    bracketed = f"[{host}]" if ":" in host else host
    netloc = bracketed if port in (None, 443) else f"{bracketed}:{port}"
    return str(iri_to_uri(parts._replace(netloc=netloc, fragment="").geturl()))


def ask(urls: Iterable[str], origins: Sequence[str]) -> dict[str, Found]:
    """What answers there now. A redirect is asked anew, so that each address is judged by itself."""
    found = dict.fromkeys(urls, Found(error=SLOW))
    with looking(SECONDS) as transport:

        def submit(url: str, at: str, hops: int = 0, method: str = "HEAD") -> None:
            transport.submit(Page((url, hops), at, method=method))  # type: ignore[arg-type]

        for url in found:
            submit(url, url)
        for answer in answers(transport, SECONDS):
            page: Any = answer.request
            url, hops = page.id
            target = _askable(_target(page, answer), origins)
            if target and hops < MOST_REDIRECTS:
                submit(url, target, hops + 1)
            elif answer.status >= 400 and page.method == "HEAD":
                # Some servers don't know HEAD, and say all sorts of things to it.
                submit(url, page.url, hops, "GET")
            else:
                found[url] = _found(answer, is_endless=bool(target))
    return found


def _target(page: Page, answer: Answer) -> str:
    """Where a redirect leads; "" for what is none."""
    if answer.status not in REDIRECTS:
        return ""
    location = answer.headers.get("location", "").encode("latin-1").decode(errors="replace")
    try:
        return urljoin(page.url, location)
    except ValueError:
        return ""


def _found(answer: Answer, *, is_endless: bool) -> Found:
    if is_endless:
        return Found(error=ENDLESS)
    timed_out = "timeout" in answer.error or "stopped" in answer.error
    return Found(
        answer.status,
        SLOW if timed_out else answer.error,
        int(answer.headers.get("content-length") or 0),
    )


def _ask_and_keep(urls: Sequence[str], origins: Sequence[str]) -> dict[str, Found]:
    found = ask(urls, origins)
    cache.set_many({_key(url): one for url, one in found.items()}, KEPT_SECONDS)
    return found


def _key(url: str) -> str:
    return f"link-{hashlib.sha256(url.encode()).hexdigest()}"


def _sentence(field: str, found: Found) -> str:
    """What a person should know, or "". Where only we are refused (401, 403, 429), visitors may not be."""
    if found.status in GONE:
        return _("This address leads to nothing (%d). Open it once, and correct it.") % found.status
    if found.status >= 500:
        return _("What is behind this address answers with an error (%d). Open it once.") % found.status
    if not found.status:
        return str(ERRORS.get(found.error, UNREACHED))
    return of_weight(field, found.weight) if field in PictureKind.values else ""
