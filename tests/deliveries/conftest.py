"""The engine against the push service double: nothing nearer is replaced."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import override_settings

from signalize_console.deliveries import dispatch, sending
from signalize_console.deliveries.dispatch import Dispatch
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.recipients.subscribing import PushSubscription
from signalize_console.websites.models import Website
from tests.makers import make_recipient, make_subscription, make_website

Subscribe = Callable[..., Subscription]


@pytest.fixture(scope="session")
def running_double() -> Iterator[PushServiceDouble]:
    with PushServiceDouble() as double:
        yield double


@pytest.fixture
def double(running_double: PushServiceDouble) -> Iterator[PushServiceDouble]:
    running_double.reset()
    places = {"PUSH_SERVICES": running_double.push_services, "PUSH_SERVICES_CA": str(running_double.ca_file)}
    with override_settings(**places):
        sending.push_services.cache_clear()
        dispatch._transport_of.cache_clear()
        dispatch._lanes_of.cache_clear()
        assert places["PUSH_SERVICES"] == settings.PUSH_SERVICES
        yield running_double
        dispatch.transport().close()
    sending.push_services.cache_clear()
    dispatch._transport_of.cache_clear()
    dispatch._lanes_of.cache_clear()


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website()


@pytest.fixture
def subscribe(double: PushServiceDouble, website: Website) -> Subscribe:
    """Subscribes a recipient whose messages the double decrypts."""

    def make(recipient: Recipient | None = None, service: str = "mozilla", **fields: str) -> Subscription:
        subscriber = double.make_subscriber(service, application_server_key=website.vapid_key.public_key)
        push = PushSubscription(
            subscriber.endpoint, subscriber.p256dh, subscriber.auth, website.vapid_key.public_key
        )
        recipient = recipient or make_recipient(website, **fields)
        return make_subscription(website, push, recipient=recipient, push_service=service)

    return make


@pytest.fixture
def work() -> Callable[[], None]:
    """Lets the engine do all that is due, for both classes."""

    def run() -> None:
        for transactional in (True, False):
            Dispatch(transactional).run(seconds=10)

    return run
