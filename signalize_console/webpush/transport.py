"""POSTs to push services over HTTP/2, many at once: one libcurl multi handle, used by one thread."""

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi
import pycurl

from signalize_console.webpush.push_services import Endpoint, PushServices

MOST_BODY = 16 * 1024
MOST_HEADER = 32 * 1024
KEPT_TEXT = 1_000
LONGEST_HEADER = 2_048
KEPT_HEADERS = {b"location", b"retry-after", b"ttl", b"apns-id", b"date"}

# Failures before anything of the request was on its way.
BEFORE_SENDING = {
    pycurl.E_COULDNT_RESOLVE_HOST: "name_not_resolved",
    pycurl.E_COULDNT_CONNECT: "no_connection",
    pycurl.E_SSL_CONNECT_ERROR: "tls_failed",
    pycurl.E_PEER_FAILED_VERIFICATION: "certificate_refused",
}


@dataclass(frozen=True, slots=True)
class PushRequest:
    """One POST, or the DELETE of a message. Past ``deadline`` (monotonic seconds) it isn't begun any more."""

    id: Any
    endpoint: Endpoint
    body: bytes
    authorization: str
    ttl: int
    urgency: str
    topic: str | None
    deadline: float
    method: str = "POST"


@dataclass(slots=True)
class Answer:
    """What came back. ``status`` 0: nothing; ``sent``: the request may have reached the push service."""

    request: PushRequest
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    error: str = ""
    sent: bool = False
    seconds: float = 0.0
    address: str = ""


class Transfer:
    """An easy handle, used again for one request after the other."""

    def __init__(self, push_services: PushServices, options: dict[int, Any]) -> None:
        self.push_services = push_services
        self.curl = pycurl.Curl()
        for option, value in options.items():
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        self.curl.setopt(pycurl.PREREQFUNCTION, self._before_request)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._header)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._body)
        self.request: PushRequest
        self.opened: list[socket.socket] = []
        self.begun = self.refused_address = self.late = False
        self.header_bytes = self.body_bytes = 0
        self.headers: dict[str, str] = {}
        self.text = b""

    def load(self, request: PushRequest) -> None:
        self.request = request
        self.begun = self.refused_address = self.late = False
        self.header_bytes = self.body_bytes = 0
        self.headers, self.text = {}, b""
        self.aim()

    def aim(self) -> None:
        """Tells libcurl what to send, and where."""
        request = self.request
        self.curl.setopt(pycurl.URL, request.endpoint.url)
        if request.method == "DELETE":
            self.curl.setopt(pycurl.HTTPGET, True)
            self.curl.setopt(pycurl.CUSTOMREQUEST, "DELETE")
            self.curl.setopt(pycurl.HTTPHEADER, [f"Authorization: {request.authorization}"])
        else:
            self.curl.unsetopt(pycurl.CUSTOMREQUEST)
            self.curl.setopt(pycurl.POST, True)
            self.curl.setopt(pycurl.HTTPHEADER, _header_lines(request))
            self.curl.setopt(pycurl.POSTFIELDS, request.body)

    def answer(self, code: int = 0) -> Answer:
        """The result of the finished transfer; ``code`` is libcurl's, 0 for success."""
        while self.opened:
            self.opened.pop().close()
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        answer = Answer(
            self.request,
            headers=self.headers,
            text=self.text.decode(errors="replace"),
            seconds=self.curl.getinfo(pycurl.TOTAL_TIME),
            address=self.curl.getinfo(pycurl.PRIMARY_IP) or "",
            sent=self.begun,
        )
        # A body cut at our limit is a whole answer: the status is what counts.
        if code in (pycurl.E_OK, pycurl.E_WRITE_ERROR) and status >= 200:
            answer.status = status
        else:
            answer.error = self._why(code)
        return answer

    def dropped(self) -> Answer:
        """The result of a transfer that we end ourselves, before its answer."""
        while self.opened:
            self.opened.pop().close()
        return Answer(
            self.request, error="stopped_after_sending" if self.begun else "stopped", sent=self.begun
        )

    def _why(self, code: int) -> str:
        if self.refused_address:
            return "address_refused"
        if self.late:
            return "too_late"
        if self.begun:
            return "timeout_after_sending" if code == pycurl.E_OPERATION_TIMEDOUT else "broken_after_sending"
        timed_out = "connection_timeout" if code == pycurl.E_OPERATION_TIMEDOUT else f"curl_{code}"
        return BEFORE_SENDING.get(code, timed_out)

    def _open_socket(self, _purpose: int, address: Any) -> Any:
        family, kind, protocol, place = address
        if not self.push_services.may_dial(place[0], place[1]):
            self.refused_address = True
            return pycurl.SOCKET_BAD
        # pycurl duplicates what we return: ours is closed when the request has ended.
        self.opened.append(socket.socket(family, kind, protocol))
        return self.opened[-1]

    def _before_request(self, *_connection: Any) -> int:
        """libcurl repeats a POST by itself when a reused connection closes, and reports one: not here."""
        self.late = time.monotonic() > self.request.deadline and not self.begun
        if self.begun or self.late:
            return pycurl.PREREQFUNC_ABORT
        self.begun = True
        return pycurl.PREREQFUNC_OK

    def _header(self, line: bytes) -> int:
        self.header_bytes += len(line)
        if self.header_bytes > MOST_HEADER:
            return -1
        name, _colon, value = line.partition(b":")
        name = name.lower()
        if name in KEPT_HEADERS or name.startswith(b"x-wns"):
            self.headers[name.decode("latin-1")] = value.strip().decode("latin-1")[:LONGEST_HEADER]
        return len(line)

    def _body(self, data: bytes) -> int:
        self.body_bytes += len(data)
        if len(self.text) < KEPT_TEXT:
            self.text = (self.text + data)[:KEPT_TEXT]
        return len(data) if self.body_bytes <= MOST_BODY else -1


def _header_lines(request: PushRequest) -> list[str]:
    lines = [
        f"TTL: {request.ttl}",
        f"Urgency: {request.urgency}",
        "Content-Encoding: aes128gcm",
        "Content-Type: application/octet-stream",
        f"Authorization: {request.authorization}",
        "Expect:",
    ]
    if request.topic:
        lines.append(f"Topic: {request.topic}")
    if request.endpoint.service == "wns":
        lines.append("X-WNS-Cache-Policy: cache")
    return lines


class Transport:
    """Submit requests, poll for answers. To be made after the fork, and kept: connections are reused."""

    def __init__(
        self,
        push_services: PushServices,
        *,
        ca_file: str | None = None,
        connect_timeout: float = 3.0,
        timeout: float = 15.0,
        connections: int = 4,
        transfer: type[Transfer] = Transfer,
    ) -> None:
        self._push_services = push_services
        self._new_transfer = transfer
        self._options: dict[int, Any] = {
            pycurl.POST: True,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.PIPEWAIT: True,
            pycurl.FOLLOWLOCATION: False,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTPS,
            pycurl.PROXY: "",
            pycurl.NOPROXY: "*",
            pycurl.SSL_VERIFYPEER: True,
            pycurl.SSL_VERIFYHOST: 2,
            pycurl.CONNECTTIMEOUT_MS: int(connect_timeout * 1000),
            pycurl.TIMEOUT_MS: int(timeout * 1000),
            pycurl.NOSIGNAL: True,
            pycurl.USERAGENT: "Signalize Console",
            pycurl.CONNECT_TO: list(push_services.connect_to),
        }
        if ca_file:
            self._options[pycurl.CAINFO_BLOB] = (
                Path(certifi.where()).read_bytes() + Path(ca_file).read_bytes()
            )
        else:
            self._options[pycurl.CAINFO] = certifi.where()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, connections)
        self._idle: list[Transfer] = []
        self._busy: dict[pycurl.Curl, Transfer] = {}

    @property
    def in_flight(self) -> int:
        return len(self._busy)

    @property
    def requests(self) -> list[PushRequest]:
        """What is under way."""
        return [transfer.request for transfer in self._busy.values()]

    def submit(self, request: PushRequest) -> None:
        transfer = self._idle.pop() if self._idle else self._new_transfer(self._push_services, self._options)
        transfer.load(request)
        self._busy[transfer.curl] = transfer
        self._multi.add_handle(transfer.curl)

    def poll(self, wait: float) -> list[Answer]:
        """Moves all transfers on, waits up to ``wait`` seconds for news, and returns the finished ones."""
        self._multi.perform()
        answers = self._finished()
        if not answers and wait and self._busy:
            self._wait(wait)
            self._multi.perform()
            answers = self._finished()
        return answers

    def _wait(self, seconds: float) -> None:
        patience = self._multi.timeout() / 1000
        if self._multi.select(seconds if patience < 0 else min(seconds, patience)) == -1:
            time.sleep(min(seconds, 0.005))

    def _finished(self) -> list[Answer]:
        answers = []
        while True:
            queued, succeeded, failed = self._multi.info_read()
            for curl, code in [
                *((curl, 0) for curl in succeeded),
                *((curl, code) for curl, code, _ in failed),
            ]:
                transfer = self._busy.pop(curl)
                answers.append(transfer.answer(code))
                self._multi.remove_handle(curl)
                self._idle.append(transfer)
            if not queued:
                return answers

    def abandon(self, which: Callable[[Transfer], bool] = lambda _transfer: True) -> list[Answer]:
        """Drops these transfers. Their answers say whether the request may have gone out."""
        answers = []
        for transfer in [one for one in self._busy.values() if which(one)]:
            del self._busy[transfer.curl]
            answers.append(transfer.dropped())
            self._multi.remove_handle(transfer.curl)
            self._idle.append(transfer)
        return answers

    def close(self) -> None:
        """Drops what is in flight and closes the connections."""
        for transfer in self._busy.values():
            with contextlib.suppress(pycurl.error):
                self._multi.remove_handle(transfer.curl)
            transfer.curl.close()
        for transfer in self._idle:
            transfer.curl.close()
        self._busy, self._idle = {}, []
        self._multi.close()
