"""The tables and charts of reports. What a page shows of them and what their CSV files hold is the same."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.activity.models import EventKind
from signalize_console.console.charts import Chart, Series
from signalize_console.console.reasons import in_words
from signalize_console.console.templatetags.reports import percent
from signalize_console.console.troubles import SERVICES
from signalize_console.deliveries import splitting
from signalize_console.deliveries.funnels import Funnel, Hours, MessageReport, hours_of
from signalize_console.deliveries.website_reports import GROWTH_NAMES, OPT_IN_STEPS, Period
from signalize_console.messaging.content import Variant
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.rendering import text_for

HOUR = datetime.timedelta(hours=1)
MOST_HOURS = 72
SELDOM = 0.001
COLUMNS = {
    "targeted": gettext_lazy("targeted"),
    "accepted": gettext_lazy("accepted"),
    "shown": gettext_lazy("shown"),
    "clicked": gettext_lazy("clicked"),
    "converted": gettext_lazy("converted"),
    "worth": gettext_lazy("worth"),
    "unsubscribed": gettext_lazy("unsubscribed"),
}
# What else a message's page tells of it.
MORE_COLUMNS = {
    "closed": gettext_lazy("closed without a click"),
    "lost": gettext_lazy("not accepted"),
    "open": gettext_lazy("still open"),
    "blind": gettext_lazy("unknown whether shown: Safari doesn't tell"),
}
RATES = {
    "accepted_rate": gettext_lazy("accepted, of the targeted"),
    "shown_rate": gettext_lazy("shown, of those whose browser can tell"),
    "click_rate": gettext_lazy("click rate"),
    "conversion_rate": gettext_lazy("converted, of the clicks"),
    "unsubscribe_rate": gettext_lazy("unsubscribed, of the accepted"),
}
HOURLY = ("accepted", "shown", "clicked", "closed", "converted", "unsubscribed")
BUTTONS = {"button-1": gettext_lazy("first button"), "button-2": gettext_lazy("second button")}
GROWTH_WORDS = {
    "subscribed": gettext_lazy("opted in"),
    "unsubscribed": gettext_lazy("unsubscribed"),
    "gone": gettext_lazy("gone, say push services"),
}
DIMENSIONS = {
    "variant": gettext_lazy("Text"),
    "push_service": gettext_lazy("Push service"),
    "language": gettext_lazy("Language"),
    "platform": gettext_lazy("Platform"),
}
PLATFORM_WORDS = {
    "windows": "Windows",
    "macos": "macOS",
    "linux": "Linux",
    "chromeos": "ChromeOS",
    "android": "Android",
    "ios": "iOS",
    "other": gettext_lazy("other"),
}


@dataclass(frozen=True)
class Table:
    """``rows`` begin with what they are about. ``charts`` show the same."""

    title: str
    headings: Sequence[Any]
    rows: Iterable[Sequence[Any]]
    charts: Sequence[Chart] = ()


def growth(counted: Period, active: Sequence[int | None]) -> Table:
    """Who came and who went, day by day or week by week, and how many there were."""
    series = [Series(str(GROWTH_WORDS[name]), counted.per_step(name)) for name in GROWTH_NAMES]
    days = [date_format(day, "SHORT_DATE_FORMAT") for day in counted.steps]
    rows = [
        [day.isoformat(), *(one.values[number] for one in series), active[number]]
        for number, day in enumerate(counted.steps)
    ]
    charts = [
        Chart("growth", _("Opted in and left"), days, series),
        Chart("active", _("Active subscriptions"), days, [Series(_("active subscriptions"), active)]),
    ]
    headings = [
        _("day") if counted.step == 1 else _("week from"),
        *GROWTH_WORDS.values(),
        _("active subscriptions"),
    ]
    return Table(_("Subscribers"), headings, rows, charts)


def opt_in(counted: Period) -> Table:
    """Each step with its share of the one that it follows from."""
    totals = {step: counted.total(step) for step in OPT_IN_STEPS}
    follows = {
        **dict.fromkeys(
            (EventKind.OPTIN_YES, EventKind.OPTIN_NO, EventKind.OPTIN_CLOSED), EventKind.OPTIN_SHOWN
        ),
        **dict.fromkeys((EventKind.PERMISSION_GRANTED, EventKind.PERMISSION_DENIED), EventKind.OPTIN_YES),
        EventKind.SUBSCRIBED: EventKind.PERMISSION_GRANTED,
    }
    rows = []
    for step, total in totals.items():
        before = totals.get(follows[step]) if step in follows else None
        share = total / before if before else None
        rows.append([EventKind(step).label, total, share])
    return Table(_("Opt-in"), [_("step"), _("visitors"), _("share of the step before")], rows)


def compared(pairs: Iterable[tuple[PushMessage, Funnel]]) -> Table:
    """A row for each push message, made when it is read."""
    rows = (
        [message.pk, message.title, str(message.website), _moment(message), *_cells(funnel)]
        for message, funnel in pairs
    )
    headings = [_("number"), _("push message"), _("website"), _("accepted at"), *COLUMNS.values()]
    return Table(_("Push messages"), headings, rows)


def parts(report: MessageReport) -> list[tuple[str, list[tuple[str, Funnel]]]]:
    """By variant, push service, language and platform: a title and the funnels, the largest part first."""
    tables = []
    for name, title in DIMENSIONS.items():
        if name in report.by:
            funnels = sorted(report.by[name].items(), key=lambda pair: -pair[1].targeted)
            tables.append((str(title), [(_part(report, name, key), funnel) for key, funnel in funnels]))
    return tables


def verdict(report: MessageReport) -> list[str]:
    """Which text is better, in sentences; none where there is only one."""
    if "variant" not in report.by:
        return []
    tried = {variant: report.by["variant"].get(variant, Funnel()) for variant in Variant.values}
    best, other = sorted(tried, key=lambda variant: -(tried[variant].click_rate or 0))
    accepted, clicked = zip(*((one.accepted, one.clicked) for one in tried.values()), strict=True)
    chance = splitting.chance(accepted, clicked)
    seldom = chance is not None and chance < SELDOM
    facts = {
        "best": best,
        "more": percent(tried[best].click_rate),
        "less": percent(tried[other].click_rate),
        "chance": _("fewer than %s") % percent(SELDOM) if seldom else percent(chance),
    }
    if chance is None:
        said = _("Too few have clicked to say which text is better.")
    elif chance < splitting.HARDLY:
        said = _(
            "Text %(best)s is better: %(more)s clicked, of the other one %(less)s. Chance alone makes such a "
            "difference in %(chance)s of cases."
        )
    else:
        said = _(
            "Of text %(best)s %(more)s clicked, of the other one %(less)s. That may be chance, which makes "
            "such a difference in %(chance)s of cases."
        )
    rest = _("The rest got text %(winner)s.") % {"winner": report.message.winner}
    return [said % facts, *([rest] if report.message.winner else [])]


def clicks(report: MessageReport) -> list[tuple[str, int]]:
    """What of the notification was clicked, and how often."""
    itself = _("the notification itself")
    return [(str(BUTTONS.get(button, itself)), count) for button, count in report.buttons.items()]


def reasons(report: MessageReport) -> list[tuple[str, int]]:
    """Why some were not accepted, the most frequent first."""
    said = [(in_words(reason) or _("no reason given"), count) for reason, count in report.reasons.items()]
    return sorted(said, key=lambda one: -one[1])


def of_message(report: MessageReport) -> Table:
    """All that its page shows, in one table: a cell is empty where there is nothing to be counted."""
    columns = {**COLUMNS, **MORE_COLUMNS, **RATES}
    whole = [(_("Whole message"), "", report.funnel)]
    funnels = [*whole, *((title, name, one) for title, found in parts(report) for name, one in found)]
    rows: list[list[Any]] = [[by, part, *_cells(one, columns)] for by, part, one in funnels]

    def add(by: str, part: str, **cells: Any) -> None:
        rows.append([by, part, *(cells.get(name, "") for name in columns)])

    for hour in _every_hour(report.hours):
        counts = {name: _known(report, name, report.hours.get(hour, Counter())[name]) for name in HOURLY}
        add(_("Hour by hour"), _written(hour), **counts)
    for part, count in clicks(report):
        add(_("What was clicked"), part, clicked=count)
    for part, count in reasons(report):
        add(_("Why some were not accepted"), part, lost=count)
    for sentence in verdict(report):
        add(_("Text A or text B"), sentence)
    message = report.message
    add(_("push message"), message.title)
    add(_("website"), str(message.website))
    add(_("state"), message.get_state_display())
    add(_("accepted at"), _moment(message))
    if message.finished_at:
        add(_("finished"), _written(message.finished_at))
    return Table(message.title, [_("by"), _("part"), *columns.values()], rows)


def hours_charts(report: MessageReport) -> list[Chart]:
    """When it happened, in the first three days: what many do, and what few do, each on its own scale."""
    if not report.hours:
        return []
    hours = _first_hours(report.hours)
    # Translators: a day without its year and a time, in the letters of Django's date formats.
    written = _("N j, P")
    labels = [date_format(timezone.localtime(hour), written) for hour in hours]
    charts = []
    for key, title, names in (
        ("sent", _("Accepted and shown, hour by hour"), ("accepted", "shown")),
        ("acted", _("Clicked and after, hour by hour"), ("clicked", "converted", "unsubscribed")),
    ):
        counts = {
            name: [_known(report, name, report.hours.get(hour, Counter())[name]) for hour in hours]
            for name in names
        }
        series = [Series(str(COLUMNS[name]), values) for name, values in counts.items()]
        charts.append(Chart(key, title, labels, series, f"message-{report.message.pk}-{key}"))
    return charts


def hours_since_start(messages: Sequence[PushMessage]) -> Chart | None:
    """Clicks of each message, hour by hour since its first delivery."""
    every = hours_of([message.pk for message in messages])
    hours = {message_id: found for message_id, found in every.items() if found}
    if not hours:
        return None
    longest = max(_length(found, min(found)) for found in hours.values())
    series = []
    for message in messages:
        found = hours.get(message.pk, {})
        first = min(found) if found else timezone.now()
        clicks = [found[at]["clicked"] if (at := first + HOUR * n) in found else 0 for n in range(longest)]
        series.append(Series(f"#{message.pk} {message.title}", clicks))
    labels = [_("hour %(number)d") % {"number": n} for n in range(1, longest + 1)]
    file = "-".join(["compare", *(str(message.pk) for message in messages)])
    return Chart("clicks", _("Clicks, hour by hour since the start"), labels, series, file)


def _known(report: MessageReport, name: str, count: int) -> int | None:
    """None where the whole message's is unknown."""
    return None if getattr(report.funnel, name) is None else count


def _first_hours(hours: Hours) -> list[datetime.datetime]:
    """Those of the first three days, without a gap."""
    first = min(hours)
    return [first + HOUR * number for number in range(_length(hours, first))]


def _every_hour(hours: Hours) -> list[datetime.datetime]:
    """The first ones, and later ones in which something happened."""
    if not hours:
        return []
    shown = _first_hours(hours)
    return [*shown, *(hour for hour in hours if hour > shown[-1])]


def _length(hours: dict[datetime.datetime, Any], first: datetime.datetime) -> int:
    return min((max(hours) - first) // HOUR + 1, MOST_HOURS)


def _cells(funnel: Funnel, columns: Iterable[str] = COLUMNS) -> list[Any]:
    return [
        _share(value) if name in RATES else value for name in columns for value in [getattr(funnel, name)]
    ]


def _share(value: float | None) -> float | str:
    """Of nothing there is none."""
    return "–" if value is None else round(value, 4)


def _part(report: MessageReport, dimension: str, key: str) -> str:
    if dimension == "variant" and key:
        return f"{key}: {text_for(list(report.message.texts.all()), '', key).title}"
    known: dict[str, dict[str, Any]] = {
        "push_service": {**SERVICES},
        "platform": PLATFORM_WORDS,
        "variant": {"": _("the better one, afterwards")},
    }
    names = known.get(dimension, {})
    return str(names.get(key, key)) or _("not known")


def _moment(message: PushMessage) -> str:
    return _written(message.scheduled_at or message.created_at)


def _written(at: datetime.datetime) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="minutes")
