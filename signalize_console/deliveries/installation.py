"""Which place may send with this database: the one where it was made, until a person says "from here".

A dump that is restored, a copy, a standby that was promoted: two of them would send everything twice, and a
staging machine would send to real subscribers. So the database carries the identity of its place, and whoever
would send compares it with where it is. The table is none of Django's models: it is never emptied with them.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

log = logging.getLogger(__name__)

# The cluster, its line of history (a restore to a point in time and a promotion begin a new one), the
# database, the table itself (new when a dump is restored over what was), and the name that the operator gave.
HERE = """concat_ws('/',
    (SELECT system_identifier FROM pg_control_system()),
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    'deliveries_installation'::regclass::oid::text,
    %s::text)"""
IS_ELSEWHERE = f"NOT EXISTS (SELECT FROM deliveries_installation WHERE identity = {HERE})"
LOOK = f"SELECT {IS_ELSEWHERE}"
CREATE = """
CREATE TABLE deliveries_installation (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    identity text NOT NULL, confirmed_at timestamptz, confirmed_by text NOT NULL DEFAULT ''
)
"""
# A database without a subscriber is nobody's copy.
BEGIN = f"""
INSERT INTO deliveries_installation (identity)
SELECT {HERE} WHERE NOT EXISTS (SELECT FROM recipients_subscription)
"""  # noqa: S608 - our own words
CONFIRM = f"""
INSERT INTO deliveries_installation AS known (identity, confirmed_at, confirmed_by) VALUES ({HERE}, now(), %s)
ON CONFLICT (one) DO UPDATE SET identity = excluded.identity, confirmed_at = now(),
    confirmed_by = excluded.confirmed_by
WHERE known.identity <> excluded.identity
"""  # noqa: S608 - our own words
# What the copy takes to be under way has gone out since, as far as anybody knows: a person decides.
PAUSE = """
UPDATE messaging_pushmessage SET state = 'paused', paused_because = 'restored'
WHERE NOT transactional AND state IN ('sending', 'expanding')
"""
HOLD = """
UPDATE messaging_pushmessage SET state = 'held', due_at = NULL, paused_because = 'restored'
WHERE NOT transactional AND state = 'scheduled' AND due_at <= now()
"""
SAY_AGAIN_SECONDS = 60.0
ELSEWHERE = (
    "This database was restored or copied, so nothing is sent from here: messages are accepted, and wait. If "
    "this is the one installation that sends from now on, run: manage.py send_from_here"
)


@dataclass
class Said:
    """When this process last wrote it into the log."""

    at: float = float("-inf")


said = Said()


def is_elsewhere() -> bool:
    """Whether this database was made in another place, and nobody has said that this one sends now."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [settings.INSTALLATION])
        return bool(cursor.fetchone()[0])


def may_send() -> bool:
    """Whether messages may leave; if not, the log says so once a minute."""
    if not is_elsewhere():
        return True
    if time.monotonic() - said.at > SAY_AGAIN_SECONDS:
        said.at = time.monotonic()
        log.error(ELSEWHERE)
    return False


@transaction.atomic
def send_from_here(by: str) -> bool:
    """This is the one installation that sends from now on. False: it was already.

    Transactional messages go out; marketing that was under way or due is left for a person to decide.
    """
    with connection.cursor() as cursor:
        cursor.execute(CONFIRM, [settings.INSTALLATION, by])
        if not cursor.rowcount:
            return False
        cursor.execute(PAUSE)
        cursor.execute(HOLD)
    return True
