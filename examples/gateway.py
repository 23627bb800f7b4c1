"""A small chat gateway: Telegram-style updates into /inbound, and what an agent would get for each.

    python examples/gateway.py examples/telegram_updates.jsonl
    my-bot | python examples/gateway.py - --key bwk_… --agent counter

Each line is one update in the layout of Telegram's Bot API. A message with a text or a caption is
one turn; edits, stickers and updates without a sender are named and passed over, since a turn whose
sender is not known belongs to nobody. The message's id is sent as `external_id`, so an update that
Telegram delivers twice, or that is sent again after 429, 503 or a broken connection, is kept once.

--key takes a key with the scope `gateway`. Instead of one, --admin-key (or --root-key with
--account) makes a key for this run: of the user `gateway`, with that scope alone, bound to the
agent, for at most a day, revoked at the end. --code puts a one-time code (POST /handles/code) in
the place of CODE in a message `/link CODE`. Defaults: BAILIWICK_URL and BAILIWICK_KEY, and the
admin key of the demo account in ./data.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, TextIO

import httpx

GATEWAY_USER = "gateway"
GROUPS = ("group", "supergroup")
TRY_AGAIN = (429, 503)
ATTEMPTS = 6
LONGEST_WAIT = 60.0  # seconds
PLACEHOLDER = "/link CODE"
SHOWN = 4  # messages of a context that are printed


class Problem(Exception):
    """One line for whoever runs this."""


class Skipped(Exception):
    """The update is no turn; says why."""


def turn_of(update: dict[str, Any], agent_id: str, code: str | None = None) -> dict[str, Any]:
    """One update as the body of POST /inbound.

    Raises:
        Skipped: it is no message with words, or nobody stands for it.
        Problem: another layout.
    """
    message = update.get("message")
    if message is None:
        kinds = ", ".join(sorted(set(update) - {"update_id"}))
        raise Skipped(f"no new message ({kinds or 'empty'})")
    text = message.get("text") or message.get("caption") or ""
    if not text.strip():
        raise Skipped("no words in it")
    if "from" not in message:
        raise Skipped("no sender named")
    try:
        turn = {
            "platform": "telegram",
            "sender": sender_of(message["from"]),
            "agent_id": agent_id,
            "text": f"/link {code}" if code and text == PLACEHOLDER else text,
            "external_id": str(message["message_id"]),
            "sent_at": datetime.fromtimestamp(message["date"], UTC).isoformat(),
        }
        # A direct chat has its sender's id, so it needs no name of its own.
        if message["chat"]["type"] in GROUPS:
            chat = message["chat"]
            turn["chat"] = {"id": str(chat["id"]), "kind": "group", "name": chat.get("title", "")}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Problem(f"an update has another layout: {type(error).__name__} {error}.") from None
    if message.get("is_topic_message"):
        turn["thread_key"] = str(message["message_thread_id"])
    return turn


def sender_of(user: dict[str, Any]) -> dict[str, str]:
    """Who wrote. The id decides; names may repeat and change."""
    names = (user.get("first_name"), user.get("last_name"))
    return {
        "id": str(user["id"]),
        "name": " ".join(name for name in names if name),
        "username": user.get("username") or "",
    }


class Bailiwick:
    """The API, with one key. Waits and tries again where that can help."""

    def __init__(self, http: httpx.Client, key: str, **headers: str) -> None:
        self.http = http
        self.headers = {"X-API-Key": key, **headers}

    def ask(self, method: str, path: str, body: Any = None, *, also: int = 200) -> Any:
        """Send one request; its result, or None when the answer has the status `also`.

        Every request here may be repeated: a turn by its external_id, a user because the id is
        taken. A key whose answer was lost ends the run, since its name is, and dies within a day.
        """
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                answer = self.http.request(method, path, json=body, headers=self.headers)
            except httpx.TransportError:
                if last:
                    raise
                wait(2.0 ** (attempt - 2))
                continue
            if answer.is_success:
                return answer.json()["result"]
            if answer.status_code == also:
                return None
            if answer.status_code not in TRY_AGAIN or last:
                raise Problem(f"{method} {path} → {answer.status_code}: {words_of(answer)}")
            wait(retry_after(answer) or 2.0 ** (attempt - 2))
        raise AssertionError  # the last attempt returned or raised


def wait(seconds: float) -> None:
    """Say so, and wait."""
    seconds = min(seconds, LONGEST_WAIT)
    print(f"  (again in {seconds:g} s)", file=sys.stderr)
    time.sleep(seconds)


def retry_after(answer: httpx.Response) -> float:
    """Seconds that the server asks for; 0 when it names none."""
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0


def words_of(answer: httpx.Response) -> str:
    """The envelope's message, or the beginning of what is no envelope."""
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


@contextmanager
def own_key(api: Bailiwick, account_id: str, agent_id: str) -> Iterator[str]:
    """A gateway's key that lasts as long as this program, and at most a day."""
    here = f"/admin/accounts/{account_id}"
    # The user has a key of its own, which nobody gets: this program uses the narrow one below.
    api.ask("POST", f"{here}/users", {"user_id": GATEWAY_USER}, also=409)
    made = api.ask(
        "POST",
        f"{here}/keys",
        {
            "user_id": GATEWAY_USER,
            "name": f"examples/gateway.py {token_hex(4)}",
            "scopes": ["gateway"],
            "agents": [agent_id],
            "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        },
    )
    try:
        yield made["user_key"]
    finally:
        api.ask("DELETE", f"{here}/keys/{made['key_id']}")


@dataclass
class Printer:
    """Tells what the agent would get, and counts."""

    turns: int = 0
    repeated: int = 0
    skipped: int = 0
    commands: int = 0
    messages: set[str] = field(default_factory=set)

    def skip(self, update: dict[str, Any], why: str) -> None:
        """An update that is no turn."""
        self.skipped += 1
        print(f"\n{update.get('update_id', '?')}  passed over: {why}")

    def show(self, update: dict[str, Any], turn: dict[str, Any], got: dict[str, Any]) -> None:
        """One turn and its answer."""
        self.turns += 1
        place = f"in {turn['chat']['name']}" if "chat" in turn else "direct"
        command = got["session"] is None
        words = "a channel command" if command else turn["text"]  # a code is nobody's to read
        print(f"\n{update['update_id']}  {turn['sender']['name']} {place}: {words}")
        print(f"  sender   {sender_line(got['sender'])}")
        if command:
            self.commands += 1
        else:
            print(f"  contact  {contact_line(got['contact'])}")
            self._session(got)
        if got["reply"]:
            print(f"  reply    {got['reply']}")

    def _session(self, got: dict[str, Any]) -> None:
        session, message, context = got["session"], got["message"], got["context"]
        again = message["message_id"] in self.messages
        self.messages.add(message["message_id"])
        self.repeated += again
        state = "begins" if session["is_new"] else "goes on"
        print(f"  session  {session['session_id']} of {session['user_id']}, {state}")
        print(f"  message  {message['seq']}{', delivered before: kept once' if again else ''}")
        count = len(context["messages"])
        tokens = context["estimatedTokens"]
        print(f"  context  {count} message{'s' * (count != 1)}, about {tokens} tokens")
        if count > SHOWN:
            print(f"           … {count - SHOWN} earlier")
        for one in context["messages"][-SHOWN:]:
            texts = [part["text"] for part in one["parts"] if part["type"] == "text"]
            print(f"           {one['role']} {one['role_id']}: {' '.join(texts)}")

    def __str__(self) -> str:
        return (
            f"Turns: {self.turns}, delivered before: {self.repeated}, channel commands: "
            f"{self.commands}. Updates passed over: {self.skipped}."
        )


def sender_line(sender: dict[str, Any]) -> str:
    """The sender block: what an agent may be told about who speaks."""
    known = f", the user {sender['user_id']}" if sender["user_id"] else ""
    return f"{sender['display_name']}, {sender['kind']} on {sender['platform']}{known}"


def contact_line(contact: dict[str, Any] | None) -> str:
    """With whom the session is."""
    if contact is None:
        return "none: a user of the account, or nobody told apart"
    return f"{contact['display_name'] or '(no name)'}, {contact['kind']}, {contact['id']}"


def updates_in(lines: TextIO) -> Iterator[dict[str, Any]]:
    """One update for each line that is not blank, as soon as the line is there."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            update = json.loads(line)
        except ValueError as error:
            raise Problem(f"line {number} is not JSON: {error}.") from None
        if not isinstance(update, dict):
            raise Problem(f"line {number} is no update.")
        yield update


def feed(api: Bailiwick, lines: TextIO, agent_id: str, code: str | None) -> Printer:
    """Send each turn, in order: the next one only when the one before is kept."""
    printer = Printer()
    for update in updates_in(lines):
        try:
            turn = turn_of(update, agent_id, code)
        except Skipped as skipped:
            printer.skip(update, str(skipped))
            continue
        printer.show(update, turn, api.ask("POST", "/inbound", turn))
    return printer


def options() -> argparse.Namespace:
    """The command line, with defaults from the environment and from `make run`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="JSON lines; - is standard input")
    parser.add_argument("--url", default=os.environ.get("BAILIWICK_URL", "http://localhost:8000"))
    parser.add_argument("--key", help="a key with the scope gateway")
    parser.add_argument("--admin-key", help="of an admin: makes a gateway key for this run")
    parser.add_argument("--root-key", help="the same for any account; needs --account")
    parser.add_argument("--account", help="an admin key's own when absent")
    parser.add_argument("--agent", default="counter", help="who is spoken to (counter)")
    parser.add_argument("--code", help="what stands for CODE in a /link CODE")
    chosen = parser.parse_args()
    named = [one for one in (chosen.key, chosen.admin_key, chosen.root_key) if one]
    if len(named) > 1:
        parser.error("give one of --key, --admin-key and --root-key.")
    if not named:
        chosen.key = os.environ.get("BAILIWICK_KEY")
    demo = Path(os.environ.get("BAILIWICK_DATA_DIR", "data")) / "demo.json"
    if not named and not chosen.key and demo.exists():
        chosen.admin_key = json.loads(demo.read_text(encoding="utf-8"))["admin_key"]
    if not (chosen.key or chosen.admin_key or chosen.root_key):
        parser.error(f"give --key or --admin-key; there is no {demo} either.")
    if chosen.root_key and not chosen.account:
        parser.error("--root-key needs --account.")
    return chosen


@contextmanager
def gateway_of(chosen: argparse.Namespace) -> Iterator[Bailiwick]:
    """The API with the gateway's key, made for this run unless one was given."""
    with httpx.Client(base_url=f"{chosen.url.rstrip('/')}/api/v1", timeout=30) as http:
        if chosen.key:
            yield Bailiwick(http, chosen.key)
            return
        secret = chosen.admin_key or chosen.root_key
        account = chosen.account or secret.removeprefix("bwk_").partition(".")[0]
        with own_key(Bailiwick(http, secret), account, chosen.agent) as key:
            yield Bailiwick(http, key)


@contextmanager
def lines_of(file: str) -> Iterator[TextIO]:
    """The file's lines, or those of standard input."""
    if file == "-":
        yield sys.stdin
        return
    try:
        lines = Path(file).open(encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}.") from None
    with lines:
        yield lines


def main() -> None:
    chosen = options()
    try:
        with lines_of(chosen.file) as lines, gateway_of(chosen) as api:
            printer = feed(api, lines, chosen.agent, chosen.code)
    except Problem as problem:
        sys.exit(f"gateway: {problem}")
    except httpx.TransportError as error:
        sys.exit(f"gateway: {chosen.url} does not answer ({error}).")
    except KeyboardInterrupt:
        sys.exit(130)
    print(f"\n{printer}")


if __name__ == "__main__":
    main()
