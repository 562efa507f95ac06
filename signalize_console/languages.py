"""Which language an answer is in: people's own choice, or their browser's; for systems always English."""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class Language(LocaleMiddleware):
    """What a program reads must not change with a header that its library sets."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith("/v3/"):
            translation.activate("en")
            request.LANGUAGE_CODE = "en"
        else:
            super().process_request(request)
