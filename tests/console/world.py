"""One of each thing that the console has a page for, and the addresses of all its pages."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from axes.models import AccessAttempt
from django.contrib import admin  # noqa: TID251 - its registry names every page
from django.contrib.auth.models import Group, User
from django.urls import URLResolver
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from signalize_console.activity.models import Event
from signalize_console.api.models import ApiKey
from signalize_console.audiences.models import RecipientList, Segment
from signalize_console.automations import rules
from signalize_console.automations.models import Rule, Run
from signalize_console.console import audit
from signalize_console.deliveries import outbox
from signalize_console.deliveries.alerts import Alert
from signalize_console.deliveries.models import Attempt, Delivery, Heartbeat
from signalize_console.messaging.models import (
    Media,
    MessageTemplate,
    PushMessage,
    PushMessageText,
    TemplateText,
)
from signalize_console.recipients import consent
from signalize_console.recipients.imports import Import
from signalize_console.recipients.models import ConsentKind, Recipient
from signalize_console.webhooks import endpoints
from signalize_console.webhooks.models import WebhookDelivery
from signalize_console.websites import asking
from signalize_console.websites.models import Interest, Website
from tests.makers import make_message, make_subscription, make_text

GERMAN = {"field": "language", "op": "equals", "value": "de"}


def furnish(website: Website, said: str = "Something") -> None:
    """One of each thing of a website, which says this wherever people may write."""
    template = MessageTemplate.objects.create(website=website, name=said[:100])
    words = {"title": said[:90], "message": said, "link": "https://shop.example/"}
    TemplateText.objects.create(template=template, language="en", standard=True, **words)
    segment = Segment.objects.create(website=website, name=said[:100], definition=GERMAN)
    recipient = make_subscription(website).recipient
    recipient.customer_id, recipient.time_zone = said[:128], said[:64]
    recipient.attributes = {said: said}
    recipient.save()
    text = make_text(title=said[:90], message=said, first_button=said[:30])
    sent = outbox.send(make_message(website, sent_by=said[:200]), [text], [recipient])
    _log(website, sent.message_id, said)
    draft = make_message(website, segment=segment)
    draft.save()
    PushMessageText.objects.create(push_message=draft, language="en", standard=True, **words)
    ApiKey.issue(website, said[:100], by=said[:100])
    endpoint = endpoints.create(website, "https://hooks.example.com/", ["clicked"]).endpoint
    now = timezone.now()
    WebhookDelivery.objects.create(
        endpoint=endpoint,
        webhook_id="event-1",
        kind="clicked",
        answer=said[:500],
        occurred_at=now,
        give_up_at=now,
    )
    _furnish_more(website, segment, recipient, said)
    opt_in = asking.opt_in_of(website)
    Interest.objects.create(opt_in=opt_in, key="sale", name=said[:60], names={"de": said})
    asking.publish(opt_in)
    consent.log(recipient, ConsentKind.GIVEN, said[:255], said[:64])
    Alert.objects.create(website=website, kind="configuration", push_service="fcm", answer=said[:500])
    Event.objects.create(
        day=now.date(),
        website=website,
        recipient=recipient,
        kind="event",
        name=said[:64],
        properties={said: said},
    )


def _furnish_more(website: Website, segment: Segment, recipient: Recipient, said: str) -> None:
    """A list, a picture, an import, and an automation with a run."""
    RecipientList.objects.create(website=website, name=said[:100])
    sizes = {"width": 1, "height": 1, "weight": 1}
    Media.objects.create(
        website=website, kind="icon", name=said[:100], file_name="0.png", uploaded_by=said[:200], **sizes
    )
    Import.objects.create(
        website=website, file_name=said[:200], state="failed", error=said[:500], by=said[:150]
    )
    rule = Rule(website=website, name=said[:100])
    template = MessageTemplate.objects.get(website=website)
    version = rules.save(rule, {
        "when": {"kind": "event", "name": said[:64]}, "if": {"segment": segment.pk}, "steps": [{"send": {"template": template.pk}}]
    })  # fmt: skip
    Run.objects.create(
        rule=rule, version=version, recipient=recipient, trigger=said[:100], triggered_at=timezone.now(),
        facts={said: said}, state="dropped", why="by_hand", ended_at=timezone.now(),
    )  # fmt: skip


def _log(website: Website, message_id: int | None, said: str) -> None:
    delivery = Delivery.objects.get(push_message_id=message_id)
    Delivery.objects.filter(pk=delivery.pk).update(state="failed", reason=said[:64])
    Attempt.objects.create(
        day=delivery.day, delivery=delivery, number=1, outcome="retry", reason=said[:64], answer=said[:500],
        milliseconds=1,
    )  # fmt: skip


def furnish_operations(said: str = "Something") -> None:
    """What belongs to no website."""
    user = User.objects.create_user(
        f"staff {said}"[:150], first_name=said[:150], email=said[:200], is_staff=True
    )
    Group.objects.create(name=f"{said}"[:150])
    AccessAttempt.objects.create(username=said[:255], user_agent=said[:255], failures_since_start=1)
    Heartbeat.objects.create(kind="worker", name=said[:100], beat_at=timezone.now())
    every_day = IntervalSchedule.objects.create(every=1, period="days")
    PeriodicTask.objects.create(name=said[:200], task=said[:200], interval=every_day)
    audit.record(user, "added", "auth.user", user.pk, detail=said)


class Address(NamedTuple):
    """``name`` is the URL's, or its route where it has none."""

    name: str
    route: str
    parameters: tuple[str, ...]

    def path(self, model_of: Any = None) -> str:
        """With the newest row of the class that the address is about, or of ``model_of(class)``."""
        path = f"/admin/{self.route}"
        for parameter in self.parameters:
            value = VALUES.get(parameter) or newest(self.name, parameter, model_of)
            path = path.replace(path[path.index("<") : path.index(">") + 1], str(value), 1)
        return path


VALUES = {"app_label": "messaging", "url": "nowhere/", "content_type_id": 1, "browser_id": 0}
ALSO = {"reports_message": PushMessage}
CLASSES = {f"{model._meta.app_label}_{model._meta.model_name}": model for model in admin.site._registry}


def class_of(name: str) -> Any:
    return ALSO.get(name) or next((CLASSES[start] for start in CLASSES if name.startswith(f"{start}_")), None)


def newest(name: str, parameter: str, rows_of: Any = None) -> object:
    """The id for an address: of the class in the parameter's name, if there is one, else of the page's own."""
    model = Website if parameter == "website_id" else class_of(name)
    rows = rows_of(model) if rows_of and model else model._default_manager.all() if model else None
    row = rows.order_by("-pk").first() if rows is not None else None
    return row.pk if row else 0


def addresses() -> list[Address]:
    """Every address of the console, as the resolver has them."""
    return sorted(_walk(admin.site.get_urls(), ""))


def _walk(patterns: Any, before: str) -> Iterator[Address]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif route.startswith("^(?P<app_label>"):
            yield Address(pattern.name, "<app_label>/", ("app_label",))
        elif route.endswith("(?P<url>.*)$"):
            yield Address("<url>", "<url>", ("url",))
        else:
            yield Address(pattern.name or route, route, tuple(pattern.pattern.converters))
