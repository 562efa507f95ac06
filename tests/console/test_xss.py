"""Whatever people write: in every field of every row a hostile text, then every page is read for what would run."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin  # noqa: TID251 - its registry names every page
from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.test import Client

from signalize_console.api.models import ApiKey
from signalize_console.audiences.models import Segment
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.console.test_roles import client_of
from tests.console.world import addresses, furnish, furnish_operations
from tests.makers import make_website

pytestmark = pytest.mark.django_db

MARK = "xq7"
# Each with a mark, so that what is found can't be the page's own.
CORPUS = [
    f'"><script data-{MARK}>alert(1)</script><img src=x onerror=alert(1) data-{MARK}>'
    f"'><img src=x onerror=alert(1) data-{MARK}><base href=//evil.example data-{MARK}>",
    f"</textarea></title></style></script><svg onload=alert(1) data-{MARK}>"
    f'<iframe srcdoc="<script>alert(1)</script>" data-{MARK}></iframe><style data-{MARK}>*{{display:none}}</style>',
    f'" autofocus onfocus=alert(1) data-{MARK}="{{{{ 7|add:"7" }}}}{{% now "Y" %}}<!--<b data-{MARK}>'
    f"\u2028\u202e<form action=//evil.example data-{MARK}><button>",
    f"javascript:alert('{MARK}')//",
    f"<x data-{MARK}>",
]
# Fields whose form the code itself relies on, or that are nobody's to write.
KEPT = {
    *("audiences.segment.definition", "websites.website.secure_code", "websites.vapidkey.public_key"),
    *("recipients.recipient.client_id", "websites.website.origins", "api.apikey.prefix"),
    *("auth.user.password", "auth.group.name", "recipients.subscription.endpoint"),
    *("recipients.subscription.p256dh", "recipients.subscription.auth", "api.apikey.scopes"),
    *("webhooks.webhookendpoint.kinds", "django_celery_beat.periodictask.args"),
    *("django_celery_beat.periodictask.kwargs", "django_celery_beat.periodictask.headers"),
    *("messaging.pushmessage.frozen_segment", "messaging.messagetemplate.variables"),
    *("webhooks.webhookdelivery.facts",),
}
OURS = {
    "console",
    "websites",
    "recipients",
    "activity",
    "audiences",
    "messaging",
    "deliveries",
    "webhooks",
    "api",
}


def hostile(field: Any, row: Any, text: str) -> Any:
    """A value for the field that says it, other than in the next row; None where it can't say anything."""
    name = f"{field.model._meta.label_lower}.{field.name}"
    if name in KEPT or field.choices or field.primary_key or isinstance(field, models.UUIDField):
        return None
    if isinstance(field, models.CharField | models.TextField):
        return f"{text[: (field.max_length or 10_000) - len(str(row.pk))]}{row.pk}"[: field.max_length]
    if isinstance(field, models.JSONField):
        return {text: [text, {text: text}]}
    if isinstance(field, ArrayField) and isinstance(field.base_field, models.CharField):
        return [text[: field.base_field.max_length]]
    return None


def poison(text: str) -> int:
    """Writes it into all fields of all rows, past every check; how many fields that were."""
    written = 0
    for model in apps.get_models():
        is_shown = model in admin.site._registry or model._meta.app_label in OURS
        if not is_shown or model._meta.label_lower == "console.auditrecord":
            continue
        for row in model._default_manager.all():
            values = {field.name: hostile(field, row, text) for field in model._meta.concrete_fields}
            values = {name: value for name, value in values.items() if value is not None}
            model._default_manager.filter(pk=row.pk).update(**values)
            written += len(values)
    return written


def said_by(text: str) -> dict[str, Any]:
    """A segment that says it, which reaches whoever has it neither as an attribute nor as customer id."""
    return {
        "not": {"field": "attribute", "name": text[:100], "type": "text", "op": "equals", "value": text[:200]}
    }


class Reader(HTMLParser):
    """Collects what would run, or load from elsewhere, or be refused by the policy."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if any(MARK in name for name in values):
            self.found.append(f"<{tag}> out of a text")
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.found.append("an inline script")
        if tag == "style" or "style" in values:
            self.found.append(f"an inline style: {tag} {values.get('style')}")
        self.found += [f"{name} of {tag}" for name in values if name.startswith("on")]
        # An image's address never runs.
        for name in {"href", "src", "action", "formaction", "xlink:href"} - (
            {"src"} if tag == "img" else set()
        ):
            if (values.get(name) or "").strip().lower().startswith(("javascript:", "data:text", "vbscript:")):
                self.found.append(f"{name} of {tag}: {values[name]}")


def running(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.found


@pytest.fixture
def world() -> Website:
    website = make_website()
    furnish_operations(CORPUS[-1])
    furnish(website)
    return website


@pytest.fixture
def boss() -> Client:
    return client_of(User.objects.create_superuser("boss", password="x"))


def test_the_reader_finds_each_of_the_corpus() -> None:
    for text in CORPUS:
        raw = f'<p title="{text}">{text}</p><a href="{text}">x</a><textarea>{text}</textarea>'
        assert running(raw), text
    assert running("<p>fine</p>") == []


@pytest.mark.parametrize("text", CORPUS)
def test_no_page_runs_what_people_wrote(boss: Client, world: Website, text: str) -> None:
    assert poison(text) > 60
    Segment.objects.update(definition=said_by(text))
    PushMessage.objects.update(frozen_segment=said_by(text))
    seen = 0
    for address in addresses():
        if address.name in {"logout", "login", "i18n", "jsi18n"}:
            continue
        answer = boss.get(address.path(), follow=True)
        page = b"".join(answer).decode()
        assert answer.status_code in {200, 403, 404, 405}, address
        assert running(page) == [], address
        seen += MARK in page
    assert seen > 25, "the texts were not on the pages"


@pytest.mark.parametrize("text", CORPUS)
def test_no_preview_runs_what_people_wrote(boss: Client, world: Website, text: str) -> None:
    """What a script puts into the page."""
    poison(text)
    facts = {"website": world.pk, "definition": json.dumps(said_by(text))}
    said = boss.post("/admin/audiences/segment/preview/", facts).json()
    assert MARK in said["sentence"]
    assert MARK in said["html"]
    assert running(said["html"]) == []


def test_every_page_has_its_headers_few_queries_and_no_secret(
    boss: Client, world: Website, django_assert_max_num_queries: Any
) -> None:
    subscription, key = Subscription.objects.get(), ApiKey.objects.get()
    secrets = [subscription.endpoint, subscription.p256dh, subscription.auth, bytes(key.secret_hash).hex()]
    secrets.append(world.vapid_key.private_key.hex())
    for address in addresses():
        if address.name == "logout":
            continue
        with django_assert_max_num_queries(20, info=address.name):
            answer = boss.get(address.path())
            page = b"".join(answer).decode()
        assert [secret for secret in secrets if secret in page] == [], address
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'", address
        assert not {"script-src", "style-src", "script-src-attr"} & set(policy), address
        assert "unsafe" not in str(policy), address
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["X-Frame-Options"] in {"DENY", "SAMEORIGIN"}
