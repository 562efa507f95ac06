"""Every example of docs/moving-in.md and docs/integrations.md is run as it stands there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.audiences.models import Segment
from signalize_console.messaging.models import MessageTemplate, PushMessage, TemplateText
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.makers import make_recipient, make_subscription, make_website
from tests.recipients import files
from tests.recipients.files import OldKey, as_csv, make_facts
from tests.web import Web

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


def blocks(name: str) -> list[tuple[str, str]]:
    """The language and code of each example."""
    return re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / name).read_text(), re.DOTALL)


def lines(name: str, program: str) -> list[list[str]]:
    code = "".join(code for language, code in blocks(name) if language == "sh")
    return [shlex.split(line) for line in code.splitlines() if line.startswith(program)]


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website(secure_code="ABCDEF12")


@pytest.fixture
def customer(website: Website) -> Subscription:
    recipient = make_recipient(website, customer_id="K-4711", client_id="108bf9a8e3f34c6e8e7d5a1b2c3dedb1")
    return make_subscription(website, recipient=recipient)


def environment(web: Web, website: Website) -> dict[str, str]:
    key = ApiKey.issue(website, "docs", EVERYTHING)[1]
    return {**os.environ, "SIGNALIZE_SERVER": web.origin, "SIGNALIZE_API_KEY": key}


def test_no_example_is_forgotten() -> None:
    found = {
        name: sorted({language for language, _code in blocks(name)})
        for name in ("moving-in.md", "integrations.md")
    }
    assert found == {"moving-in.md": ["sh"], "integrations.md": ["html", "python", "sh"]}
    for name in found:
        code = "".join(code for language, code in blocks(name) if language == "sh")
        assert all(line.startswith(("manage.py ", "node ", "php ")) for line in code.splitlines())


def test_moving_in_and_out(website: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = OldKey()
    Path(tmp_path / "subscribers.csv").write_text(as_csv(files.signalize(make_facts(key, website))))
    Path(tmp_path / "devices.json").write_text(
        json.dumps(
            [
                files.django_push_notifications(make_facts(key, website)),
                files.web_push_php(make_facts(key, website)),
            ]
        )
    )
    Path(tmp_path / "private-key.txt").write_text(key.private)
    monkeypatch.chdir(tmp_path)
    commands = lines("moving-in.md", "manage.py")
    assert len(commands) == 8

    for _program, *words in commands:
        call_command(*words)

    assert Subscription.objects.filter(vapid_key__public_key=key.public).count() == 3
    assert len((tmp_path / "subscriptions.csv").read_text().splitlines()) == 4
    assert len((tmp_path / "recipients.jsonl").read_text().splitlines()) == 3


def test_scripts(website: Website, customer: Subscription) -> None:
    Segment.objects.create(
        website=website, name="Germans", definition={"field": "language", "op": "equals", "value": "de"}
    )
    template = MessageTemplate.objects.create(website=website, name="Sale")
    TemplateText.objects.create(
        template=template, language="en", standard=True, title="Sale", link="https://shop.example/"
    )
    commands = lines("integrations.md", "manage.py")
    assert len(commands) == 6
    for _program, *words in commands:
        call_command(*words)
    assert sorted(one.audience for one in PushMessage.objects.all()) == ["everyone", "recipients", "segment"]


@pytest.mark.parametrize("program", ["node", "php"])
def test_clients(program: str, web: Web, website: Website, customer: Subscription) -> None:
    if not shutil.which(program):
        pytest.skip(f"needs {program}")
    (command,) = lines("integrations.md", program)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(web, website),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == str(PushMessage.objects.get().pk)


PAGE = """
const fields = { "[name=push_recipient]": { value: "" } };
const callbacks = [];
globalThis.window = { _etrackerOnReady: { push: (one) => callbacks.push(one) } };
globalThis.document = { querySelector: (name) => fields[name] };
globalThis.et_signalize = { ready: Promise.resolve(), getClientId: () => "%s" };
(0, eval)(%s);
for (const one of callbacks) await one();
console.log(fields["[name=push_recipient]"].value);
"""


def test_the_form_takes_the_id_along_and_the_crm_sends(
    web: Web, website: Website, customer: Subscription
) -> None:
    code = dict(blocks("integrations.md"))
    page = re.search(r"<script>(.*?)</script>", code["html"], re.DOTALL)
    assert page
    assert re.search(r'<input type="hidden" name="push_recipient">', code["html"])
    if shutil.which("node"):
        script = PAGE % (customer.recipient.client_id, json.dumps(page[1]))
        done = subprocess.run(
            ["node", "--input-type=module", "-e", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.strip() == customer.recipient.client_id
    done = subprocess.run(
        [sys.executable, "-c", code["python"]],
        env=environment(web, website),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    message = PushMessage.objects.get()
    assert done.stdout.strip() == str(message.pk)
    assert Recipient.objects.get(delivery__push_message=message) == customer.recipient
