"""The push service double in a process of its own, with a ledger of all that it ever took.

What it took stands there even if its answer never arrived: that is how a message comes twice.
"""

import asyncio
import json
import time
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import NamedTuple

from signalize_console.pushservice.dialects import Reply
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.pushservice.sender_face import Request
from signalize_console.pushservice.subscribers import Push

AUTHKEY = b"faults"  # of a Unix socket in a private directory


class Post(NamedTuple):
    """A message that was taken: ``at`` is Unix time, ``token`` is what a browser reports with."""

    delivery_id: int
    at: float
    token: str


class Ledger(PushServiceDouble):
    """``think`` is how long it takes to answer after it has taken a message: only then a kill is cruel."""

    def __init__(self, directory: Path) -> None:
        self.posts: list[Post] = []
        self.think, self.slow_next = 0.3, 0
        super().__init__(directory, on_push=self._note)

    def _note(self, _endpoint: str, _status: int, push: Push | None) -> None:
        if push:
            token = json.loads(push.plaintext or b"")["notification"]["data"]["token"]
            self.posts.append(Post(int(token.split(".")[0]), time.time(), token))

    async def answer(self, request: Request) -> Reply:
        reply = await super().answer(request)
        await asyncio.sleep(self.think)
        if reply.status == 201 and self.slow_next > 0:
            self.slow_next -= 1
            return reply._replace(body=b"x" * 30, pause=0.1)
        return reply


class Face:
    """What other processes may ask of it: plain values only."""

    def __init__(self, directory: str) -> None:
        self.ledger = Ledger(Path(directory))
        self.ledger.__enter__()

    def places(self) -> tuple[str, str]:
        """For SIGNALIZE_PUSH_SERVICES and SIGNALIZE_PUSH_SERVICES_CA."""
        return self.ledger.push_services, str(self.ledger.ca_file)

    def subscribe(self, service: str, key: str, count: int) -> list[tuple[str, str, str]]:
        """Endpoint, p256dh and auth of new subscribers."""
        made = [self.ledger.make_subscriber(service, application_server_key=key) for _ in range(count)]
        return [(one.endpoint, one.p256dh, one.auth) for one in made]

    def posts(self, since: int = 0) -> list[Post]:
        return self.ledger.posts[since:]

    def rejected(self) -> list[tuple[str, str]]:
        """What it refused by its own judgement: nothing may be."""
        return list(self.ledger.rejected)

    def requests(self) -> int:
        return self.ledger.requests

    def forget(self) -> None:
        self.ledger.reset()
        self.ledger.posts.clear()

    def fail(self, fault: str, count: int) -> None:
        self.ledger.fail_next(fault, count)

    def refuse(self, status: int, headers: dict[str, str], count: int) -> None:
        self.ledger.answer_next(status, headers, n=count)

    def dawdle(self, count: int) -> None:
        """The next answers come a byte at a time, for three seconds."""
        self.ledger.slow_next = count

    def clear_up(self) -> None:
        """Nothing scripted is left."""
        self.ledger._scripted.clear()
        self.ledger.slow_next = 0


class Door(BaseManager):
    pass


Door.register("face")


def serve(directory: str) -> None:
    face = Face(directory)
    Door.register("face", callable=lambda: face)
    Door(address=f"{directory}/door", authkey=AUTHKEY).get_server().serve_forever()
