"""The first five steps of the self-test: what each finds, in words, with the remedy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from signalize_console.browser import installed
from signalize_console.console.access import of_own_websites, own_websites
from signalize_console.console.check_words import INSTALLED, WHO
from signalize_console.console.reasons import in_words, service_name
from signalize_console.console.troubles import SILENT, differences
from signalize_console.deliveries import health, reaching, wake
from signalize_console.webpush import vapid
from signalize_console.websites.models import VapidKey, Website

TONES = ("bad", "warn", "busy", "quiet", "good")
# What RFC 2606 keeps for examples: no push service would find anybody there.
EXAMPLES = ("example.com", "example.org", "example.net")
MOST_KEYS, MOST_WEBSITES = 50, 20


class Finding(NamedTuple):
    """``more`` is what to do, or what it means."""

    tone: str
    line: str
    more: str = ""


@dataclass(frozen=True)
class Step:
    """``look`` names what a click looks at; empty where the page has looked already."""

    title: str
    about: str
    look: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def tone(self) -> str:
        found = {one.tone for one in self.findings}
        return next((tone for tone in TONES if tone in found), "quiet")


def steps(user: Any, looked_at: str, server: str) -> list[Step]:
    """All five. What takes the network is looked at only where it was asked for."""
    websites = list(own_websites(user).order_by("name")[:MOST_WEBSITES])
    return [
        Step(
            _("Keys"),
            _("Each website's VAPID key can be opened, and its halves match."),
            findings=_keys(user),
        ),
        Step(
            _("Contact"),
            _("The address in our signature is one that push services accept."),
            findings=[_contact(one) for one in websites] or [Finding("quiet", _("There is no website yet."))],
        ),
        Step(
            _("Push services"),
            _("A secure connection to each is possible from this server."),
            "services",
            _services() if looked_at == "services" else [],
        ),
        Step(_("Workers"), _("Somebody sends, and keeps the time."), findings=_workers()),
        Step(
            _("Service workers"),
            _("Each website has today's service worker at /sw.js."),
            "installed",
            _installed(websites, server) if looked_at == "installed" else [],
        ),
    ]


def _keys(user: Any) -> list[Finding]:
    keys = of_own_websites(user, VapidKey.objects.select_related("website")).order_by("-id")[:MOST_KEYS]
    wrong = [finding for key in keys if (finding := _wrong_key(key))]
    good = len(keys) - len(wrong)
    said = ngettext("%d key opens and matches.", "%d keys open and match.", good) % good
    return [*wrong, *([Finding("good", said)] if good else [])] or [
        Finding("quiet", _("There is no key yet."))
    ]


def _wrong_key(key: VapidKey) -> Finding | None:
    said = {"website": key.website, "key": str(key)}
    try:
        if key.is_pair:
            return None
    except ImproperlyConfigured:
        return Finding("bad", _("%(website)s: the key %(key)s can't be opened.") % said, in_words("our_key"))
    more = _("Restore the database from a backup: no subscription made with this key can be reached.")
    return Finding("bad", _("%(website)s: the halves of the key %(key)s don't match.") % said, more)


def _contact(website: Website) -> Finding:
    said = {"website": website, "contact": website.contact}
    try:
        vapid.check_subject(website.contact)
    except ValueError:
        return Finding(
            "bad",
            _("%(website)s: push services refuse %(contact)s.") % said,
            _("Give the website a real address, such as mailto:web@your-domain."),
        )
    if website.contact.rpartition("@")[2].removeprefix("https://").partition("/")[0] in EXAMPLES:
        return Finding(
            "warn",
            _("%(website)s: %(contact)s is an example, and reaches nobody.") % said,
            _("Apple may refuse it. Give the website a real address."),
        )
    return Finding("good", f"{website}: {website.contact}")


def _services() -> list[Finding]:
    found = []
    for service, origin, reached in reaching.reach():
        said = {"service": service_name(service), "origin": origin, "ms": int(1000 * reached.seconds)}
        if reached.error:
            line = _("%(service)s can't be reached (%(origin)s).") % said
            found.append(Finding("bad", line[:1].upper() + line[1:], in_words(reached.error)))
        else:
            line = _("%(service)s is reached in %(ms)d ms (%(origin)s).") % said
            found.append(Finding("good", line[:1].upper() + line[1:]))
    return found


def _workers() -> list[Finding]:
    found = [_broker()]
    seen = health.look()
    if seen.is_elsewhere:
        line = _(
            "Nothing is sent from here: this database was restored or copied. Is this the one that sends?"
        )
        found.append(Finding("bad", line, _("An administrator decides it on the dashboard.")))
    for who, age in seen.seconds_silent.items():
        if who in seen.silent or age is None:
            found.append(Finding("bad", str(SILENT[who])))
        else:
            found.append(Finding("good", _("%(who)s: seen %(age)d s ago") % {"who": WHO[who], "age": age}))
    if seen.is_late:
        late = _("Transactional messages have been waiting for %d s.") % seen.seconds_late
        found.append(Finding("bad", late, _("Is a worker of that queue busy, or stuck? Its log says more.")))
    found += [Finding("bad", said) for said in differences(seen)]
    return found


def _broker() -> Finding:
    if wake.broker_answers():
        return Finding("good", _("The broker answers."))
    return Finding(
        "bad",
        _("The broker doesn't answer, so no worker gets anything to do."),
        _("Is Valkey or Redis running at CELERY_BROKER_URL? Nothing is lost: messages wait in the database."),
    )


def _installed(websites: Sequence[Website], server: str) -> list[Finding]:
    found = installed.look((origin for one in websites for origin in one.origins), server)
    return [_at(origin, *found[origin]) for origin in _origins(websites)]


def _origins(websites: Iterable[Website]) -> list[str]:
    return list(dict.fromkeys(origin for one in websites for origin in one.origins))


def _at(origin: str, what: Any, error: str) -> Finding:
    tone, line, more = INSTALLED[what]
    return Finding(tone, f"{origin}: {line}", str(more) or in_words(error))
