"""docs/moving-in.md: everything that one types there."""

import json
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command

from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.docs.examples import commands, example
from tests.recipients import files
from tests.recipients.files import OldKey, as_csv, make_facts

pytestmark = pytest.mark.django_db(transaction=True)
CODE = example("docs/moving-in.md", "sh", 0) + example("docs/moving-in.md", "sh", 1)


def test_moving_in_and_out(website: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = OldKey()
    (tmp_path / "subscribers.csv").write_text(as_csv(files.signalize(make_facts(key, website))))
    makers = (files.django_push_notifications, files.web_push_php)
    devices = [make(make_facts(key, website)) for make in makers]
    (tmp_path / "devices.json").write_text(json.dumps(devices))
    (tmp_path / "private-key.txt").write_text(key.private)
    monkeypatch.chdir(tmp_path)
    found = commands(CODE, "manage.py")
    assert len(found) == len(CODE.splitlines()) == 8

    for command in found:
        call_command(*shlex.split(command)[1:])

    assert Subscription.objects.filter(vapid_key__public_key=key.public).count() == 3
    assert len((tmp_path / "subscriptions.csv").read_text().splitlines()) == 4
    assert len((tmp_path / "recipients.jsonl").read_text().splitlines()) == 3
