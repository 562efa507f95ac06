"""Automations with the push service double at their end, and a clock that can be moved."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from signalize_console.activity import on_behalf
from signalize_console.activity.on_behalf import Happened
from signalize_console.automations import engine, rules
from signalize_console.automations.models import Rule
from signalize_console.deliveries import politeness
from signalize_console.messaging.models import MessageTemplate, TemplateText
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.deliveries.conftest import double, running_double, subscribe, website, work

__all__ = ["double", "running_double", "subscribe", "website", "work"]

# Everything that the engine compares with the clock.
TIMES = {
    "automations_run": ["triggered_at", "due_at", "moved_at", "ended_at"],
    "automations_schedule": ["due_at", "since", "moment"],
    "automations_rule": ["on_since"],
    "activity_event": ["occurred_at"],
    "deliveries_delivery": ["due_at", "created_at"],
    "messaging_pushmessage": ["due_at", "valid_until", "scheduled_at"],
    "recipients_recipient": ["seen_at", "created_at"],
    "recipients_subscription": ["created_at", "seen_at"],
}


@pytest.fixture(autouse=True)
def _fresh_politeness() -> None:
    politeness.forget()


def pass_time(**span: float) -> None:
    """Moves all that has happened, and all appointments, into the past."""
    with connection.cursor() as cursor:
        for table, columns in TIMES.items():
            moved = ", ".join(f"{column} = {column} - %(span)s" for column in columns)
            cursor.execute(f"UPDATE {table} SET {moved}", {"span": datetime.timedelta(**span)})
        cursor.execute(
            "UPDATE deliveries_frequency SET sent_at = ARRAY(SELECT at - %(span)s FROM unnest(sent_at) at)",
            {"span": datetime.timedelta(**span)},
        )


def make_template(website: Website, title: str = "Hello", **fields: Any) -> MessageTemplate:
    template = MessageTemplate.objects.create(
        website=website, **{"name": f"{title[:80]} {MessageTemplate.objects.count()}", **fields}
    )
    TemplateText.objects.create(
        template=template, language="en", standard=True, title=title, link="https://shop.example/"
    )
    return template


MakeRule = Callable[..., Rule]


@pytest.fixture
def make_rule(website: Website) -> MakeRule:
    """A rule that is on. Without steps it sends a template called ``title`` at once."""

    def make(when: dict[str, Any], *steps: Any, title: str = "Hello", **fields: Any) -> Rule:
        settings = {
            name: fields.pop(name) for name in ("reentry", "priority", "late_after", "name") if name in fields
        }
        rule = Rule(website=website, **{"name": f"Rule {Rule.objects.count()}", **settings})
        template = make_template(website, title)
        listed = [
            step if step != "send" else {"send": {"template": template.pk}} for step in steps or ["send"]
        ]
        rules.save(rule, {"when": when, "steps": listed, **fields})
        engine.run(seconds=5)  # the cursor stands before what happens next
        rule.switch(on=True)
        return rule

    return make


def tell(recipient: Recipient, name: str, **properties: Any) -> None:
    on_behalf.record(recipient, [Happened(name, properties)])


def titles(double: Any) -> list[str]:
    return sorted(json.loads(one.plaintext)["notification"]["title"] for one in double.received)
