"""Delivers what actions send outside: HTTP posts, mail, calls of other servers' methods, accounts kept elsewhere.

A message stands in the table "outbox" since the commit of what it tells of; delivered, it is removed. One that fails is
tried again after a growing pause, and after the last attempt moves to "dead_letters", from where an operator can send
it again. Every attempt has a deadline. A message may arrive twice, never less than once. Cancelled, an attempt is given
up and the message stays. Does not know: why a message is sent.
"""

import json
import smtplib
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any

import msgspec
import structlog
import trio

from cgrcore.actions import Message
from cgrcore.errors import CgrError
from cgrcore.world import World

__all__ = ["OutsideTask"]

log = structlog.get_logger()

#: Messages that are on their way at one time; the others wait.
AT_ONCE = 10

#: The pause before the second attempt; each further one is twice as long.
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

#: What a server answers beyond this is not read.
ANSWER_SIZE = 1 << 20

#: What can go wrong on the way, as the libraries say it.
FAILURES = (OSError, urllib.error.URLError, smtplib.SMTPException, ValueError, CgrError)

Decide = Callable[[str, Callable[[World], Any]], Any]
Settings = Mapping[str, Mapping[str, Any]]


class OutsideTask:
    """Sends what waits in the outbox. `world.parts["send_outbox"]` wakes it after a commit."""

    def __init__(self, world: World, decide: Decide, settings: Settings, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._world = world
        self._decide = decide
        self._settings = settings
        self._deadline_s = settings["general"]["reply_timeout"] / 10**9
        self._attempts = max(1, settings["general"]["poster_attempts"])
        self._first_pause_s = first_pause_s
        self._under_way: set[str] = set()
        self._limit = trio.CapacityLimiter(AT_ONCE)
        self._changed = trio.Event()
        world.parts["send_outbox"] = self.wake

    def wake(self) -> None:
        """Look at the outbox again."""
        self._changed.set()

    async def run(self) -> None:
        """Send, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                self._changed = trio.Event()
                outbox = self._world.state.table("outbox").records
                for uuid in sorted(outbox, key=lambda uuid: outbox[uuid].queued_at):
                    if uuid not in self._under_way:
                        self._under_way.add(uuid)
                        nursery.start_soon(self._deliver, outbox[uuid])
                await self._changed.wait()

    async def _deliver(self, message: Message) -> None:
        pause_s = self._first_pause_s
        while True:
            error = await self._attempt(message)
            message = msgspec.structs.replace(message, attempts=message.attempts + 1, last_error=error)
            if not error:
                self._settle("message delivered", message, None)
                return
            log.warning("a message could not be delivered", kind=message.kind, target=message.target, why=error)
            if message.attempts >= self._attempts:
                self._settle("message given up", message, "dead_letters")
                return
            self._settle("message failed", message, "outbox")
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _attempt(self, message: Message) -> str:
        """Send a message once. Return what went wrong, an empty text when nothing did."""
        with trio.move_on_after(2 * self._deadline_s):
            try:
                answer = await trio.to_thread.run_sync(self._send, message, abandon_on_cancel=True, limiter=self._limit)
                if message.kind == "*remote_set_account":
                    self._keep_account(answer)
            except FAILURES as error:
                return str(error) or type(error).__name__
            return ""
        return "deadline passed"

    def _settle(self, reason: str, message: Message, table: str | None) -> None:
        def move(world: World) -> None:
            if table != "outbox":
                world.state.table("outbox").remove(message.uuid)
            if table is not None:
                world.state.table(table).put(message.uuid, message)

        try:
            self._decide(reason, move)
        except CgrError as error:
            log.error("outbox", doing=reason, why=str(error))
        if table != "outbox":
            self._under_way.discard(message.uuid)

    def _send(self, message: Message) -> bytes:
        if message.kind == "*mail_async":
            return self._mail(json.loads(message.body))
        if message.kind == "*cgr_rpc":
            return self._call(json.loads(message.body))
        return self._post(message)

    def _post(self, message: Message) -> bytes:
        if not message.target.startswith(("http://", "https://")):
            raise ValueError(f"not a URL: {message.target}")
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.uuid}
        request = urllib.request.Request(message.target, message.body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=self._deadline_s) as answer:
                return bytes(answer.read(ANSWER_SIZE))
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(f"HTTP status {error.code}") from None

    def _mail(self, body: dict[str, Any]) -> bytes:
        mailer = self._settings["mailer"]
        mail = EmailMessage()
        mail["From"] = mailer["from_address"]
        mail["To"] = ", ".join(body["To"])
        mail["Subject"] = "[CGR] account or event notification"
        mail.set_content(json.dumps(body["Subject"], indent=2))
        host, _, port = mailer["server"].partition(":")
        with smtplib.SMTP(host, int(port or 25), timeout=self._deadline_s) as server:
            if mailer["auth_user"] and server.has_extn("auth"):
                server.login(mailer["auth_user"], mailer["auth_password"])
            server.send_message(mail)
        return b""

    def _call(self, body: dict[str, Any]) -> bytes:
        """Call a method of another server over JSON-RPC on TCP. Raises ValueError with the error it answers."""
        host, _, port = str(body["Address"]).rpartition(":")
        request = {"method": body["Method"], "params": [body.get("Params")], "id": 1}
        with socket.create_connection((host, int(port)), timeout=self._deadline_s) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while len(answer) < ANSWER_SIZE:
                part = connection.recv(65536)
                if not part:
                    break
                answer += part
                if answer.endswith(b"\n"):
                    break
        reply = json.loads(answer)
        if reply.get("error"):
            raise ValueError(str(reply["error"]))
        return answer

    def _keep_account(self, answer: bytes) -> None:
        """Replace the account by the one that was answered, when it has balances."""
        account = json.loads(answer)
        if isinstance(account, dict) and account.get("BalanceMap"):
            call = self._world.parts["call_method"]
            self._decide("account kept elsewhere", lambda world: call(world, "ReplicatorSv1.SetAccount", account))
