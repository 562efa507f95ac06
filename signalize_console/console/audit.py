"""The audit log: who did what to which object.

Whatever the console is asked to change goes on record by itself: a form by the class of its page, an action
of a list by its name, and any other POST, or file, by its address.
"""

import datetime
import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Exists, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from signalize_console.console.models import AuditRecord
from signalize_console.messaging.models import PushMessage

LONGEST_DETAIL = 500
MOST_CHOSEN = 1_000
# Pages whose forms record themselves, field by field.
BY_FORM = {"add", "change", "changelist", "delete", "history", "login", "logout"}
# What changes nothing that anyone would ask about; a script calls it again and again.
UNRECORDED = {"remarks", "links", "audience", "preview", "sample", "rehearse"}
# What the composer saves by itself, every few seconds: a change stands there once in a while for each person.
BY_ITSELF = {"save": "added", "save_again": "changed"}
# Before the name of the page whose file was taken.
EXPORTED = "exported "
ONCE_IN = datetime.timedelta(minutes=10)

Chosen = list[tuple[Any, int | None]]


class Place(NamedTuple):
    """What the address of a page says: a class, what is done, and to which of its rows."""

    about: str
    deed: str
    object_id: str


def record(
    user: Any,
    deed: str,
    about: str = "",
    object_id: str | int = "",
    *,
    website_id: int | None = None,
    detail: str = "",
) -> None:
    AuditRecord.objects.create(
        user_id=user.pk,
        by=user.get_username(),
        deed=deed,
        about=about,
        object_id=str(object_id),
        website_id=website_id,
        detail=detail[:LONGEST_DETAIL],
    )


def fields_in(message: Any) -> str:
    """The names of the fields that a form has changed. What they held is nobody's business here."""
    parts = json.loads(message) if isinstance(message, str) and message.startswith("[") else message
    if isinstance(parts, str):
        return ""
    names = []
    for part in parts:
        for said in part.values():
            names += [said["name"]] if "name" in said else []
            names += said.get("fields", [])
    return ", ".join(dict.fromkeys(names))


def chosen_by(request: HttpRequest, rows: QuerySet[Any], website_path: str) -> Chosen:
    """The rows that an action was asked for, with their websites, before it changes them."""
    if request.POST.get("select_across") != "1":
        rows = rows.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
    columns = ["pk", website_path] if website_path else ["pk"]
    return [(pk, *website, None)[:2] for pk, *website in rows.values_list(*columns)[:MOST_CHOSEN]]


def record_action(request: HttpRequest, about: str, chosen: Chosen) -> None:
    """One record for each row. Deleting says so itself."""
    name = request.POST.get("action") or ""
    if name == "delete_selected":
        return
    shared = {"user_id": request.user.pk, "by": request.user.get_username(), "deed": name[:64]}
    AuditRecord.objects.bulk_create(
        AuditRecord(about=about, object_id=str(pk), website_id=website, **shared) for pk, website in chosen
    )


def place_of(request: HttpRequest) -> Place:
    match = request.resolver_match
    name = (match.url_name if match else None) or ""
    object_id = next(iter(match.kwargs.values()), "") if match else ""
    app = next((one.label for one in apps.get_app_configs() if name.startswith(f"{one.label}_")), "")
    model, _, deed = name.removeprefix(f"{app}_").partition("_")
    try:
        return Place(apps.get_model(app, model)._meta.label_lower, deed, str(object_id))
    except LookupError:
        return Place("", name, str(object_id))


def on_record(site: Any, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view of the console, whose changes and files leave a record."""

    @functools.wraps(view)
    def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        place = place_of(request)
        is_file = response.get("Content-Disposition", "").startswith("attachment")
        is_change = request.method == "POST" and place.deed not in BY_FORM and _was_done(response)
        if is_change and place.deed in BY_ITSELF:
            _record_draft(request.user, place, json.loads(response.content)["id"])
        elif (is_file or is_change) and place.deed not in UNRECORDED and request.user.is_authenticated:
            website = _website_of(site, place)
            deed = f"{EXPORTED}{place.deed}" if is_file else place.deed
            record(request.user, deed[:64], place.about, place.object_id[:64], website_id=website)
        return response

    return recorded


def _record_draft(user: Any, place: Place, number: int) -> None:
    place = place._replace(deed=BY_ITSELF[place.deed], object_id=str(number))
    told = AuditRecord.objects.filter(about=place.about, object_id=place.object_id, user_id=user.pk)
    lately = told.filter(deed__in=BY_ITSELF.values(), at__gt=timezone.now() - ONCE_IN)
    website_id, was_told = PushMessage.objects.values_list("website", Exists(lately)).get(pk=number)
    if not was_told:
        record(user, place.deed, place.about, number, website_id=website_id)


def _was_done(response: HttpResponse) -> bool:
    """A page that is shown again, with what is wrong in it, has changed nothing."""
    is_page = response.get("Content-Type", "").startswith("text/html")
    return response.status_code < 400 and (response.status_code >= 300 or not is_page)


def _website_of(site: Any, place: Place) -> int | None:
    registered = site._registry.get(apps.get_model(place.about)) if place.about else None
    path = registered.website_path if registered else ""
    if not registered or not path or not place.object_id.isdecimal():
        return None
    found = registered.model._default_manager.filter(pk=place.object_id).values_list(path, flat=True)
    website: int | None = found.first()
    return website
