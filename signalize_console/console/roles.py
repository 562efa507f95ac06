"""The roles of staff: groups of Django's, whose permissions every migration puts as this table says."""

from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    VIEWER = "Viewer", _("Viewer")
    MARKETER = "Marketer", _("Marketer")
    APPROVER = "Approver", _("Approver")
    ADMINISTRATOR = "Administrator", _("Administrator")
    AUDITOR = "Auditor", _("Auditor")


EVERYONE = list(Role)
# Who may see single visitors, by their pseudonymous ids.
NEAR_VISITORS = [Role.MARKETER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR]
WRITERS = [Role.MARKETER, Role.ADMINISTRATOR]
KEEPERS = [Role.ADMINISTRATOR, Role.AUDITOR]
ADMINISTRATORS = [Role.ADMINISTRATOR]

# Classes, who may look at their rows, and who may add, change and delete them. What isn't here is nobody's.
CLASSES: list[tuple[str, list[Role], list[Role]]] = [
    ("messaging.pushmessage messaging.pushmessagetext", EVERYONE, WRITERS),
    ("messaging.messagetemplate messaging.templatetext", EVERYONE, WRITERS),
    ("messaging.media", EVERYONE, WRITERS),
    ("audiences.segment audiences.recipientlist", EVERYONE, WRITERS),
    ("automations.rule", EVERYONE, WRITERS),
    ("automations.run", NEAR_VISITORS, []),
    ("recipients.import", KEEPERS, ADMINISTRATORS),
    ("websites.vapidkey", KEEPERS, ADMINISTRATORS),
    ("websites.optin websites.optintext websites.interest", EVERYONE, WRITERS),
    ("websites.website websites.consenttext", EVERYONE, ADMINISTRATORS),
    ("deliveries.alert deliveries.heartbeat django_celery_beat.periodictask", EVERYONE, ADMINISTRATORS),
    ("recipients.recipient recipients.subscription", NEAR_VISITORS, ADMINISTRATORS),
    ("deliveries.delivery deliveries.attempt activity.event", NEAR_VISITORS, []),
    ("recipients.consent", KEEPERS, []),
    ("api.apikey api.keyrecord", KEEPERS, ADMINISTRATORS),
    ("webhooks.webhookendpoint webhooks.webhookdelivery", KEEPERS, ADMINISTRATORS),
    ("auth.user auth.group axes.accessattempt", KEEPERS, ADMINISTRATORS),
    ("console.auditrecord", KEEPERS, []),
]
# Permissions beyond those four.
DEEDS: dict[str, list[Role]] = {
    "messaging.send_pushmessage": WRITERS,
    "messaging.approve_pushmessage": [Role.APPROVER, Role.ADMINISTRATOR],
    "deliveries.self_test": [Role.MARKETER, Role.ADMINISTRATOR],
    # All that is stored of a person, and all that a website has, with its secrets.
    "recipients.export_recipient": ADMINISTRATORS,
    "websites.export_website": ADMINISTRATORS,
}


def permissions_of(role: Role) -> set[str]:
    """As Django writes them: ``messaging.view_pushmessage``."""
    found = {deed for deed, roles in DEEDS.items() if role in roles}
    for names, lookers, writers in CLASSES:
        verbs = ["view"] if role in lookers else []
        verbs += ["add", "change", "delete"] if role in writers else []
        for name in names.split():
            app, model = name.split(".")
            found |= {f"{app}.{verb}_{model}" for verb in verbs}
    return found


def establish(**_signal: Any) -> None:
    """After each migration: the roles exist, and may do what the table says, no more and no less."""
    from django.contrib.auth.models import Group, Permission  # noqa: PLC0415 - apps.py imports this module

    by_name = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    for role in Role:
        group, _created = Group.objects.get_or_create(name=role.value)
        group.permissions.set([by_name[name] for name in permissions_of(role) if name in by_name])
