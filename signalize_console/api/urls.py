from django.urls import path, re_path, register_converter
from django.urls.converters import IntConverter
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularJSONAPIView

from signalize_console.api.errors import not_found
from signalize_console.api.pushmessages import PushMessages, SubscriptionPushMessages


class Id(IntConverter):
    """An id as PostgreSQL holds it; a longer number is no address of ours."""

    regex = "[0-9]{1,18}"


register_converter(Id, "id")

app_name = "api"
urlpatterns = [
    path("subscriptions/pushmessages", SubscriptionPushMessages.as_view(), name="subscription-pushmessages"),
    path("pushmessages/<id:message_id>", PushMessages.as_view(), name="pushmessage"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", TemplateView.as_view(template_name="api/docs.html"), name="docs"),
    re_path(r"", not_found),
]
