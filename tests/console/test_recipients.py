"""One recipient's page: what happened, why they got it or didn't, a test, the file, the end; and finding them."""

import datetime
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signalize_console.activity.models import Event, EventKind
from signalize_console.console.moments import moment
from signalize_console.deliveries import alerts, outbox, reports, tokens
from signalize_console.deliveries.alerts import AlertKind, Said
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients import consent
from signalize_console.recipients.models import Consent, ConsentKind, Recipient, Subscription
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

Subscribe = Callable[..., Subscription]
Work = Callable[[], None]
LOOKS = ("view_recipient", "view_delivery", "view_event", "view_consent", "view_pushmessage")
ALL = (*LOOKS, "send_pushmessage", "export_recipient", "delete_recipient")


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website()


def at(recipient: Recipient, name: str = "change", **query: Any) -> str:
    return reverse(f"admin:recipients_recipient_{name}", args=[recipient.pk], query=query or None)


def read(client: Client, address: str) -> str:
    """What a person reads there."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    text = re.sub(r"<[^>]+>", " ", answer.content.decode().partition('<div id="content"')[2])
    return re.sub(r"\s+", " ", text)


def view(recipient: Recipient, page: str, minutes: int) -> None:
    now = timezone.now() - datetime.timedelta(minutes=minutes)
    Event.objects.create(
        day=now.date(), website=recipient.website, recipient=recipient, kind=EventKind.PAGE_VIEW,
        properties={"page": page}, occurred_at=now,
    )  # fmt: skip


def test_the_timeline_tells_what_happened_in_words(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    shown, gone = subscribe(service="mozilla"), subscribe(service="apple")
    consent.log(shown.recipient, ConsentKind.GIVEN, "https://shop.example", "2026-11")
    for page, minutes in (("/old", 300), ("/a", 40), ("/b", 20), ("/c", 1)):
        view(shown.recipient, page, minutes)
    Event.objects.create(
        day=timezone.now().date(), website=website, recipient=shown.recipient, kind=EventKind.EVENT,
        name="order", properties={"value": 12},
    )  # fmt: skip
    double.expire(gone.endpoint)
    Subscription.objects.update(created_at=timezone.now() - datetime.timedelta(days=1))
    outbox.send(make_message(website), [make_text(title="Autumn sale")])
    work()
    delivery = Delivery.objects.get(recipient=shown.recipient)
    reports.report(tokens.make(delivery.pk, delivery.day), "shown")
    client = log_in(*LOOKS)

    text = read(client, at(shown.recipient))
    assert "Autumn sale Why? Autumn sale shown, not clicked" in text
    assert "Consent given on https://shop.example, text 2026-11" in text
    assert "Visit: 3 pages /a, /b, /c" in text
    assert "Visit: 1 page /old" in text
    assert 'order {"value": 12}' in text.replace("&quot;", '"')
    assert "Firefox gets messages" in text
    text = read(client, at(gone.recipient))
    assert "Apple said that the subscription has ended" in text
    assert "It is kept for a week" in text
    assert "Safari ended" in text


def test_a_long_life_comes_in_pages_each_line_once(
    website: Website, django_assert_max_num_queries: Any
) -> None:
    recipient = make_subscription(website).recipient
    for number in range(130):
        view(recipient, f"/page-{number}-", number * 60)
    for number in range(20):
        outbox.send(make_message(website), [make_text(title=f"Message {number}!")], [recipient])
    client, address, seen = log_in(*LOOKS), at(recipient), ""
    pages = 0
    while address:
        with django_assert_max_num_queries(15):
            answer = client.get(address).content.decode()
        seen += answer
        earlier = re.search(r'href="([^"]*)" rel="next"', answer)
        address = at(recipient) + earlier[1].replace("&amp;", "&") if earlier else ""
        pages += 1
    assert pages == 2
    assert [seen.count(f"/page-{number}-<") for number in range(130)] == [1] * 130
    assert [seen.count(f">Message {number}!</a>") for number in range(20)] == [1] * 20
    only = read(client, at(recipient, show="delivery"))
    assert "Message 7!" in only
    assert "/page-" not in only
    assert client.get(at(recipient, after="nonsense", show="users")).status_code == 200


def test_nobody_sees_more_than_they_may(website: Website) -> None:
    recipient = make_subscription(website).recipient
    outbox.send(make_message(website), [make_text(title="Secret sale")], [recipient])
    view(recipient, "/secret", 1)
    consent.log(recipient, ConsentKind.GIVEN, "https://secret.example")
    client = log_in("view_recipient")

    text = read(client, at(recipient))
    for hidden in ("Secret sale", "/secret", "secret.example", "Why", "Erase", "as a file", "Send a test"):
        assert hidden not in text, hidden
    assert client.get(at(recipient, "why")).status_code == 403
    for name in ("test", "export", "erase"):
        assert client.post(at(recipient, name)).status_code == 403, name
    assert Recipient.objects.filter(pk=recipient.pk).exists()
    for name in ("change", "why", "export", "erase"):
        assert log_in().get(at(recipient, name)).status_code == 403, name
    assert Delivery.objects.count() == 1


def test_a_link_alone_does_nothing(website: Website) -> None:
    recipient, client = make_subscription(website).recipient, log_in(*ALL)
    for name in ("test", "export"):
        assert client.get(at(recipient, name)).status_code == 403
    assert "Erase for good" in read(client, at(recipient, "erase"))
    assert Recipient.objects.filter(pk=recipient.pk).exists()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(at(recipient, "erase")).status_code == 403
    assert not Delivery.objects.exists()


def test_why_not_names_the_condition_and_the_remedy(
    website: Website, subscribe: Subscribe, work: Work
) -> None:
    recipient = subscribe(language="fr").recipient
    german = {"field": "language", "op": "equals", "value": "de"}
    fond = {"not": {"field": "interest", "op": "equals", "value": "sport"}}
    Recipient.objects.update(interests=["sport"])
    outbox.send(make_message(website), [make_text(title="Für alle")], segment={"all": [german, fond]})
    outbox.send(make_message(website), [make_text(title="For all")])
    work()
    client = log_in(*LOOKS)

    text = read(client, at(recipient, "why"))
    assert "Not in the message&#x27;s audience · Firefox" in text
    assert "Language is “de” – is not so" in text
    assert "Interest is “sport” – is so, and excludes them" in text
    assert "Mozilla took it; the browser has reported nothing" in text
    assert "Firefox may not be running" in text

    first = PushMessage.objects.earliest("pk")
    text = read(client, at(recipient, "why", message=f"#{first.pk}"))
    assert "Für alle" in text
    assert "For all" not in text
    other = make_website(name="Other")
    foreign = outbox.send(make_message(other), [make_text(title="Elsewhere")]).message_id
    for nothing in (foreign, "x", "9" * 30, "²"):
        assert "no push message of that number" in read(client, at(recipient, "why", message=nothing))


def test_what_waits_says_until_when_and_what_to_do(website: Website, subscribe: Subscribe) -> None:
    recipient = subscribe(service="apple").recipient
    monday = timezone.now() + datetime.timedelta(days=3)
    outbox.send(make_message(website, scheduled_at=monday), [make_text()], [recipient])
    client = log_in(*LOOKS)
    assert f"Waits until {moment(monday)}" in read(client, at(recipient, "why"))

    outbox.send(make_message(website), [make_text()], [recipient])
    alerts.raise_alert(AlertKind.CONFIGURATION, website.pk, "apple", Said("bad_jwt", 403))
    text = read(client, at(recipient, "why"))
    assert "Waits for Apple; next try" in text
    assert "Check the website&#x27;s contact" in text
    delivery = Delivery.objects.latest("pk")
    page = log_in("view_delivery").get(reverse("admin:deliveries_delivery_change", args=[delivery.pk]))
    assert "Waits for Apple; next try" in page.content.decode()


def test_a_test_goes_to_one_browser_only(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    wanted = subscribe()
    other = subscribe(recipient=wanted.recipient)
    stranger = subscribe()
    client = log_in(*ALL)

    client.post(at(wanted.recipient, "test"), {"subscription": wanted.pk})
    work()
    assert [one.endpoint for one in double.received] == [wanted.endpoint]
    for wrong in (stranger.pk, "x", "", "9" * 30):
        assert client.post(at(wanted.recipient, "test"), {"subscription": wrong}).status_code == 404

    Subscription.objects.filter(pk=other.pk).update(state="unsubscribed", ended_at=timezone.now())
    answer = client.post(at(wanted.recipient, "test"), {"subscription": other.pk}, follow=True)
    assert "not subscribed any more" in answer.content.decode()
    work()
    assert len(double.received) == 1


def test_a_test_arrives_where_customer_ids_must_be_signed(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    Website.objects.update(verification_required=True)
    subscription = subscribe(language="de-AT")
    log_in(*ALL).post(at(subscription.recipient, "test"), {"subscription": subscription.pk})
    work()
    assert Delivery.objects.get().state == "accepted"


def test_the_file_holds_all_but_the_secrets(website: Website) -> None:
    subscription = make_subscription(website)
    outbox.send(make_message(website), [make_text(title="Dear Anna")], [subscription.recipient])
    answer = log_in(*ALL).post(at(subscription.recipient, "export"))

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    told = json.loads(answer.content)
    assert told["recipient"]["clientId"] == subscription.recipient.client_id
    assert told["messages"][0]["title"] == "Dear Anna"
    assert told["subscriptions"][0]["endpoint"] == "https://fcm.googleapis.com/…"
    for secret in (subscription.endpoint, subscription.auth, subscription.p256dh):
        assert secret not in answer.content.decode()


def test_erasing_leaves_only_the_consent_log_which_finds_them(website: Website) -> None:
    recipient = make_subscription(website).recipient
    consent.log(recipient, ConsentKind.GIVEN)
    client = log_in(*ALL)

    answer = client.post(at(recipient, "erase"), follow=True)

    assert "The recipient is erased" in answer.content.decode()
    assert not Recipient.objects.exists()
    assert [one.kind for one in Consent.objects.order_by("id")] == ["given", "withdrawn"]
    found = client.get("/admin/recipients/recipient/", {"q": recipient.client_id}).content.decode()
    assert "was erased from Shop" in found
    found = client.get("/admin/recipients/recipient/", {"q": "0" * 32}).content.decode()
    assert "was erased" not in found
    found = log_in("view_recipient").get("/admin/recipients/recipient/", {"q": recipient.client_id})
    assert "was erased" not in found.content.decode()


@pytest.mark.parametrize("separator", [" ", ",", "\n", "; ", "\r\n"])
def test_several_are_found_by_their_ids(website: Website, separator: str) -> None:
    one, two, three = (make_recipient(website) for _ in range(3))
    customer = make_recipient(make_website(name="Other"), customer_id="K 4711")
    Recipient.objects.filter(pk=three.pk).update(customer_id="K-12")
    client = log_in("view_recipient", "view_subscription", "view_delivery")

    def found(query: str, name: str = "recipients/recipient") -> set[int]:
        page = client.get(f"/admin/{name}/", {"q": query}).content.decode()
        return {int(number) for number in re.findall(r"recipient/(\d+)/change", page)}

    ids = separator.join([one.client_id, "K-12", one.client_id[:31], "unknown"])
    assert found(ids) == {one.pk, three.pk}
    assert found("K 4711") == {customer.pk}
    assert found("' OR 1=1 --") == set()
    subscription = make_subscription(website, recipient=two)
    page = client.get("/admin/recipients/subscription/", {"q": separator.join([two.client_id, "x"])})
    assert f"/subscription/{subscription.pk}/change/" in page.content.decode()
    outbox.send(make_message(website), [make_text()], [two])
    page = client.get("/admin/deliveries/delivery/", {"q": two.client_id}).content.decode()
    assert f"/delivery/{Delivery.objects.get().pk}/change/" in page
    page = client.get("/admin/deliveries/delivery/", {"q": one.client_id}).content.decode()
    assert "/change/" not in page.partition('id="result_list"')[2]


def test_the_same_customers_other_browsers_are_linked(website: Website) -> None:
    first, second = (make_recipient(website, customer_id="K-1") for _ in range(2))
    stranger = make_recipient(make_website(name="Other"), customer_id="K-1")
    page = log_in(*LOOKS).get(at(first)).content.decode()
    assert at(second) in page
    assert at(stranger) not in page
    assert log_in(*LOOKS).get("/admin/recipients/recipient/x/change/").status_code == 404
