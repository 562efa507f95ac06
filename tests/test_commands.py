"""manage.py for scripts: what is printed, in words and in JSON, and the exit codes."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from signalize_console.api.authentication import Caller
from signalize_console.audiences.models import Segment
from signalize_console.deliveries import invariants
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.management.commands import export
from signalize_console.messaging.models import MessageTemplate, PushMessage, TemplateText
from signalize_console.recipients import importing, receiving
from signalize_console.recipients.imports import Import
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.makers import make_recipient, make_subscription, make_website
from tests.recipients import files
from tests.recipients.files import OldKey, as_csv, make_facts

pytestmark = pytest.mark.django_db
COMMANDS = ["send", "import_subscriptions", "undo_import", "export", "verify_ledger", "createapikey"]


@pytest.fixture
def website() -> Website:
    return make_website(secure_code="ABCDEF12")


def run(*words: object) -> tuple[int, str]:
    """The exit code, and what was said."""
    said = io.StringIO()
    try:
        call_command(*map(str, words), stdout=said, stderr=io.StringIO())
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as error:
        return int(error.code or 0), said.getvalue()
    return 0, said.getvalue()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_says_how_it_is_used(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(command, "--help")
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_send_to_named_recipients(website: Website) -> None:
    one = make_subscription(website, recipient=make_recipient(website, customer_id="K-1")).recipient
    silent = make_recipient(website)
    words = ["send", "ABCDEF12", "--customer", "K-1", "--to", silent.client_id, "--title", "Hello", "--json"]

    code, said = run(*words, "--idempotency-key", "order-1")
    again = run(*words, "--idempotency-key", "order-1")

    told = json.loads(said)
    assert (code, told["deliveries"], told["unreachable"], told["replayed"]) == (0, 1, 1, False)
    assert (again[0], json.loads(again[1])["replayed"]) == (0, True)
    message = PushMessage.objects.get()
    assert (message.transactional, message.texts.get().link) == (True, "https://shop.example/")
    assert Delivery.objects.get().recipient_id == one.pk
    code, said = run(*words, "--message", "Other", "--idempotency-key", "order-1")
    assert code == 1
    assert "key" in said


def test_send_to_a_segment_and_to_everyone_by_template(website: Website) -> None:
    Segment.objects.create(
        website=website, name="Germans", definition={"field": "language", "op": "equals", "value": "de"}
    )
    template = MessageTemplate.objects.create(website=website, name="Sale")
    TemplateText.objects.create(
        template=template, language="en", standard=True, title="Sale", link="https://shop.example/"
    )
    for to in (["--segment", "Germans"], ["--everyone"]):
        code, said = run("send", "ABCDEF12", *to, "--template", "Sale")
        assert code == 0
        assert "accepted" in said
    assert [one.audience for one in PushMessage.objects.order_by("id")] == ["segment", "everyone"]
    assert not PushMessage.objects.filter(transactional=True).exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nothing", "--everyone", "--title", "x"], 2),
        (["ABCDEF12", "--everyone"], 2),
        (["ABCDEF12", "--title", "x"], 2),
        (["ABCDEF12", "--everyone", "--segment", "s", "--title", "x"], 2),
        (["ABCDEF12", "--segment", "s", "--title", "x"], 2),
        (["ABCDEF12", "--everyone", "--template", "t"], 2),
        (["ABCDEF12", "--everyone", "--title", "x", "--link", "javascript:alert(1)"], 2),
        (["ABCDEF12", "--to", "0" * 32, "--title", "x"], 1),
    ],
)
def test_send_says_what_is_wrong_and_stores_nothing(website: Website, words: list[str], code: int) -> None:
    assert run("send", *words)[0] == code
    assert not PushMessage.objects.exists()


def test_import_checks_moves_and_is_undone(website: Website, tmp_path: Path) -> None:
    key = OldKey()
    rows = [{**files.signalize(make_facts(key, website)), "_et_coid": f"{n:032x}"} for n in range(3)]
    rows[2]["userAuth"] = "short"
    file, report = tmp_path / "subscribers.csv", tmp_path / "refused.csv"
    file.write_text(as_csv(*rows))

    code, said = run("import_subscriptions", "ABCDEF12", file, "--dry-run", "--refused", report)
    assert (code, Subscription.objects.count()) == (1, 0)
    assert "Row 3, auth" in said
    assert "2 of 3 rows can move in" in said
    assert [one["line"] for one in csv.DictReader(report.read_text().splitlines())] == ["3"]

    code, said = run("import_subscriptions", "ABCDEF12", file, "--json")
    told = json.loads(said)
    assert (code, told["state"], told["subscriptionsMade"], told["refused"]) == (1, "done", 2, 1)
    code, said = run("undo_import", told["importId"], "--json")
    assert (code, json.loads(said)) == (0, {"importId": told["importId"], "removed": 2, "kept": 0})
    assert not Subscription.objects.exists()
    assert run("undo_import", told["importId"])[0] == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_takes_long_shows_how_far_it_is_on_a_terminal(
    website: Website, tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "subscribers.csv"
    file.write_text(as_csv(files.signalize(make_facts(OldKey(), website))))
    monkeypatch.setattr(export, "TOLD_EVERY", 1)

    def shown(*words: object) -> str:
        terminal = Terminal()
        call_command(*map(str, words), stdout=io.StringIO(), stderr=terminal)
        return terminal.getvalue()

    assert "100 % done, 1 rows" in shown("import_subscriptions", "ABCDEF12", file)
    assert "\r2 lines" in shown("export", "ABCDEF12", "subscriptions", "--output", tmp_path / "out.csv")
    assert f"{len(invariants.CHECKS)} of {len(invariants.CHECKS)}" in shown("verify_ledger")
    assert "100 % undone" in shown("undo_import", Import.objects.get().pk)


def test_import_takes_the_key_of_the_file(website: Website, tmp_path: Path) -> None:
    key = OldKey()
    (tmp_path / "key").write_text(key.private + "\n")
    (tmp_path / "f.json").write_text(json.dumps([files.web_push_php(make_facts(key, website))]))
    file = tmp_path / "f.json"
    code, said = run("import_subscriptions", "ABCDEF12", file)
    assert code == 1
    assert "VAPID key" in said
    assert run("import_subscriptions", "ABCDEF12", file, "--vapid-private-key", tmp_path / "key")[0] == 0
    (tmp_path / "key").write_text("nonsense")
    assert run("import_subscriptions", "ABCDEF12", file, "--vapid-private-key", tmp_path / "key")[0] == 2


def test_import_goes_on(website: Website) -> None:
    content = as_csv(files.signalize(make_facts(OldKey(), website))).encode()
    of = receiving.receive(website, "f.csv", [content])
    importing.work_on(of.pk, seconds=0)
    code, said = run("import_subscriptions", "--resume", of.pk)
    assert (code, Subscription.objects.count()) == (0, 1), said
    for state in ("undoing", "undone", "discarded"):
        Import.objects.update(state=state)
        code, said = run("import_subscriptions", "--resume", of.pk)
        assert (code, "nothing to go on with" in said) == (2, True)


def test_import_says_what_is_wrong(website: Website, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("a,b\n1,2\n")
    code, said = run("import_subscriptions", "ABCDEF12", tmp_path / "f.csv")
    assert code == 2
    assert "no column for: endpoint" in said
    assert run("import_subscriptions", "ABCDEF12", tmp_path / "none.csv")[0] == 2
    assert run("import_subscriptions", "other", tmp_path / "f.csv")[0] == 2
    assert run("import_subscriptions", "--resume", "999")[0] == 2
    assert run("import_subscriptions")[0] == 2


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_is_exported_moves_in_elsewhere(website: Website, tmp_path: Path, form: str) -> None:
    formula = '=HYPERLINK("http://x";"y")'
    recipient = make_recipient(
        website, customer_id=formula, language="de", attributes={"club": "gold"}, interests=["a", "b"]
    )
    make_subscription(website, recipient=recipient)
    before = Subscription.objects.values("endpoint", "p256dh", "auth", "vapid_key__public_key").get()
    file = tmp_path / f"export.{form}"
    assert (
        run("export", "ABCDEF12", "subscriptions", "--output", file, *(["--json"] if form == "json" else []))[
            0
        ]
        == 0
    )
    if form == "csv":
        assert "'=HYPERLINK" in file.read_text()
    Subscription.objects.all().delete()
    Recipient.objects.all().delete()

    assert run("import_subscriptions", "ABCDEF12", file)[0] == 0

    assert Subscription.objects.values("endpoint", "p256dh", "auth", "vapid_key__public_key").get() == before
    moved = Recipient.objects.get()
    for name in ("client_id", "customer_id", "language", "attributes", "interests"):
        assert getattr(moved, name) == getattr(recipient, name), name


def test_everything_is_exported(website: Website, django_assert_max_num_queries: Callable[..., Any]) -> None:
    make_subscription(website)
    make_subscription(make_website(name="Other"))
    template = MessageTemplate.objects.create(website=website, name="Sale")
    TemplateText.objects.create(
        template=template, language="en", standard=True, title="Sale", link="https://shop.example/"
    )
    Segment.objects.create(
        website=website, name="S", definition={"field": "language", "op": "equals", "value": "de"}
    )
    run("send", "ABCDEF12", "--everyone", "--title", "Hello")
    for kind in ("subscriptions", "recipients", "templates", "messages", "segments"):
        with django_assert_max_num_queries(6, info=kind):
            code, said = run("export", "ABCDEF12", kind, "--json")
        rows = [json.loads(line) for line in said.splitlines()]
        assert (code, len(rows)) == (0, 1), kind
    assert run("export", "nothing", "messages")[0] == 2


def test_createapikey_in_json(website: Website) -> None:
    code, said = run("createapikey", "ABCDEF12", "CRM", "--scope", "messages:write", "--json")
    told = json.loads(said)
    assert (code, told["scopes"]) == (0, ["messages:write"])
    assert Caller.admit(told["key"])
    assert run("createapikey", "nothing", "CRM")[0] == 2
