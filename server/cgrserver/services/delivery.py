"""How a message leaves this server: HTTP, mail, JSON-RPC. One attempt each, blocking, to be run in a thread.

Rules: an attempt can be cut from another thread, which closes its connection, so that a peer who answers a byte at a
time holds nobody up beyond the deadline. What a peer may tell a repeated message by goes with it: `Idempotency-Key` in
the header of a POST, `*idempotencyKey` in the options of a call, `Message-ID` of a mail. Redirections are not followed.
Does not know: when and how often a message is tried.
"""

import http.client
import json
import smtplib
import socket
import ssl
from collections.abc import Mapping
from decimal import Decimal
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import structlog

from cgrcore.actions import Message

__all__ = ["FAILURES", "Attempt"]

log = structlog.get_logger()

_encode_json = msgspec.json.Encoder(decimal_format="number").encode

Settings = Mapping[str, Mapping[str, Any]]

#: What can go wrong on the way, as the libraries say it.
FAILURES = (OSError, http.client.HTTPException, smtplib.SMTPException, ValueError, LookupError, TypeError)

#: What a peer answers beyond this is not read.
ANSWER_SIZE = 1 << 20

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Attempt:
    """One attempt to deliver a message. `send` raises one of FAILURES when it was not taken."""

    def __init__(self, message: Message, settings: Settings) -> None:
        self._message = message
        self._settings = settings
        self._timeout_s = settings["general"]["reply_timeout"] / 10**9
        self._socket: socket.socket | None = None
        self._is_cut = False

    def cut(self) -> None:
        """End the attempt, from any thread: what it waits for fails."""
        self._is_cut = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself

    def send(self) -> bytes:
        """Deliver the message and return what was answered."""
        message = self._message
        if message.kind == "*mail_async":
            return self._mail(_read(message.body))
        if message.kind == "*cgr_rpc":
            return self._call(_read(message.body))
        if message.kind == "*export":
            return self._export(message)
        return self._post(message.target, message.body.encode(), JSON)

    def _hold(self, connection: socket.socket | None) -> None:
        self._socket = connection
        if self._is_cut:
            self.cut()

    # --- HTTP ---

    def _post(self, target: str, body: bytes, content_type: str) -> bytes:
        url = urlsplit(target)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"not a URL: {target}")
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname, url.port, timeout=self._timeout_s)
        try:
            connection.connect()
            self._hold(connection.sock)
            place = (url.path or "/") + (f"?{url.query}" if url.query else "")
            headers = {"Content-Type": content_type, "Idempotency-Key": self._message.uuid}
            connection.request("POST", place, body, headers)
            answer = connection.getresponse()
            content = answer.read(ANSWER_SIZE)
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise ValueError(f"HTTP status {answer.status}")
        return content

    # --- mail ---

    def _mail(self, body: dict[str, Any]) -> bytes:
        mailer = self._settings["mailer"]
        mail = EmailMessage()
        mail["From"] = mailer["from_address"]
        mail["To"] = ", ".join(body["To"])
        mail["Subject"] = "[CGR] account or event notification"
        mail["Message-ID"] = f"<{self._message.uuid}@{mailer['from_address'].rpartition('@')[2] or 'cgrcore'}>"
        mail.set_content(msgspec.json.format(_encode_json(body["Subject"]), indent=2).decode())
        host, _, port = mailer["server"].partition(":")
        with smtplib.SMTP(timeout=self._timeout_s) as server:
            server.connect(host, int(port or 25))
            self._hold(server.sock)
            server.ehlo_or_helo_if_needed()
            if server.has_extn("starttls"):
                server._host = host  # type: ignore[attr-defined]  # what the certificate must be for
                server.starttls(context=ssl.create_default_context())
                self._hold(server.sock)
                server.ehlo()
            if mailer["auth_user"] and server.has_extn("auth"):
                server.login(mailer["auth_user"], mailer["auth_password"])
            server.send_message(mail)
        return b""

    # --- methods of other servers ---

    def _call(self, body: dict[str, Any]) -> bytes:
        """Call a method of another server. Raises ValueError with the error it answers."""
        params = body.get("Params")
        if isinstance(params, dict):
            options = {"*idempotencyKey": self._message.uuid, **(params.get("APIOpts") or {})}
            params = {**params, "APIOpts": options}
        request = _encode_json({"method": body["Method"], "params": [params], "id": 1}) + b"\n"
        address, transport = str(body["Address"]), body.get("Transport") or "*json"
        if transport == "*http_jsonrpc":
            answer = self._post(address, request, JSON)
        elif transport == "*json":
            answer = self._exchange(address, request)
        else:
            raise ValueError(f"unsupported transport: {transport}")
        reply = json.loads(answer)
        if reply.get("error") is not None:
            raise ValueError(str(reply["error"]))
        return answer

    def _exchange(self, address: str, request: bytes) -> bytes:
        """Send a request over TCP and return the one line that answers it."""
        host, _, port = address.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=self._timeout_s) as connection:
            self._hold(connection)
            connection.sendall(request)
            with connection.makefile("rb") as lines:
                return lines.readline(ANSWER_SIZE)

    # --- exporters ---

    def _export(self, message: Message) -> bytes:
        exporter = next((it for it in self._settings["ees"]["exporters"] if it["id"] == message.target), None)
        if exporter is None:
            raise ValueError(f"there is no exporter {message.target}")
        kind = exporter["type"]
        if kind == "*http_json_map":
            return self._post(exporter["export_path"], message.body.encode(), JSON)
        if kind == "*http_post":
            fields = {name: _text(value) for name, value in _read(message.body).items()}
            return self._post(exporter["export_path"], urlencode(fields).encode(), FORM)
        if kind == "*log":
            log.info("exported event", exporter=message.target, content=message.body)
        elif kind != "*virt":
            raise ValueError(f"unsupported exporter type: {kind}")
        return b""


def _read(body: str) -> Any:
    return json.loads(body, parse_float=Decimal)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encode_json(value).decode()
