"""The engine is woken at once, and not once for each of many messages that come together."""

import time

from celery import current_app

from signalize_console.deliveries import wake
from tests.embedded.living import wait_until


def waiting() -> int:
    """Wake-ups that no worker has taken: there is none here."""
    with current_app.connection_for_read() as connection:
        return int(connection.default_channel.queue_declare("transactional").message_count)


def test_wake_ups_that_come_together_become_one() -> None:
    before = waiting()
    bell = wake.Bell()
    bell.ring(transactional=True)
    assert wait_until(lambda: waiting() == before + 1, 10)

    began = time.monotonic()
    for _message in range(50):
        bell.ring(transactional=True)
        time.sleep(0.001)
    lasted = time.monotonic() - began

    time.sleep(0.3)
    came = waiting() - before - 1
    assert 1 <= came <= lasted / wake.REST_SECONDS + 2
    assert came < 25
