"""When a push message is sent, how often, and how fast."""

import datetime
import itertools
import zoneinfo

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from signalize_console.messaging import wall_clock


class Repeat(models.TextChoices):
    ONCE = "", _("once")
    DAY = "day", _("every day")
    WEEK = "week", _("every week")
    MONTH = "month", _("every month")


class Timing(models.Model):
    """``scheduled_at`` is an instant; a clock in ``time_zone`` then shows the ``wall_time`` that was meant.

    ``expected`` is how many deliveries there will be, where somebody has counted before.
    """

    scheduled_at = models.DateTimeField(
        _("send at"), null=True, blank=True, help_text=_("Empty: as soon as you send it.")
    )
    time_zone = models.CharField(max_length=64, default=timezone.get_default_timezone_name, editable=False)
    in_local_time = models.BooleanField(
        _("when each recipient's clock shows this time"),
        default=False,
        db_default=False,
        help_text=_(
            "Where it has passed more than an hour ago, the next day at that time. A recipient whose time "
            "zone is unknown gets it when the clock here shows it."
        ),
    )
    repeat = models.CharField(
        _("repeat"), max_length=5, choices=Repeat, default=Repeat.ONCE, db_default="", blank=True
    )
    valid_until = models.DateTimeField(
        _("valid until"), null=True, blank=True, help_text=_("Nothing is sent after this.")
    )
    per_minute = models.PositiveIntegerField(
        _("at most so many a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("So that your site can bear the visitors. Empty: as fast as it goes."),
    )
    expected = models.PositiveBigIntegerField(editable=False, null=True)

    class Meta:
        abstract = True

    @property
    def wall_time(self) -> datetime.datetime:
        """What the clock on the wall shows when it is sent, in no zone."""
        if self.scheduled_at is None:
            raise ValueError("A message that is sent at once has no wall time.")
        return self.scheduled_at.astimezone(self.zone).replace(tzinfo=None, fold=0)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return wall_clock.zone(self.time_zone)

    def span(self, now: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
        """When the first and the last recipient are due, if nothing goes out before ``now``."""
        first = last = max(self.scheduled_at or now, now)
        if self.in_local_time and self.scheduled_at:
            earliest, last = wall_clock.around_the_world(self.wall_time)
            first = max(earliest, now)
            if earliest + wall_clock.PATIENCE < now:
                last += wall_clock.DAY
        if self.per_minute and self.expected:
            last += datetime.timedelta(minutes=self.expected / self.per_minute)
        return first, last

    def next_run(self, after: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
        """The first run of a repeated message that starts later: when it is for, and when it starts."""
        for number in itertools.count():
            wall = self._wall_time_of(number)
            run_for = starts_at = wall_clock.instant(wall, self.zone)
            if self.in_local_time:
                starts_at = wall_clock.around_the_world(wall)[0]
            if starts_at > after:
                return run_for, starts_at
        raise AssertionError("Time has no end.")

    def _wall_time_of(self, number: int) -> datetime.datetime:
        """A month that is too short has its last day in place of the 29th, 30th or 31st."""
        first = self.wall_time
        if self.repeat == Repeat.MONTH:
            return wall_clock.months_later(first, number)
        return first + number * (7 if self.repeat == Repeat.WEEK else 1) * wall_clock.DAY
