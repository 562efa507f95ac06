"""Which language an answer is in: people's own choice, or their browser's; for systems always English."""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.translation import gettext_lazy as _

# What Django says of itself, and our catalogue says as the rest of the console does, or at all.
SAID_ANEW = [
    *(_("History"), _("Save and add another"), _("Save and continue editing"), _("Start typing to filter…")),
    *(_("Change selected %(model)s"), _("Add another %(model)s")),
    *(_("Reset password"), _("Set password"), _("access attempts")),
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
