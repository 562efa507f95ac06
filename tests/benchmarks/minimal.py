"""What Django REST framework costs at the least: a view that reads one field and inserts one row."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.ROOT_URLCONF = __name__
application = get_wsgi_application()

from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from signalize_console.recipients.models import Recipient  # noqa: E402


class Body(serializers.Serializer):
    website = serializers.IntegerField()


class Minimal(APIView):
    authentication_classes = []
    permission_classes = []
    request_id = ""

    def post(self, request: Request) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        made = Recipient.objects.create(website_id=body.validated_data["website"])
        return Response({"id": made.pk}, status=201)


urlpatterns = [path("minimal", Minimal.as_view())]
