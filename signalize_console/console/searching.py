"""Finding by whole ids, of recipients or customers: one, or several with commas, spaces or lines between."""

import re
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from signalize_console.console.access import of_own_websites
from signalize_console.recipients.consent import client_id_hash
from signalize_console.recipients.models import CLIENT_ID, Consent, Recipient

MOST_IDS = 100


class FoundByIds(admin.ModelAdmin):
    """``recipient_path`` leads from a row to its recipient. Found by index: never by a part of an id."""

    recipient_path = "recipient"
    # What the search box is shown for; the rest is done below.
    search_fields = ["pk"]
    search_help_text = _("Whole recipient ids or customer ids, one or several")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not (ids := ids_in(search_term)):
            return queryset, False
        found = list(Recipient.objects.known_as(ids).values_list("pk", flat=True)[: 10 * MOST_IDS])
        return queryset.filter(**{f"{self.recipient_path}__in": found}), False


def ids_in(text: str) -> list[str]:
    """The first hundred; a customer id with a space or comma in it stands alone."""
    ids = [one for one in re.split(r"[\s,;]+", text.replace("\0", "")) if one]
    whole = text.replace("\0", "").strip()
    return list(dict.fromkeys([*([whole] if len(ids) > 1 else []), *ids]))[:MOST_IDS]


def erased_websites(user: Any, ids: list[str]) -> list[str]:
    """The names of the websites whose consent log knows one of these recipient ids, while nobody has it."""
    wanted = {client_id_hash(one): one for one in ids if re.fullmatch(CLIENT_ID, one)}
    if not wanted:
        return []
    consents = of_own_websites(user, Consent.objects.select_related("website"))
    logged = consents.filter(client_id_hash__in=list(wanted))
    known = set(Recipient.objects.known_as(wanted.values()).values_list("website_id", "client_id"))
    gone = [one for one in logged if (one.website_id, wanted[bytes(one.client_id_hash)]) not in known]
    return sorted({one.website.name for one in gone})
