"""What the engine notices while it sends, and tells: alerts, the tries that end them, and tallies."""

import collections
import time

from django.db import connection

from signalize_console.deliveries import alerts, progress
from signalize_console.deliveries.alerts import AlertKind, Said, Stop
from signalize_console.deliveries.lanes import Finding, Lanes
from signalize_console.deliveries.ledger import Claim, Claimed, Result
from signalize_console.webpush.outcomes import Outcome

LOOK_FOR_MASS_EXPIRY = 10.0
COLUMNS = {
    Outcome.ACCEPTED: "accepted",
    Outcome.GONE: "gone",
    Outcome.THROTTLED: "throttled",
    Outcome.DEVICE_THROTTLED: "throttled",
    Outcome.CONFIGURATION: "refused",
    Outcome.KEY_MISMATCH: "refused",
    Outcome.MESSAGE_REJECTED: "refused",
    Outcome.RETRY: "unanswered",
    Outcome.UNCERTAIN: "unanswered",
}

COUNT = """
INSERT INTO deliveries_tally AS tally
    (minute, website_id, push_service, accepted, gone, throttled, refused, unanswered)
SELECT date_trunc('minute', now()), website_id, push_service,
    coalesce(sum(number) FILTER (WHERE kind = 'accepted'), 0),
    coalesce(sum(number) FILTER (WHERE kind = 'gone'), 0),
    coalesce(sum(number) FILTER (WHERE kind = 'throttled'), 0),
    coalesce(sum(number) FILTER (WHERE kind = 'refused'), 0),
    coalesce(sum(number) FILTER (WHERE kind = 'unanswered'), 0)
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[]) AS seen (website_id, push_service, kind, number)
WHERE EXISTS (SELECT FROM websites_website WHERE id = website_id)
GROUP BY website_id, push_service ORDER BY website_id, push_service
ON CONFLICT (minute, push_service, website_id) DO UPDATE SET
    accepted = tally.accepted + excluded.accepted, gone = tally.gone + excluded.gone,
    throttled = tally.throttled + excluded.throttled, refused = tally.refused + excluded.refused,
    unanswered = tally.unanswered + excluded.unanswered
"""

# More than 5 % gone within ten minutes, and ten times the usual of a week: that is not the visitors.
MASS_EXPIRY = """
WITH lately AS (
    SELECT push_service, sum(gone)::float / sum(accepted + gone) AS share
    FROM deliveries_tally WHERE minute > now() - interval '10 minutes'
    GROUP BY push_service HAVING sum(accepted + gone) >= 200
), hours AS (
    SELECT push_service, sum(gone)::float / sum(accepted + gone) AS share
    FROM deliveries_tally
    WHERE minute > now() - interval '7 days' AND minute <= now() - interval '10 minutes'
    GROUP BY push_service, date_trunc('hour', minute) HAVING sum(accepted + gone) >= 50
), usual AS (
    SELECT push_service, percentile_cont(0.5) WITHIN GROUP (ORDER BY share) AS share
    FROM hours GROUP BY push_service
)
INSERT INTO deliveries_alert (kind, push_service, reason, answer, started_at)
SELECT 'mass_expiry', push_service, '',
    round(lately.share::numeric * 100, 1) || ' % / '
        || round(coalesce(usual.share, 0)::numeric * 100, 1) || ' %',
    now() - interval '10 minutes'
FROM lately LEFT JOIN usual USING (push_service)
WHERE lately.share > GREATEST(0.05, 10 * coalesce(usual.share, 0)) AND NOT EXISTS (
    SELECT FROM deliveries_alert alert
    WHERE alert.kind = 'mass_expiry' AND alert.push_service = lately.push_service
      AND coalesce(alert.ended_at, now()) > now() - interval '1 day'
)
ON CONFLICT DO NOTHING
"""
NOT_THROTTLED_ANY_MORE = """
UPDATE deliveries_alert alert SET ended_at = now()
WHERE kind = 'throttled' AND ended_at IS NULL AND started_at < now() - interval '15 minutes' AND NOT EXISTS (
    SELECT FROM deliveries_tally tally
    WHERE tally.website_id = alert.website_id AND tally.push_service = alert.push_service
      AND throttled > 0 AND minute > now() - interval '15 minutes'
)
"""


class Watch:
    """Belongs to one run of the engine; what it learns goes to ``lanes`` and into the database."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.stops: list[Stop] = []
        self.asked: dict[Claim, Stop] = {}
        self.probes: dict[int, Stop] = {}
        self.findings: list[Finding] = []
        self.ended: list[int] = []
        self.counts: collections.Counter[tuple[int, str, str]] = collections.Counter()
        self.looked_at = time.monotonic()

    def claims(self, free: int, now: float) -> list[Claim]:
        """What may be claimed now: first the tries at what is stopped, one delivery each."""
        probes: list[Claim] = []
        for stop in self.stops:
            if stop.is_due and len(probes) < free:
                claim = Claim(1, services=(stop.push_service,), website_id=stop.website_id)
                self.asked[claim] = stop
                probes.append(claim)
        self.stops = [stop for stop in self.stops if not stop.is_due]
        return [*probes, *self.lanes.claims(free - len(probes), now)] if free else []

    @property
    def closed(self) -> list[str]:
        """The push services where nothing goes for some website: none but a try."""
        return [service for _website, service in self.lanes.stopped]

    def claimed(self, claim: Claim, deliveries: list[Claimed], now: float) -> None:
        if (stop := self.asked.pop(claim, None)) and deliveries:
            alerts.put_off(stop)
            self.probes |= {delivery.id: stop for delivery in deliveries}
        self.lanes.claimed(claim, deliveries, now)

    def note(self, result: Result, now: float) -> None:
        """Learns from a result. What it finds is told by ``tell``: this writes nothing."""
        if finding := self.lanes.note(result, now):
            self.findings.append(finding)
        if result.outcome in COLUMNS:
            lane = (result.delivery.website_id, result.delivery.push_service)
            self.counts[*lane, COLUMNS[Outcome(result.outcome)]] += 1
        stop = self.probes.pop(result.delivery.id, None)
        if stop and _is_over(stop, result):
            self.ended.append(stop.id)

    def tell(self) -> None:
        """Opens and ends alerts, and pauses what can't go on."""
        for finding in self.findings:
            result = finding.result
            if finding.message_id and result:
                progress.pause(finding.message_id, result.reason)
            else:
                said = Said(result.reason, result.status, result.answer) if result else Said()
                alerts.raise_alert(finding.kind, finding.website_id, finding.push_service, said)
        for alert_id in self.ended:
            alerts.end(alert_id)
        if self.findings or self.ended:
            self.findings, self.ended = [], []
            self._look()

    def tick(self, now: float) -> None:
        """Once or twice a second."""
        self.findings += self.lanes.tick(now)
        if self.counts:
            rows = [(*lane, number) for lane, number in self.counts.items()]
            with connection.cursor() as cursor:
                cursor.execute(COUNT, [list(column) for column in zip(*rows, strict=True)])
            self.counts.clear()
        if now - self.looked_at > LOOK_FOR_MASS_EXPIRY:
            self.looked_at = now
            with connection.cursor() as cursor:
                cursor.execute(MASS_EXPIRY)
                cursor.execute(NOT_THROTTLED_ANY_MORE)
        self.tell()
        self._look()

    def _look(self) -> None:
        self.stops = alerts.stops()
        self.lanes.stopped = {(stop.website_id, stop.push_service) for stop in self.stops}


def _is_over(stop: Stop, result: Result) -> bool:
    if result.outcome == "not_sent":
        return False
    if stop.kind == AlertKind.OUTAGE:
        return not result.is_outage
    return result.outcome not in {Outcome.CONFIGURATION, Outcome.MESSAGE_REJECTED}
