"""Rules that the clock starts: dates, inactivity, every Monday at nine, and feeds that are looked into.

All recipients are gone through, a chunk at a time; runs and position commit together.
"""

import datetime
from collections.abc import Callable

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from signalize_console.audiences.sql import Sql
from signalize_console.automations import dates, feeds, waiting
from signalize_console.automations.conditions import definition_of, guarded, reachable
from signalize_console.automations.definition import HAPPENS, BadRule, Facts
from signalize_console.automations.models import Rule, RuleVersion, Schedule
from signalize_console.automations.starting import start
from signalize_console.recipients.models import Recipient

CHUNK = 20_000
# Dates are looked at an hour ahead, so that each run starts to the minute.
AHEAD, EVERY = datetime.timedelta(hours=1), datetime.timedelta(minutes=30)
FEED_EVERY = datetime.timedelta(minutes=15)
# What a schedule missed for longer than this, while nothing ran, is not made up for.
OLDEST = datetime.timedelta(days=3)
SECOND = datetime.timedelta(seconds=1)

AMONG = "recipient.id > %(after)s AND recipient.id <= %(until)s"
EVERYBODY = f"""
SELECT recipient.id AS recipient_id, %(occasion)s AS trigger, %(moment)s AS at, %(facts)s::jsonb AS facts,
    %(moment)s AS due_at
FROM recipients_recipient recipient WHERE recipient.website_id = %(website)s AND {AMONG}
"""  # noqa: S608 - our own words
INACTIVE = f"""
SELECT recipient.id AS recipient_id, 'inactive-' || extract(epoch FROM recipient.seen_at)::bigint AS trigger,
    recipient.seen_at + %(period)s AS at, '{{}}'::jsonb AS facts, recipient.seen_at + %(period)s AS due_at
FROM recipients_recipient recipient
WHERE recipient.website_id = %(website)s AND {AMONG}
  AND recipient.seen_at >= %(since)s - %(period)s AND recipient.seen_at < %(moment)s - %(period)s
"""  # noqa: S608 - our own words


def tick() -> bool:
    """One chunk of one schedule whose time has come. True: there may be more."""
    _make_missing()
    with transaction.atomic():
        schedule = _next()
        if schedule is None:
            return False
        version = RuleVersion.objects.select_related("rule").get(current_of=schedule.rule_id)
        try:
            when = definition_of(version).when
        except BadRule as error:
            version.rule.note_trouble(str(error))
            Schedule.objects.filter(pk=schedule.pk).update(due_at=timezone.now() + EVERY)
            return True
        kind, facts = when.kind, when.facts
        if schedule.moment is None and kind == "feed":
            schedule.due_at = timezone.now() + FEED_EVERY
            schedule.save(update_fields=["due_at"])
        elif schedule.moment is None and not BEGIN[kind](schedule, facts, timezone.now()):
            schedule.save()
            return True
        else:
            _advance(schedule, version, kind)
            return True
    _look_into_feed(schedule, version.rule, facts["url"])
    return True


def _next() -> Schedule | None:
    due = Schedule.objects.filter(due_at__lte=timezone.now(), rule__is_on=True, rule__version__isnull=False)
    return due.select_for_update(of=("self",), skip_locked=True).order_by("due_at").first()


def _make_missing() -> None:
    timed = Rule.objects.filter(is_on=True, schedule=None, version__isnull=False).exclude(
        version__definition__when__kind__in=sorted(HAPPENS)
    )
    for rule in timed:
        Schedule.objects.get_or_create(rule=rule)


def _begin_every(schedule: Schedule, facts: Facts, now: datetime.datetime) -> bool:
    """Whether the occasion has come; else its time is the schedule's next appointment."""
    zone = waiting.zone(facts.get("zone", ""))
    since = max(schedule.since, now - OLDEST)
    moment = waiting.next_on(since, facts["days"], facts["at"], zone)
    schedule.due_at = moment
    if moment > now:
        return False
    schedule.moment, schedule.position = moment, 0
    schedule.occasion = f"every-{moment:%Y-%m-%dT%H:%MZ}"
    return True


def _begin_date(schedule: Schedule, _facts: Facts, now: datetime.datetime) -> bool:
    schedule.since = max(schedule.since, now - OLDEST)
    schedule.moment, schedule.position = now + AHEAD, 0
    return True


def _begin_inactivity(schedule: Schedule, _facts: Facts, now: datetime.datetime) -> bool:
    schedule.since = max(schedule.since, now - OLDEST)
    schedule.moment, schedule.position = now, 0
    return True


BEGIN: dict[str, Callable[[Schedule, Facts, datetime.datetime], bool]] = {
    "every": _begin_every,
    "date": _begin_date,
    "inactivity": _begin_inactivity,
}


def _advance(schedule: Schedule, version: RuleVersion, kind: str) -> None:
    """Starts the runs of the next recipients, and moves on."""
    after = schedule.position
    chunk = Recipient.objects.filter(website=version.rule.website, pk__gt=after).order_by("pk")
    until = chunk.filter(pk__in=chunk.values("pk")[:CHUNK]).aggregate(last=Max("pk"))["last"]
    if until is None:
        _end(schedule, kind)
    else:
        with guarded(version.rule):
            _start(schedule, version, after, until)
        schedule.position = until
    schedule.save()


def _start(schedule: Schedule, version: RuleVersion, after: int, until: int) -> None:
    definition = definition_of(version)
    kind, facts = definition.when.kind, definition.when.facts
    moment = schedule.moment or timezone.now()
    with connection.cursor() as cursor:
        if kind == "date":
            dates.plan(cursor, version, (schedule.since, moment), AMONG, after=after, until=until)
            return
        sql = Sql(timezone.now())
        condition = reachable(sql, version.rule.website_id, definition.condition)
        values = {
            **sql.values,
            "after": after,
            "until": until,
            "moment": moment,
            "since": schedule.since,
            "occasion": schedule.occasion,
            "facts": feeds.as_json(schedule.facts),
            "period": datetime.timedelta(days=facts["days"]) if kind == "inactivity" else None,
        }
        start(cursor, version, INACTIVE if kind == "inactivity" else EVERYBODY, condition, values)


def _end(schedule: Schedule, kind: str) -> None:
    moment, now = schedule.moment or timezone.now(), timezone.now()
    schedule.since = moment + SECOND if kind == "every" else moment
    schedule.due_at = {"every": now, "feed": now + FEED_EVERY}.get(kind, now + EVERY)
    schedule.moment, schedule.occasion, schedule.facts = None, "", {}


def _look_into_feed(schedule: Schedule, rule: Rule, url: str) -> None:
    """Outside of any transaction: a slow site must hold up nobody. What was there at first is not news."""
    try:
        items = feeds.items(url)
    except feeds.BrokenFeed as error:
        rule.note_trouble(str(error))
        return
    if rule.trouble:
        rule.note_trouble("")
    with transaction.atomic():
        locked = Schedule.objects.select_for_update().filter(pk=schedule.pk, moment=None).first()
        if locked is None:
            return
        known = set(locked.seen)
        fresh = [item for item in items if item.key not in known]
        if known and fresh:
            locked.moment, locked.position, locked.due_at = timezone.now(), 0, timezone.now()
            locked.occasion, locked.facts = f"feed-{fresh[0].key}", fresh[0].facts
        locked.seen = [item.key for item in items] or locked.seen
        locked.save()
