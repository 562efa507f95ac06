"""``/metrics`` for Prometheus. Only for who has the token; without one set there is no such page."""

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.utils import floatToGoString

from signalize_console.automations import advancing
from signalize_console.deliveries import gauges, latencies
from signalize_console.deliveries.gauges import Gauge
from signalize_console.deliveries.latencies import Histogram, LatencyKind
from signalize_console.webhooks import ledger

PREFIX = "signalize"


LATENCIES = {
    LatencyKind.ACCEPT: "From the arrival of an API call to its message being stored.",
    LatencyKind.CLAIM: "Recording what was answered and claiming the next deliveries: one transaction.",
    LatencyKind.POST: "From handing a request to the wire until the push service has answered.",
}


class Watched:
    """All that the database tells, read anew at each look."""

    def collect(self) -> Iterator[Metric]:
        yield from map(_gauge, gauges.read())
        for name, seconds in (("automations", advancing.seconds_due()), ("webhooks", ledger.seconds_due())):
            said = f"For how long the oldest step of {name} that is due has been."
            yield _gauge(Gauge(f"{name}_due_seconds", said, (), [((), seconds)]))
        histograms = latencies.read()
        for kind, said in LATENCIES.items():
            labels = ("class", "push_service") if kind == LatencyKind.POST else ("class",)
            family = HistogramMetricFamily(f"{PREFIX}_{kind}_seconds", said, labels=labels)
            for one in histograms:
                if one.kind == kind:
                    values = ("transactional" if one.transactional else "marketing", one.push_service)
                    family.add_metric(values[: len(labels)], _buckets(one), one.seconds)
            yield family


def _gauge(gauge: Gauge) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{gauge.name}", gauge.help, labels=gauge.labels)
    for labels, value in gauge.samples:
        family.add_metric(labels, value)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    return [
        (floatToGoString(bound), count)
        for bound, count in zip(latencies.BOUNDS, histogram.counts, strict=True)
    ]


def metrics(request: HttpRequest) -> HttpResponse:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Http404
    # Not at making: a registry that auto-describes would ask the database before there is one.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Watched())
    try:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse("The database doesn't answer.", status=503, content_type="text/plain")
