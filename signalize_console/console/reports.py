"""Reports: all of a website's, one push message's, and some side by side. Each table is a CSV file, too."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from signalize_console.console.access import own_websites
from signalize_console.console.csv_export import csv_file
from signalize_console.console.page_by_key import id_in
from signalize_console.console.report_tables import (
    clicks,
    compared,
    growth,
    hours_charts,
    hours_since_start,
    of_message,
    opt_in,
    parts,
    reasons,
    verdict,
)
from signalize_console.deliveries.funnels import funnels_of, report_of
from signalize_console.deliveries.website_reports import (
    GROWTH_NAMES,
    OPT_IN_STEPS,
    period,
    subscribers,
    subscribers_per_step,
)
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.websites.models import Website

PERIODS = (7, 30, 90, 364)
MESSAGES_A_PAGE, MESSAGES_AT_ONCE = 25, 200
LEAST_COMPARED, MOST_COMPARED = 2, 5
View = Callable[..., HttpResponseBase]


def urls(wrap: Callable[[View], View]) -> list[URLPattern]:
    return [
        path("reports/", wrap(overview), name="reports"),
        path("reports/compare/", wrap(compare), name="reports_compare"),
        path("reports/message/<int:message_id>/", wrap(message), name="reports_message"),
    ]


def overview(request: HttpRequest) -> HttpResponseBase:
    """Growth, the opt-in funnel and the latest messages of one website, or of all."""
    _ensure_may_look(request)
    websites = _websites(request)
    chosen = _chosen(request.GET.get("website"), websites)
    looked_at = [chosen] if chosen else websites
    ids = [one.pk for one in looked_at]
    days = _number(request.GET.get("days"), PERIODS, 30)
    counted = period(ids, days, [*GROWTH_NAMES, *OPT_IN_STEPS])
    tables = {
        "growth": growth(counted, subscribers_per_step(ids, counted)),
        "opt-in": opt_in(counted),
        "messages": compared(_all_since(counted.first, looked_at)),
    }
    if table := tables.get(request.GET.get("csv", "")):
        return csv_file(request.GET["csv"], table.headings, table.rows)
    latest = _latest(request, looked_at)
    count, counted_at = subscribers(ids)
    context = {
        "title": _("Reports"),
        "websites": websites,
        "chosen": chosen,
        "days": days,
        "periods": PERIODS,
        "growth": tables["growth"],
        "opt_in": tables["opt-in"],
        "messages_found": latest,
        "before": id_in(request.GET.get("before")),
        "older": latest[-1][0].pk if len(latest) == MESSAGES_A_PAGE else None,
        "subscribers": count,
        "counted_at": counted_at,
        "least_compared": LEAST_COMPARED,
        "most_compared": MOST_COMPARED,
    }
    return _page(request, "console/reports.html", context)


def message(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """One push message: its funnel, over time, and by everything that it can be told apart by."""
    _ensure_may_look(request)
    found = get_object_or_404(_messages(_websites(request)), pk=message_id)
    report = report_of(found)
    if request.GET.get("csv"):
        table = of_message(report)
        return csv_file(f"message-{found.pk}", table.headings, table.rows)
    context = {
        "title": found.title,
        "message": found,
        "report": report,
        "parts": parts(report),
        "verdict": verdict(report),
        "clicks": clicks(report),
        "reasons": reasons(report),
        "charts": hours_charts(report),
    }
    return _page(request, "console/report.html", context)


def compare(request: HttpRequest) -> HttpResponseBase:
    """Two to five messages side by side."""
    _ensure_may_look(request)
    ids = [one for text in request.GET.getlist("message") if (one := id_in(text))]
    to_many = _messages(_websites(request)).filter(pk__in=ids).exclude(audience=Audience.RECIPIENTS)
    found = list(to_many[: MOST_COMPARED + 1])
    if not LEAST_COMPARED <= len(found) <= MOST_COMPARED:
        context = {"title": _("Compare"), "least": LEAST_COMPARED, "most": MOST_COMPARED}
        return _page(request, "console/compare.html", context)
    pairs = _with_funnels(found)
    table = compared(pairs)
    if request.GET.get("csv"):
        return csv_file("compare", table.headings, table.rows)
    context = {"title": _("Compare"), "pairs": pairs, "chart": hours_since_start(found)}
    return _page(request, "console/compare.html", context)


def _latest(request: HttpRequest, websites: list[Website]) -> list[tuple[PushMessage, Any]]:
    """A page of messages to many with their funnels, before the one that ``before`` names."""
    messages = _messages(websites).exclude(audience=Audience.RECIPIENTS)
    if before := id_in(request.GET.get("before")):
        messages = messages.filter(pk__lt=before)
    return _with_funnels(messages[:MESSAGES_A_PAGE])


def _all_since(day: datetime.date, websites: list[Website]) -> Iterator[tuple[PushMessage, Any]]:
    """Every message to many that was accepted since, the latest first; some at a time."""
    messages = _messages(websites).filter(day__gte=day).exclude(audience=Audience.RECIPIENTS)
    before = messages
    while found := _with_funnels(before[:MESSAGES_AT_ONCE]):
        yield from found
        before = messages.filter(pk__lt=found[-1][0].pk)


def _with_funnels(messages: Iterable[PushMessage]) -> list[tuple[PushMessage, Any]]:
    found = list(messages)
    funnels = funnels_of(found)
    return [(one, funnels[one.pk]) for one in found]


def _websites(request: HttpRequest) -> list[Website]:
    return list(own_websites(request.user))


def _messages(websites: list[Website]) -> Any:
    """Those that were accepted, the latest first."""
    messages = PushMessage.objects.filter(website__in=websites, day__isnull=False)
    return messages.select_related("website").prefetch_related("texts").order_by("-pk")


def _ensure_may_look(request: HttpRequest) -> None:
    if not request.user.has_perm("messaging.view_pushmessage"):
        raise PermissionDenied


def _chosen(value: str | None, websites: list[Website]) -> Website | None:
    if not value:
        return None
    for website in websites:
        if str(website.pk) == value:
            return website
    raise Http404


def _number(value: str | None, allowed: tuple[int, ...], usual: int) -> int:
    return next((one for one in allowed if str(one) == value), usual)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
