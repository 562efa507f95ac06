"""The words of the sentence editor, which static/console/automations.js puts together."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "when": _("When"), "only": _("but only for"), "everybody": _("everybody"), "own": _("own conditions (JSON below)"),
    "unless": _("and it ends at once when this event happens"), "nothing": _("(none)"), "then": _("then"),
    "event": _("an event happens"), "page": _("a page is visited"), "subscribed": _("somebody opts in"),
    "interest": _("an interest is ticked"), "attribute": _("an attribute changes"), "date": _("a date comes"),
    "inactivity": _("somebody has not visited for"), "every": _("a weekday comes"), "feed": _("a feed has a new item"),
    "name": _("name"), "path": _("path, such as /sale/*"), "url": _("address of the feed"), "at": _("at"),
    "days": _("days"), "hours": _("hours"), "minutes": _("minutes"), "before": _("before"), "after": _("after"),
    "yearly": _("every year"), "template": _("template"), "transactional": _("transactional"),
    "validFor": _("only valid for, in hours"), "wait": _("wait"), "until": _("wait until, on the recipient's clock"),
    "waitEvent": _("wait for an event, at most"), "orEnd": _("then end"), "send": _("send"),
    "if": _("go on only for"), "remove": _("Remove"), "up": _("Earlier"), "down": _("Later"),
    "step": _("Step"), "json": _("Show as JSON"),
    "monday": _("Monday"), "tuesday": _("Tuesday"), "wednesday": _("Wednesday"), "thursday": _("Thursday"),
    "friday": _("Friday"), "saturday": _("Saturday"), "sunday": _("Sunday"),
}  # fmt: skip
