"""What keeps messages from going out, in words, with the remedy."""

from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from signalize_console import __version__
from signalize_console.console.access import of_own_websites, website_ids
from signalize_console.console.reasons import SERVICES, in_words
from signalize_console.deliveries import health, retention
from signalize_console.deliveries.alerts import Alert, AlertKind
from signalize_console.deliveries.health import Health
from signalize_console.deliveries.repeating import OUTGROWN
from signalize_console.deliveries.retention import Why
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState

MOST_TROUBLES = MOST_PARTS = 5
SENTENCES = {
    AlertKind.OUTAGE: gettext_lazy(
        "%(service)s doesn't answer. What goes there waits; one message tries it from time to time, and the "
        "rest follows when it is back. Nothing to do."
    ),
    AlertKind.CONFIGURATION: gettext_lazy(
        "%(service)s refuses us, so nothing is sent there and no subscription is touched. %(reason)s"
    ),
    AlertKind.THROTTLED: gettext_lazy(
        "%(service)s asks us to slow down, and we do. Nothing to do; fewer messages to people who never "
        "click would help."
    ),
    AlertKind.MASS_EXPIRY: gettext_lazy(
        "%(service)s calls unusually many subscriptions gone (%(answer)s of them, the usual share after the "
        "slash). Push services have been wrong about that, so none is deleted until you have judged it."
    ),
}


def sentence(alert: Alert) -> str:
    """What happens and what to do, for a person."""
    facts = {
        "service": SERVICES.get(alert.push_service, alert.push_service),
        "reason": in_words(alert.reason),
        "answer": alert.answer,
    }
    return str(SENTENCES[AlertKind(alert.kind)]) % facts


SILENT = {
    "beat": gettext_lazy("Beat gives no sign of life: nothing that has its time is started. Is it running?"),
    "worker": gettext_lazy(
        "No worker gives a sign of life, so nothing is sent. Are Celery's workers running?"
    ),
    "transactional": gettext_lazy("Nobody sends transactional messages. Does the worker of that queue run?"),
    "marketing": gettext_lazy("Nobody sends marketing messages. Does the worker of that queue run?"),
    "maintenance": gettext_lazy(
        "Nobody serves the queue “maintenance”: no webhook is told, reports stand still and nothing old is "
        "deleted. Does the worker of that queue run?"
    ),
    "automations": gettext_lazy("Nobody moves automations on. Does the worker of that queue run?"),
}


def troubles(user: Any) -> list[tuple[str, str]]:
    """What keeps messages from going out now: a sentence and where to look, the gravest first."""
    found = health.look()
    about_workers = reverse("admin:deliveries_heartbeat_changelist")
    sentences = []
    if found.is_elsewhere:
        said = _(
            "Nothing is sent from here: this database was restored or copied. Is this the one that sends?"
        )
        sentences.append((said, reverse("admin:send_from_here")))
    silent = ["worker"] if "worker" in found.silent else found.silent
    sentences += [(str(SILENT[who]), about_workers) for who in silent]
    if found.is_late:
        sentences.append(
            (_("Transactional messages have been waiting for %d s.") % found.seconds_late, about_workers)
        )
    if found.other_versions:
        said = _(
            "This web process runs version %(ours)s, others run %(others)s. Restart what was left out of the "
            "update."
        )
        facts = {"ours": __version__, "others": ", ".join(found.other_versions)}
        sentences.append((said % facts, about_workers))
    sentences += [(said, about_workers) for said in differences(found)]
    ids = website_ids(user)
    alerts = Alert.objects.open().select_related("website")
    if ids is not None:
        alerts = alerts.filter(Q(website__in=ids) | Q(website=None))
    for alert in alerts[:MOST_TROUBLES] if found.open_alerts else []:
        sentences.append((sentence(alert), reverse("admin:deliveries_alert_change", args=[alert.pk])))
    return sentences


def differences(found: Health) -> list[str]:
    """Which machines lack what all must share, and what to do."""
    said = []
    if found.keys_differ:
        text = _(
            "%(few)s: another SECRET_KEY than %(most)s. People are logged out for no reason, and what "
            "browsers report is refused. Give all machines the same, and restart these."
        )
        said.append(text % _few_and_most(found.secret_keys))
    if found.encryption_keys_differ:
        text = _(
            "%(few)s: another SIGNALIZE_KEY_ENCRYPTION_KEY than %(most)s. What is sealed with one, the "
            "others can't open: what they take up to send waits. Give all machines the same, and restart "
            "these."
        )
        said.append(text % _few_and_most(found.encryption_keys))
    if found.missing_pictures:
        facts = {"who": _some(list(found.missing_pictures)), "file": max(found.missing_pictures.values())}
        text = _(
            "%(who)s: the newest picture (%(file)s) isn't in SIGNALIZE_HOME/media, so notifications come "
            "without. With several webs, mount one directory there on all. If it was lost, bring it back "
            "from a backup, or delete it in the media library."
        )
        said.append(text % facts)
    return said


def _few_and_most(keys: dict[str, list[str]]) -> dict[str, str]:
    most, *others = sorted(keys.values(), key=lambda parts: (-len(parts), parts))
    return {"few": _some([who for group in others for who in group]), "most": _some(most)}


def _some(parts: list[str]) -> str:
    return ", ".join(parts[:MOST_PARTS]) + (", …" if len(parts) > MOST_PARTS else "")


def approvals(user: Any) -> list[tuple[str, str]]:
    """What waits for a second person, or for another review, in the form of ``troubles``."""
    states = [MessageState.AWAITING_APPROVAL, MessageState.REPEATING]
    messages = of_own_websites(user, PushMessage.objects.filter(state__in=states))
    is_outgrown = Q(state=MessageState.REPEATING, paused_because=OUTGROWN)
    found = messages.aggregate(
        waiting=Count("pk", filter=Q(state=MessageState.AWAITING_APPROVAL)),
        outgrown=Count("pk", filter=is_outgrown),
    )
    asked = ngettext(
        "%(count)d push message waits for a second person's approval.",
        "%(count)d push messages wait for a second person's approval.",
        found["waiting"],
    )
    grown = ngettext(
        "%(count)d repeated push message was not sent: far more would get it than were reviewed.",
        "%(count)d repeated push messages were not sent: far more would get them than were reviewed.",
        found["outgrown"],
    )
    page = reverse("admin:messaging_pushmessage_changelist")
    said = zip((found["waiting"], found["outgrown"]), (asked, grown), states, strict=True)
    return [
        (words % {"count": count}, f"{page}?state__exact={state.value}")
        for count, words, state in said
        if count
    ]


def old_months(user: Any) -> list[tuple[str, str]]:
    """What is kept for too long because of one of the user's push messages, in the form of ``troubles``."""
    waiting = {
        month: obstacle.message_id
        for month, obstacle in retention.waiting().items()
        if obstacle.message_id and obstacle.why in {Why.UNFINISHED, Why.OPEN}
    }
    own = of_own_websites(user, PushMessage.objects.filter(pk__in=waiting.values()))
    messages = {message.pk: message for message in own.prefetch_related("texts")}
    said = _(
        "What happened in %(month)s should be deleted by now, but “%(title)s” of that month has not ended. "
        "Finish or cancel it; later months wait for it, too."
    )
    return [
        (
            said % {"month": date_format(month, "YEAR_MONTH_FORMAT"), "title": messages[message_id].title},
            reverse("admin:messaging_pushmessage_change", args=[message_id]),
        )
        for month, message_id in waiting.items()
        if message_id in messages
    ]
