"""Audiences for benchmarks: as many subscriptions as wanted, made by PostgreSQL itself."""

from typing import Any

KEYS = 2_000
COPY_KEYS = "COPY bench_keys (number, p256dh, auth) FROM STDIN"
RECIPIENTS = """
INSERT INTO recipients_recipient
    (website_id, client_id, customer_id, language, time_zone, attributes{more_columns})
SELECT %s, md5('bench ' || number), 'customer-' || number, 'en', 'Europe/Berlin', '{{}}'{more_values}
FROM generate_series(1, %s) AS number
"""
SUBSCRIPTIONS = """
INSERT INTO recipients_subscription
    (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash, p256dh, auth, push_service, state,
     ended_reason, created_at, seen_at)
SELECT %s, recipient.id, %s, endpoint, sha256(endpoint::bytea), p256dh, auth, 'mozilla', 'active', '',
    now() - interval '1 day', now()
FROM (SELECT id, row_number() OVER (ORDER BY id) AS number,
             'https://updates.push.services.mozilla.com/wpush/v2/' || id AS endpoint
      FROM recipients_recipient WHERE website_id = %s) recipient
JOIN bench_keys ON bench_keys.number = recipient.number %% %s
"""


def seed(count: int) -> Any:
    """A website with ``count`` subscribers. Their keys repeat: that changes nothing for encryption."""
    from django.db import connection

    from tests.makers import make_push, make_website

    website = make_website()
    pushes = [make_push(website) for _number in range(min(KEYS, count))]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bench_keys (number int, p256dh text, auth text)")
        with cursor.copy(COPY_KEYS) as copy:
            for number, push in enumerate(pushes):
                copy.write_row((number, push.p256dh, push.auth))
        cursor.execute(_recipients(cursor), [website.pk, count])
        cursor.execute(SUBSCRIPTIONS, [website.pk, website.vapid_key.pk, website.pk, len(pushes)])
        cursor.execute("ANALYZE recipients_recipient, recipients_subscription")
        cursor.execute("DROP TABLE bench_keys")
    return website


def _recipients(cursor: Any) -> str:
    """Whatever further columns there are that want a value get their type's empty one."""
    cursor.execute("""
        SELECT column_name, CASE data_type WHEN 'ARRAY' THEN '''{}''' WHEN 'boolean' THEN 'false'
                                           WHEN 'jsonb' THEN '''{}''' ELSE '''''' END
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = 'recipients_recipient'
          AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
          AND column_name NOT IN ('website_id', 'client_id', 'customer_id', 'language', 'time_zone', 'attributes')
    """)
    more = cursor.fetchall()
    return RECIPIENTS.format(
        more_columns="".join(f", {name}" for name, _value in more),
        more_values="".join(f", {value}" for _name, value in more),
    )


def add_timed(website: Any, count: int) -> list[Any]:
    """Recipients whose pushes the sink writes down with their time: /wpush/v2/timed-<recipient id>."""
    from tests.benchmarks.sink import HOST
    from tests.makers import make_push, make_recipient, make_subscription

    recipients = []
    for _number in range(count):
        recipient = make_recipient(website)
        push = make_push(website, f"https://{HOST}/wpush/v2/timed-{recipient.pk}")
        make_subscription(website, push, recipient=recipient, push_service="mozilla")
        recipients.append(recipient)
    return recipients
