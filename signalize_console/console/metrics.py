"""``/metrics`` for Prometheus. Only for who has the token; without one set there is no such page."""

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from signalize_console.deliveries import gauges

PREFIX = "signalize"


class Gauges:
    """All that the database tells, read anew at each look."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in gauges.read():
            family = GaugeMetricFamily(f"{PREFIX}_{gauge.name}", gauge.help, labels=gauge.labels)
            for labels, value in gauge.samples:
                family.add_metric(labels, value)
            yield family


def metrics(request: HttpRequest) -> HttpResponse:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Http404
    # Not at making: a registry that auto-describes would ask the database before there is one.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Gauges())
    try:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse("The database doesn't answer.", status=503, content_type="text/plain")
