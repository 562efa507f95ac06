"""Whether the push services can be reached that messages go to: the known ones, and the operator's own."""

from django.conf import settings
from django.db import connection

from signalize_console.deliveries.sending import push_services
from signalize_console.webpush import reaching
from signalize_console.webpush.push_services import ORIGINS
from signalize_console.webpush.reaching import Reached

# Some push services have many hosts: the one that a subscription of ours is at says more than any other,
# unless the operator no longer allows it.
IN_USE = """
SELECT DISTINCT ON (push_service) push_service, substring(endpoint FROM '^https://[^/]+')
FROM (
    SELECT id, push_service, endpoint FROM recipients_subscription ORDER BY id DESC LIMIT 1000
) newest
WHERE push_service = ANY(%s) ORDER BY push_service, id DESC
"""


def reach() -> list[tuple[str, str, Reached]]:
    """Push service, origin and how it went, for each."""
    allowed = push_services()
    with connection.cursor() as cursor:
        cursor.execute(IN_USE, [list(ORIGINS)])
        in_use = {service: origin for service, origin in cursor.fetchall() if allowed.allows(f"{origin}/")}
    origins = ORIGINS | in_use
    named = {origin: service for service, origin in origins.items()}
    for host, port in sorted(allowed.extra):
        origin = f"https://{host}" if port == 443 else f"https://{host}:{port}"
        named.setdefault(origin, allowed.parse(f"{origin}/").service)
    found = reaching.reach(allowed, named, ca_file=settings.PUSH_SERVICES_CA or None)
    return [(service, origin, found[origin]) for origin, service in named.items()]
