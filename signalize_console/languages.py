"""Which language an answer is in: people's own choice, or their browser's; for systems always English."""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.translation import gettext_lazy as _

# What Django says of itself, and our catalogue says as the rest of the console does, or at all.
SAID_ANEW = [
    *(_("History"), _("Save and add another"), _("Save and continue editing"), _("Start typing to filter…")),
    *(_("Change selected %(model)s"), _("Add another %(model)s")),
    *(_("Reset password"), _("Set password"), _("Set password: %s"), _("access attempts")),
    *(_("Password-based authentication"), _("Enabled"), _("Disabled")),
    *(_("Enable password-based authentication"), _("Disable password-based authentication")),
    *(_("Change history: %s"), _("Password-based authentication was disabled.")),
    _("This object doesn’t have a change history. It probably wasn’t added via this admin site."),
    _("This action will <strong>enable</strong> password-based authentication for this user."),
    _("Enable password-based authentication for this user by setting a password."),
    _(
        "Whether the user will be able to authenticate using a password or not. If disabled, they may still"
        " be able to authenticate using other backends, such as Single Sign-On or LDAP."
    ),
    _("Raw passwords are not stored, so there is no way to see the user’s password."),
    _("After you’ve created a user, you’ll be able to edit more user options."),
]


class Language(LocaleMiddleware):
    """What a program reads must not change with a header that its library sets."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith("/v3/"):
            translation.activate("en")
            request.LANGUAGE_CODE = "en"
        else:
            super().process_request(request)
