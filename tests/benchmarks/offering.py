"""Requests offered at a steady rate, whatever becomes of them: latency counts from when each was due."""

import asyncio
import collections
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

CONNECTIONS = 100


@dataclass
class Offered:
    """What came of it: how often each status, and the milliseconds of each answer."""

    seconds: float = 0.0
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return sum(self.statuses.values()) / self.seconds

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def post(path: str, body: bytes, address: str, origin: str = "", key: str = "") -> bytes:
    """A whole request as a proxy of ours passes it on for this client's address; of a system, with its API key."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"X-Forwarded-For: {address}",
        *([f"Origin: {origin}"] if origin else []),
        *([f"X-API-Key: {key}", "Content-Type: application/json"] if key else ["Content-Type: text/plain"]),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def offer(port: int, requests: Iterator[bytes], rate: float, seconds: float) -> Offered:
    """Sends ``rate`` requests a second for ``seconds``, over at most CONNECTIONS connections."""
    offered, due = Offered(), asyncio.Queue[tuple[float, bytes] | None]()
    workers = [asyncio.create_task(_work(port, due, offered)) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    count = 0
    while (now := time.perf_counter() - started) < seconds:
        while count < now * rate:
            due.put_nowait((started + count / rate, next(requests)))
            count += 1
        await asyncio.sleep(0.002)
    for _worker in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    offered.seconds = time.perf_counter() - started
    return offered


async def saturate(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Offered:
    """As many as are answered in ``seconds`` over so many connections, one after the other on each."""
    offered, end = Offered(), time.perf_counter() + seconds

    async def one_after_the_other() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (now := time.perf_counter()) < end:
            await _ask(reader, writer, next(requests), now, offered)
        writer.close()

    await asyncio.gather(*(one_after_the_other() for _connection in range(connections)))
    offered.seconds = seconds
    return offered


async def _work(port: int, due: "asyncio.Queue[tuple[float, bytes] | None]", offered: Offered) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (one := await due.get()) is not None:
        at, request = one
        await _ask(reader, writer, request, at, offered)
    writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, at: float, offered: Offered
) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))
    offered.statuses[int(head.split(b" ", 2)[1])] += 1
    offered.milliseconds.append((time.perf_counter() - at) * 1000)
