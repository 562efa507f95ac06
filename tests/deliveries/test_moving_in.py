"""After a move each one is sent to with its own old key, after a visit with the new one; and an import is undone."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from signalize_console.audiences.lists import ListMember, RecipientList
from signalize_console.deliveries import outbox, undoing
from signalize_console.deliveries.readdressing import readdress
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients import importing, receiving
from signalize_console.recipients.imports import Import, ImportState
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.recipients.subscribing import Proof, PushSubscription, Visitor, subscribe, unsubscribe
from signalize_console.recipients.upserting import Known, upsert
from signalize_console.websites.models import VapidKey, Website
from tests.makers import make_message, make_text
from tests.recipients import files
from tests.recipients.files import OldKey, as_csv, make_facts

pytestmark = pytest.mark.django_db(transaction=True)


def move_in(website: Website, rows: list[dict[str, Any]]) -> Import:
    of = receiving.receive(website, "file.csv", [as_csv(*rows).encode()], at_once=True)
    while of.is_at_work:
        of = importing.work_on(of.pk)
    assert (of.state, of.refused) == (ImportState.DONE, 0)
    return of


def at_double(double: PushServiceDouble, key: OldKey, service: str) -> dict[str, str]:
    """A browser that has subscribed elsewhere: the double takes only what this key has signed."""
    one = double.make_subscriber(service, application_server_key=key.public)
    return {
        "endpoint": one.endpoint,
        "p256dh": one.p256dh,
        "auth": one.auth,
        "public": key.public,
        "private": key.private,
    }


def row(facts: dict[str, str], number: int) -> dict[str, Any]:
    return {**files.signalize(facts), "_et_coid": f"{number:032x}"}


def test_every_one_is_sent_to_with_its_own_key_and_after_a_visit_with_the_new_one(
    double: PushServiceDouble, website: Website, work: Callable[[], None]
) -> None:
    keys = [OldKey(), OldKey()]
    services = ["fcm", "mozilla", "apple", "wns"]
    facts = [at_double(double, keys[n % 2], services[n % 4]) for n in range(12)]
    move_in(website, [row(one, n) for n, one in enumerate(facts)])

    outbox.send(make_message(website), [make_text()])
    work()

    assert list(double.rejected) == []
    assert {push.endpoint for push in double.received} == {one["endpoint"] for one in facts}
    assert all(push.plaintext for push in double.received)

    double.reset()
    new = website.rotate_vapid_key()
    for number, one in enumerate(facts):
        visitor = Visitor(f"{number:032x}")
        subscribe(
            website, visitor, PushSubscription(one["endpoint"], one["p256dh"], one["auth"], one["public"])
        )
        fresh = double.make_subscriber(services[number % 4], application_server_key=new.public_key)
        push = PushSubscription(fresh.endpoint, fresh.p256dh, fresh.auth, new.public_key)
        readdress(subscribe(website, visitor, push, Proof(one["endpoint"], one["auth"]))[0])
    outbox.send(make_message(website), [make_text()])
    work()

    assert list(double.rejected) == []
    assert len(double.received) == len({push.endpoint for push in double.received}) == 12
    assert not {push.endpoint for push in double.received} & {one["endpoint"] for one in facts}
    assert Recipient.objects.count() == 12


def test_an_import_is_undone_as_far_as_nobody_has_touched_it(website: Website) -> None:
    key = OldKey()
    facts = [make_facts(key, website) for _one in range(7)]
    of = move_in(website, [row(one, n) for n, one in enumerate(facts)])
    came_back, left, sent_to, told_of = facts[0], facts[1], facts[2], facts[3]
    subscribe(
        website,
        Visitor("0" * 32),
        PushSubscription(came_back["endpoint"], came_back["p256dh"], came_back["auth"], key.public),
    )
    unsubscribe(website, Proof(left["endpoint"], left["auth"]))
    outbox.send(make_message(website), [make_text()], Recipient.objects.filter(client_id=f"{2:032x}"))
    upsert(website.pk, [Known(f"{3:032x}", customer_id="K-3")])
    on = RecipientList.objects.create(website=website, name="Fair")
    ListMember.objects.create(list=on, recipient=Recipient.objects.get(client_id=f"{4:032x}"))

    assert of.undo()
    while of.state == ImportState.UNDOING:
        of = undoing.work_on(of.pk, seconds=0)

    assert {one.endpoint for one in Subscription.objects.all()} == {
        one["endpoint"] for one in (came_back, left, sent_to)
    }
    assert {int(one.client_id, 16) for one in Recipient.objects.all()} == {0, 1, 2, 3, 4}
    assert (of.removed, of.state) == (4, ImportState.UNDONE)
    assert told_of["endpoint"]
    assert not of.undo()


def test_the_key_of_an_undone_import_goes_when_nobody_needs_it(website: Website) -> None:
    key = OldKey()
    of = move_in(website, [row(make_facts(key, website), 1)])
    assert VapidKey.objects.filter(public_key=key.public).exists()
    of.undo()
    undoing.work_on(of.pk)
    assert not VapidKey.objects.filter(public_key=key.public).exists()
    assert website.vapid_key


def test_the_worker_moves_imports_on(website: Website) -> None:
    from signalize_console.deliveries.tasks import move_imports_on

    row_ = files.web_push_php(make_facts(key := OldKey(), website))
    of = receiving.receive(website, "f.json", [json.dumps([row_]).encode()], vapid_private_key=key.private)
    move_imports_on()
    of.refresh_from_db()
    assert of.state == ImportState.CHECKED
    assert not Subscription.objects.exists()
    assert of.confirm()
    move_imports_on()
    of.refresh_from_db()
    assert (of.state, of.subscriptions_made) == (ImportState.DONE, 1)
    of.undo()
    move_imports_on()
    of.refresh_from_db()
    assert (of.state, Subscription.objects.count(), Recipient.objects.count()) == (ImportState.UNDONE, 0, 0)
