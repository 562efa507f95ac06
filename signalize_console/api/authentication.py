"""Who calls: the key in the header ``X-API-Key``, and in no other place."""

import datetime

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from signalize_console.api.models import ApiKey
from signalize_console.websites.models import Website

HEADER = "X-API-Key"
USE_NOTED_EVERY = datetime.timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the ApiKey."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        text = request.headers.get(HEADER)
        if text is None:
            return None
        key = ApiKey.find(text)
        if key is None:
            raise AuthenticationFailed(
                "This API key is unknown or revoked. The console's API keys page makes one."
            )
        self._note_use(key)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return HEADER

    @staticmethod
    def _note_use(key: ApiKey) -> None:
        now = timezone.now()
        if key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


class HasApiKey(BasePermission):
    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.auth, ApiKey)


def website_of(request: Request) -> Website:
    """The website that the caller's key acts for."""
    assert isinstance(request.auth, ApiKey)
    return request.auth.website


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = ApiKeyAuthentication
    name = "ApiKeyAuth"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": HEADER}
