"""Whether all that was acknowledged has happened, once."""

import psycopg

from tests.faults.push_service import Face
from tests.faults.system import wait_until
from tests.upgrades.traffic import Traffic

# Of each message: its deliveries, and those that the push service took.
BOOKS = """
SELECT push_message_id, count(*), count(*) FILTER (WHERE state = 'accepted') FROM deliveries_delivery
WHERE push_message_id = ANY (%s) GROUP BY 1
"""
OPEN = "SELECT count(*) FROM messaging_pushmessage WHERE state NOT IN ('finished', 'cancelled')"
EVENTS = """
SELECT count(*) FILTER (WHERE name = 'looked'), count(*) FILTER (WHERE kind = 'shown' AND push_message_id = ANY (%s))
FROM activity_event
"""


def reckon(traffic: Traffic, push_service: Face, url: str) -> tuple[dict[str, int], list[str]]:
    """What there was, and what is wrong with it."""
    sent, wrong = traffic.orders + traffic.campaigns, []
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(OPEN).fetchone() == (0,), 120, "Not everything came to an end.")
        posts = [one.delivery_id for one in push_service.posts()]
        books = {one: (total, accepted) for one, total, accepted in connection.execute(BOOKS, [sent])}
        events = connection.execute(EVENTS, [sent]).fetchone() or (0, 0)
    campaigns = {*traffic.campaigns}
    due = {one: len(traffic.clients) if one in campaigns else 1 for one in sent}
    if lost := [one for one in sent if books.get(one) != (due[one], due[one])]:
        wrong.append(f"{len(lost)} of {len(sent)} messages are not sent whole: {books.get(lost[0])}")
    if len(posts) != sum(due.values()) or len({*posts}) != len(posts):
        wrong.append(f"{len(posts)} posts of {len({*posts})} deliveries, {sum(due.values())} were due")
    if events != (traffic.stored["event"], traffic.stored["shown"]):
        wrong.append(f"{events} events stored, told were {dict(traffic.stored)}")
    return {"messages": len(sent), "deliveries": len(posts), "events": sum(events)}, wrong
