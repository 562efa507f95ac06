"""Towards Firefox: Mozilla's websocket protocol, as its own push service speaks it."""

import asyncio
import json
import os
import uuid
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from signalize_console.pushservice.checks import encode
from signalize_console.pushservice.subscribers import ENDPOINTS, Push, Subscriber


class FirefoxFace:
    """``subscribers`` is the registry by token; ``acknowledged`` what the browsers said of pushes."""

    def __init__(self, subscribers: dict[str, Subscriber]) -> None:
        self.subscribers = subscribers
        self.connections: dict[str, ServerConnection] = {}
        self.channels: dict[str, list[Subscriber]] = {}
        self.acknowledged: list[dict[str, Any]] = []
        self.sending: set[asyncio.Task[None]] = set()

    async def serve(self, connection: ServerConnection) -> None:
        agent = ""
        try:
            async for text in connection:
                message = json.loads(text)
                kind = message.get("messageType", "ping")
                if kind == "hello":
                    agent = self._hello(message, connection)
                if answer := self._answer(kind, message, agent):
                    await connection.send(json.dumps(answer))
                if kind == "hello":
                    for subscriber in self.channels[agent]:
                        subscriber.hand_over_waiting()
        except ConnectionClosed:
            pass
        finally:
            if self.connections.get(agent) is connection:
                del self.connections[agent]

    def _hello(self, message: dict[str, Any], connection: ServerConnection) -> str:
        agent: str = message.get("uaid", "")
        if agent not in self.channels:
            agent = uuid.uuid4().hex
            self.channels[agent] = []
        self.connections[agent] = connection
        return agent

    def _answer(self, kind: str, message: dict[str, Any], agent: str) -> dict[str, Any] | None:
        match kind:
            case "ping":
                return {"messageType": "ping"}
            case "hello":
                return {
                    "messageType": "hello",
                    "uaid": agent,
                    "status": 200,
                    "use_webpush": True,
                    "broadcasts": {},
                }
            case "register":
                endpoint = self._register(agent, message["channelID"], message.get("key", ""))
                return {**_reply_to(message), "pushEndpoint": endpoint}
            case "unregister":
                for subscriber in self.channels[agent]:
                    subscriber.gone |= subscriber.auth == message["channelID"]
                return _reply_to(message)
            case "ack":
                self.acknowledged += message["updates"]
        return None

    def _register(self, agent: str, channel: str, key: str) -> str:
        token = encode(os.urandom(32))
        subscriber = Subscriber(
            token, ENDPOINTS["mozilla"].format(token=token), key.rstrip("="), auth=channel
        )
        subscriber.relay = lambda push: self._relay(agent, channel, push)
        self.channels[agent].append(subscriber)
        self.subscribers[token] = subscriber
        return subscriber.endpoint

    def _relay(self, agent: str, channel: str, push: Push) -> bool:
        connection = self.connections.get(agent)
        if connection is None:
            return False
        message = {
            "messageType": "notification",
            "channelID": channel,
            "version": push.id,
            "ttl": int(push.headers["ttl"]),
        }
        if push.body:
            message |= {"data": encode(push.body), "headers": {"encoding": "aes128gcm"}}
        task = asyncio.create_task(_send(connection, message))
        self.sending.add(task)
        task.add_done_callback(self.sending.discard)
        return True


async def _send(connection: ServerConnection, message: dict[str, Any]) -> None:
    try:
        await connection.send(json.dumps(message))
    except ConnectionClosed:
        return


def _reply_to(message: dict[str, Any]) -> dict[str, Any]:
    return {"messageType": message["messageType"], "channelID": message["channelID"], "status": 200}
