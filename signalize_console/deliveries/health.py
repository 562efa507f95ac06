"""Whether messages go out: who shows signs of life, and what waits longer than it should."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from signalize_console import __version__
from signalize_console.deliveries.installation import IS_ELSEWHERE

SILENT_SECONDS = 30.0
LATE_SECONDS = 10.0
# Of each kind (an engine's by the queue that it serves) the youngest sign of life, in seconds; since when the
# oldest transactional message has been due; how many alerts are open; whether this database is of elsewhere;
# which versions are at work; which SECRET_KEYs and key-encryption keys, by their marks, and who has which;
# who lacks which picture. Processes of one part on one machine are one.
PART = "regexp_replace(name, '-[0-9]+@', '@')"
LIVES = "beat_at > now() - make_interval(secs => %s)"
MARKED = f"""
    SELECT coalesce(json_object_agg(mark, parts), '{{{{}}}}') FROM (
        SELECT {{mark}} AS mark, array_agg(DISTINCT {PART} ORDER BY {PART}) AS parts
        FROM deliveries_heartbeat WHERE {LIVES} AND {{mark}} <> '' GROUP BY {{mark}}
    ) marked
"""  # noqa: S608 - our own words
LOOK = f"""
SELECT (
    SELECT coalesce(json_object_agg(who, age), '{{}}') FROM (
        SELECT CASE kind WHEN 'engine' THEN split_part(name, '-', 1) ELSE kind END AS who,
            extract(epoch FROM now() - max(beat_at))::float AS age
        FROM deliveries_heartbeat GROUP BY who
    ) sign
), (
    SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float FROM messaging_pushmessage
    WHERE transactional AND due_at <= now() AND state IN ('scheduled', 'expanding', 'sending')
), (SELECT count(*) FROM deliveries_alert WHERE ended_at IS NULL), {IS_ELSEWHERE}, (
    SELECT array_agg(DISTINCT coalesce(nullif(version, ''), 'unknown')) FROM deliveries_heartbeat
    WHERE {LIVES}
), ({MARKED.format(mark="key_mark")}), ({MARKED.format(mark="encryption_mark")}), (
    SELECT coalesce(json_object_agg({PART}, missing_picture), '{{}}') FROM deliveries_heartbeat
    WHERE {LIVES} AND missing_picture <> ''
)
"""  # noqa: S608 - our own words
QUEUES = ("transactional", "marketing", "maintenance", "automations")
EXPECTED = ("beat", "worker", *QUEUES)


@dataclass(frozen=True)
class Health:
    """``seconds_silent``: by "beat", "worker" and the queues; None: not seen for a day.
    ``seconds_late``: how long the oldest transactional message has been due.
    ``is_elsewhere``: the database was restored or copied, and nothing is sent until a person says so.
    ``other_versions``: of all that lives, where they aren't this process's, as during an update.
    ``secret_keys``, ``encryption_keys``: for each in use, by its mark, who has it, such as "web@machine".
    ``missing_pictures``: of each web that lacks the newest picture, the name of its file."""

    seconds_silent: dict[str, float | None]
    seconds_late: float
    open_alerts: int
    is_elsewhere: bool = False
    other_versions: list[str] = field(default_factory=list)
    secret_keys: dict[str, list[str]] = field(default_factory=dict)
    encryption_keys: dict[str, list[str]] = field(default_factory=dict)
    missing_pictures: dict[str, str] = field(default_factory=dict)
    silent: list[str] = field(init=False)

    def __post_init__(self) -> None:
        silent = [who for who, age in self.seconds_silent.items() if age is None or age > SILENT_SECONDS]
        object.__setattr__(self, "silent", silent)

    @property
    def is_late(self) -> bool:
        return self.seconds_late > LATE_SECONDS

    @property
    def keys_differ(self) -> bool:
        return len(self.secret_keys) > 1

    @property
    def encryption_keys_differ(self) -> bool:
        return len(self.encryption_keys) > 1

    @property
    def is_good(self) -> bool:
        differs = self.keys_differ or self.encryption_keys_differ or self.missing_pictures
        return not (self.silent or self.is_late or self.open_alerts or self.is_elsewhere or differs)


def look() -> Health:
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [settings.INSTALLATION, *[SILENT_SECONDS] * 4])
        ages, late, alerts, is_elsewhere, versions, *shared = cursor.fetchone()
    others = [one for one in versions or [] if one != __version__]
    silent = {who: ages.get(who) for who in EXPECTED}
    return Health(silent, late, alerts, is_elsewhere, others, *shared)
