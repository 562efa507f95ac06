"""Webhooks against a real receiver over TLS."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import override_settings

from signalize_console.webhooks import endpoints, wire
from signalize_console.webhooks.dispatch import Dispatch
from signalize_console.webhooks.endpoints import Made
from signalize_console.webhooks.models import WebhookKind
from signalize_console.websites.models import Website
from tests.makers import make_website
from tests.webhooks.receiver import HOST, Receiver


@pytest.fixture(scope="session")
def running_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path_factory.mktemp("receiver"))
    yield receiver
    receiver.stop()


@pytest.fixture
def receiver(running_receiver: Receiver) -> Iterator[Receiver]:
    running_receiver.reset()
    with override_settings(WEBHOOK_PLACES=running_receiver.place, WEBHOOK_CA=running_receiver.ca_file):
        wire._transport_of.cache_clear()
        yield running_receiver
        wire.transport().close()
    wire._transport_of.cache_clear()


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website()


@pytest.fixture
def listen(receiver: Receiver, website: Website) -> Callable[..., Made]:
    """Makes an endpoint, of all kinds or these."""

    def make(*kinds: str, path: str = "/hook", host: str = HOST) -> Made:
        Dispatch().run(seconds=2)  # the cursor starts before what happens next
        return endpoints.create(website, f"https://{host}{path}", kinds or WebhookKind.values)

    return make


@pytest.fixture
def tell(receiver: Receiver) -> Callable[[], int]:
    return lambda: Dispatch().run(seconds=15)


def make_due() -> None:
    """Moves every appointment of the webhooks to the past, as time would."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_webhookdelivery SET due_at = now() - interval '1 second'")
        cursor.execute(
            "UPDATE webhooks_webhookdelivery SET lease_until = now() - interval '1 second' "
            "WHERE lease_until IS NOT NULL"
        )
        cursor.execute("UPDATE webhooks_webhookendpoint SET rests_until = now() - interval '1 second'")
