"""A moment as one says it: "Monday 9:00" while the day's name is enough, else with the date."""

import datetime

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

NEAR = datetime.timedelta(days=6)


def moment(when: datetime.datetime) -> str:
    now, local = timezone.localtime(), timezone.localtime(when)
    clock = time_format(local, "H:i")
    if local.date() == now.date():
        return _("today %s") % clock
    if abs(local - now) < NEAR:
        day = date_format(local, "l")
        return f"{day} {clock}" if local > now else _("last %(day)s %(clock)s") % {"day": day, "clock": clock}
    return f"{date_format(local, 'DATE_FORMAT')} {clock}"
