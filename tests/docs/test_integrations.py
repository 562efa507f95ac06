"""docs/integrations.md and the clients' own page. The form stands in tests/browsers/test_documented.py."""

import shlex
import sys
from collections.abc import Callable

import pytest
from django.core.management import call_command

from signalize_console.audiences.models import Segment
from signalize_console.messaging.models import MessageTemplate, PushMessage, TemplateText
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.docs.examples import commands, example, runs
from tests.programs import require
from tests.web import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
Run = Callable[..., str]
CLIENTS = example("docs/integrations.md", "sh", 0)


@runs("docs/integrations.md", "python")
def test_the_crm_sends(run: Run, customer: Subscription, code: str) -> None:
    said = run(sys.executable, "-", code=code)
    message = PushMessage.objects.get()
    assert said == str(message.pk)
    assert Recipient.objects.get(delivery__push_message=message) == customer.recipient


@pytest.mark.parametrize("program", ["node", "php"])
def test_clients(run: Run, customer: Subscription, program: str) -> None:
    require(program)
    (command,) = commands(CLIENTS, program)
    assert len(CLIENTS.splitlines()) == 2
    assert run(*shlex.split(command)) == str(PushMessage.objects.get().pk)


@runs("docs/integrations.md", "sh", 1)
def test_scripts(website: Website, customer: Subscription, code: str) -> None:
    Segment.objects.create(
        website=website, name="Germans", definition={"field": "language", "op": "equals", "value": "de"}
    )
    template = MessageTemplate.objects.create(website=website, name="Sale")
    TemplateText.objects.create(
        template=template, language="en", standard=True, title="Sale", link="https://shop.example/"
    )
    found = commands(code, "manage.py")
    assert len(found) == len(code.splitlines()) == 6
    for command in found:
        call_command(*shlex.split(command)[1:])
    assert sorted(one.audience for one in PushMessage.objects.all()) == ["everyone", "recipients", "segment"]


@runs("clients/python/README.md", "python")
def test_the_python_client(run: Run, customer: Subscription, code: str) -> None:
    said = run(sys.executable, "-", code=code, PYTHONPATH=str(ROOT / "clients" / "python"))
    assert said == str(PushMessage.objects.get().pk)
