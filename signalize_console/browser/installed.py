"""Whether a website serves today's service worker at its root: as a copy, or by the line that loads it."""

import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urlsplit

from signalize_console.browser.scripts import script
from signalize_console.webhooks.looking import Look, Page, answers, looking
from signalize_console.webpush.transport import Answer
from signalize_console.websites.origins import is_local

SECONDS = 5.0
MOST_TEXT = 256 * 1024
BY_LINE = re.compile(r"""importScripts\(\s*["'`](?P<server>https?://[^"'`/]+)/sw\.js["'`]""")
MARK = "/signalize-report/"


class Installed(StrEnum):
    CURRENT = "current"
    BY_LINE = "by_line"  # always the newest
    OUTDATED = "outdated"
    OTHER_SERVER = "other_server"  # it reports elsewhere
    FOREIGN = "foreign"  # some other script
    MISSING = "missing"
    REDIRECTED = "redirected"  # browsers refuse that
    NOT_A_SCRIPT = "not_a_script"  # by its Content-Type
    UNREACHABLE = "unreachable"
    LOCAL = "local"  # on somebody's own computer: it can't be looked at from here


class Fetch(Look):
    def _body(self, data: bytes) -> int:
        self.text += data
        return len(data) if len(self.text) <= MOST_TEXT else -1


def look(origins: Iterable[str], server: str) -> dict[str, tuple[Installed, str]]:
    """What each of these origins has at /sw.js, with the reason of one that could not be reached.

    ``server`` is our own origin. Only public addresses are dialled, whatever a name says.
    """
    origins = list(dict.fromkeys(origins))
    found = {one: (Installed.LOCAL, "") for one in origins if is_local(urlsplit(one).hostname or "")}
    found |= {one: (Installed.CURRENT, "") for one in origins if one == server}
    with looking(SECONDS, Fetch) as transport:
        for origin in origins:
            if origin not in found:
                transport.submit(Page(origin, f"{origin}/sw.js"))  # type: ignore[arg-type]
        looked_at = list(answers(transport, SECONDS + 1))
    return found | {one.request.id: (_judge(one, server), one.error) for one in looked_at}


def _judge(answer: Answer, server: str) -> Installed:
    if not answer.status:
        return Installed.UNREACHABLE
    if 300 <= answer.status < 400:
        return Installed.REDIRECTED
    if answer.status != 200:
        return Installed.MISSING
    if "javascript" not in answer.headers["content-type"].lower():
        return Installed.NOT_A_SCRIPT
    return of_script(answer.text, server)


def of_script(text: str, server: str) -> Installed:
    """What this script is to us. A site's own worker may stand around it."""
    if by_line := BY_LINE.search(text):
        return Installed.BY_LINE if by_line["server"] == server else Installed.OTHER_SERVER
    before, after = script("service-worker.js").split("SIGNALIZE_SERVER")
    start = text.find(before)
    if start < 0 or after not in text:
        return Installed.OUTDATED if MARK in text else Installed.FOREIGN
    named = text[start + len(before) :].split(after, maxsplit=1)[0]
    return Installed.CURRENT if named == server else Installed.OTHER_SERVER
