"""A WebSocket connection to the live updates of the stack that the environment names (docs/live.md)."""

import json
import socket
import time
from urllib.parse import urlsplit

import wsproto
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage


class Refused(Exception):
    """The handshake was answered with this status."""


class Socket:
    """An open connection; a `with` statement closes it."""

    def __init__(self, url, token, patience=10):
        address = urlsplit(url)
        self.deadline = time.monotonic() + patience
        self.tcp = socket.create_connection((address.hostname, address.port or 80), timeout=patience)
        self.protocol = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        headers = [("Authorization", f"Bearer {token}")]
        self.write(Request(host=address.netloc, target=address.path, extra_headers=headers))
        if not isinstance(answer := self.event(AcceptConnection, RejectConnection), AcceptConnection):
            raise Refused(answer.status_code)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.protocol.state is ConnectionState.OPEN:
            self.write(CloseConnection(code=1000))
        self.tcp.close()

    def ask(self, **message):
        """The first answer to a message that is no event; `None` when there is none in time."""
        self.write(TextMessage(data=json.dumps(message)))
        return self.message(lambda message: "specversion" not in message)

    def message(self, is_wanted):
        """The next message of this kind; `None` when there is none in time."""
        try:
            while event := self.event(TextMessage, CloseConnection):
                if isinstance(event, CloseConnection):
                    return None
                if is_wanted(message := json.loads(event.data)):
                    return message
        except TimeoutError:
            return None

    def event(self, *kinds):
        text = ""
        while True:
            for event in self.protocol.events():
                if isinstance(event, TextMessage) and not event.message_finished:
                    text += event.data
                elif isinstance(event, TextMessage):
                    return TextMessage(data=text + event.data)
                elif isinstance(event, kinds):
                    return event
            self.tcp.settimeout(max(0.01, self.deadline - time.monotonic()))
            self.protocol.receive_data(self.tcp.recv(65536) or None)

    def write(self, event):
        self.tcp.sendall(self.protocol.send(event))
