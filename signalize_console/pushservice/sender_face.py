"""Towards application servers: HTTP/2 and HTTP/1.1 over TLS, by ALPN."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h11

from signalize_console.pushservice.dialects import Reply

LARGEST_REQUEST = 1 << 20


@dataclass
class Request:
    method: str
    authority: str
    path: str
    headers: dict[str, str]
    http_version: str
    connection: int
    body: bytearray = field(default_factory=bytearray)


Answer = Callable[[Request], Awaitable[Reply]]
numbers = itertools.count(1)


async def serve(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until either side ends it."""
    tls = writer.get_extra_info("ssl_object")
    face = Http2 if tls and tls.selected_alpn_protocol() == "h2" else Http1
    connection = face(answer, reader, writer)
    try:
        await connection.run()
    except (ConnectionError, OSError, h11.RemoteProtocolError, h2.exceptions.ProtocolError):
        pass
    finally:
        for task in connection.tasks:
            task.cancel()
        writer.close()


class _Connection:
    def __init__(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answer, self.reader, self.writer = answer, reader, writer
        self.number = next(numbers)
        self.tasks: set[asyncio.Task[None]] = set()

    async def fault(self, fault: str) -> None:
        """Ends or hangs the connection, as the fault says."""
        if fault == "hang":
            await asyncio.Event().wait()
        if fault == "reset":
            raw: socket.socket = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        else:
            self.writer.close()


class Http1(_Connection):
    async def run(self) -> None:
        parser = h11.Connection(h11.SERVER)
        request: Request | None = None
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await self.reader.read(65536))
            elif isinstance(event, h11.Request):
                headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                request = Request(
                    event.method.decode(),
                    headers.get("host", ""),
                    event.target.decode("latin-1"),
                    headers,
                    "1.1",
                    self.number,
                )
            elif isinstance(event, h11.Data) and request:
                request.body += event.data
                if len(request.body) > LARGEST_REQUEST:
                    return
            elif isinstance(event, h11.EndOfMessage) and request:
                if not await self._reply(parser, await self.answer(request)):
                    return
            else:
                return

    async def _reply(self, parser: h11.Connection, reply: Reply) -> bool:
        if reply.fault:
            await self.fault(reply.fault)
            return False
        headers = {**reply.headers, "content-length": str(len(reply.body))}
        self.writer.write(
            parser.send(h11.Response(status_code=reply.status, headers=list(headers.items()))) or b""
        )
        self.writer.write(parser.send(h11.Data(data=reply.body)) or b"")
        self.writer.write(parser.send(h11.EndOfMessage()) or b"")
        await self.writer.drain()
        if parser.our_state is not h11.DONE:
            return False
        parser.start_next_cycle()
        return True


class Http2(_Connection):
    async def run(self) -> None:
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.http.initiate_connection()
        self.requests: dict[int, Request] = {}
        self._flush()
        while data := await self.reader.read(65536):
            for event in self.http.receive_data(data):
                self._take(event)
            self._flush()
            await self.writer.drain()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = {
                name.decode() if isinstance(name, bytes) else name: value.decode("latin-1")
                if isinstance(value, bytes)
                else value
                for name, value in event.headers or []
            }
            self.requests[event.stream_id] = Request(
                headers[":method"], headers[":authority"], headers[":path"], headers, "2", self.number
            )
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id].body += event.data
            self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            task = asyncio.create_task(self._reply(event.stream_id, self.requests.pop(event.stream_id)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _reply(self, stream: int, request: Request) -> None:
        reply = await self.answer(request)
        if reply.fault:
            return await self.fault(reply.fault)
        headers = [(":status", str(reply.status)), *reply.headers.items()]
        try:
            self.http.send_headers(stream, headers, end_stream=not reply.body)
            length = 1 if reply.pause else 16_000
            for start in range(0, len(reply.body), length):
                if reply.pause:
                    self._flush()
                    await asyncio.sleep(reply.pause)
                rest = reply.body[start : start + length]
                self.http.send_data(stream, rest, end_stream=start + len(rest) == len(reply.body))
        except h2.exceptions.ProtocolError:
            return None
        self._flush()
        return None

    def _flush(self) -> None:
        if not self.writer.is_closing():
            self.writer.write(self.http.data_to_send())
