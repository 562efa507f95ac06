"""The website that a key acts for."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.api import examples, schemas
from signalize_console.api.authentication import caller_of
from signalize_console.api.endpoint import Endpoint
from signalize_console.api.parsing import milliseconds
from signalize_console.api.scopes import Scope
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website


class Websites(Endpoint):
    """The websites of the key: one."""

    scopes = {"GET": Scope.READ_WEBSITES}

    @extend_schema(
        operation_id="listWebsites",
        summary="The website of the key",
        responses={
            200: schemas.page("WebsitePage", schemas.Website),
            **schemas.errors(401, 403, 429, 503),
        },
        examples=[examples.page_of(examples.WEBSITE)],
    )
    def get(self, request: Request) -> Response:
        return Response({"items": [_shown(_website(request))], "nextCursor": None})


class OneWebsite(Endpoint):
    """One website."""

    scopes = {"GET": Scope.READ_WEBSITES}

    @extend_schema(
        operation_id="getWebsite",
        summary="Read a website",
        responses={200: schemas.Website, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.WEBSITE],
    )
    def get(self, request: Request, website_id: int) -> Response:
        if website_id != caller_of(request).website_id:
            raise Http404
        return Response(_shown(_website(request)))


def _website(request: Request) -> Website:
    return Website.objects.get(pk=caller_of(request).website_id)


def _shown(website: Website) -> dict[str, Any]:
    return {
        "websiteId": website.pk,
        "name": website.name,
        "secureCode": website.secure_code,
        "origins": website.origins,
        "vapidPublicKey": website.vapid_key.public_key,
        "createdAt": milliseconds(website.created_at),
        "subscribers": Subscription.objects.active().filter(website=website).count(),
    }
