"""The consent log is kept for good, unless somebody says how long it is kept after a withdrawal."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from signalize_console.deliveries import housekeeping
from signalize_console.recipients import consent
from signalize_console.recipients.models import Consent, ConsentKind
from signalize_console.websites.models import Website
from tests.makers import make_recipient, make_website

pytestmark = pytest.mark.django_db
GIVEN, WITHDRAWN = ConsentKind.GIVEN, ConsentKind.WITHDRAWN


def log(website: Website, *lines: tuple[ConsentKind, int]) -> bytes:
    """Of one recipient: what, and how many days ago."""
    recipient = make_recipient(website)
    for kind, days in lines:
        line = consent.log(recipient, kind)
        Consent.objects.filter(pk=line.pk).update(occurred_at=timezone.now() - datetime.timedelta(days=days))
    return consent.client_id_hash(recipient.client_id)


def test_only_of_who_took_it_back_long_ago(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "CHUNK", 2)
    website = make_website()
    still = log(website, (GIVEN, 2000))
    lately = log(website, (GIVEN, 2000), (WITHDRAWN, 399))
    again = log(website, (GIVEN, 2000), (WITHDRAWN, 900), (GIVEN, 800))
    for _other in range(3):
        log(website, (GIVEN, 2000), (WITHDRAWN, 1500), (GIVEN, 1000), (WITHDRAWN, 401))

    housekeeping.clean_up()
    assert Consent.objects.count() == 18

    settings.KEEP_CONSENT_DAYS = 400
    housekeeping.clean_up()
    left = [bytes(one) for one in Consent.objects.order_by("pk").values_list("client_id_hash", flat=True)]
    assert left == [still, lately, lately, again, again, again]


def test_nobody_is_forgotten_by_half() -> None:
    """A chunk that ends in the middle of somebody would leave a consent without its withdrawal."""
    website = make_website()
    for _person in range(3):
        log(website, (GIVEN, 2000), (WITHDRAWN, 1500), (GIVEN, 1000), (WITHDRAWN, 401))
    counts = []
    for _chunk in range(3):
        with connection.cursor() as cursor:
            cursor.execute(consent.FORGET_WITHDRAWN, [400, 1])
        counts.append(Consent.objects.count())
    assert counts == [8, 4, 0]
