"""Load a long-conversation file into an account, through the API.

    python examples/load_conversations.py conversations.json --key bwk_…

The file is a list of samples in the layout of LoCoMo (Maharana et al., 2024): `sample_id`, and a
`conversation` with `session_1`, `session_2`, … (lists of `{speaker, dia_id, text}`, some with
`img_url` and `blip_caption`) and `session_1_date_time`, … ("1:56 pm on 8 May, 2023").

Each session_N becomes a session: `<sample_id>-session-N`, owned by the sample's first speaker. Each
speaker becomes a user, whose id is made from the name: two speakers of one name are one user. The
messages carry their true times, a minute apart, and the speaker as an explicit `role_id`; so the
key must be an admin's. A shared image's caption is a text part of its own.

What is there already is not loaded twice; a session that was cut short is continued. Defaults:
BAILIWICK_URL and BAILIWICK_KEY, and the admin key of the demo account in ./data.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

AGENT = "default"
MAX_ID = 64


class Problem(Exception):
    """One line for whoever runs this."""


@dataclass(frozen=True)
class Conversation:
    """One session_N of one sample."""

    session_id: str
    title: str
    owner: str  # user_id of the first speaker
    metadata: dict[str, Any]
    messages: list[dict[str, Any]]  # bodies of POST …/messages, in order


def read_file(path: Path) -> tuple[set[str], list[Conversation]]:
    """The speakers' user ids, and the sessions in the file's order."""
    try:
        samples = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Problem(f"{path} is not JSON: {error}.") from None
    try:
        found = [conversation for sample in samples for conversation in read_sample(sample)]
    except (KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{path} has another layout: {type(error).__name__} {error}.") from None
    speakers = {message["role_id"] for one in found for message in one.messages}
    return speakers | {one.owner for one in found}, found


def read_sample(sample: dict[str, Any]) -> list[Conversation]:
    """The sessions of one sample that hold messages, by number."""
    conversation, sample_id = sample["conversation"], sample["sample_id"]
    numbers = sorted(
        int(key.removeprefix("session_"))
        for key, value in conversation.items()
        if re.fullmatch(r"session_\d+", key) and value
    )
    names = conversation["speaker_a"], conversation["speaker_b"]
    return [
        Conversation(
            session_id=f"{sample_id}-session-{number}",
            title=f"{names[0]} and {names[1]}, session {number}",
            owner=user_id_of(names[0]),
            metadata={"sample_id": sample_id, "session": number},
            messages=[
                message_of(turn, moment_of(conversation[f"session_{number}_date_time"], minute))
                for minute, turn in enumerate(conversation[f"session_{number}"])
            ],
        )
        for number in numbers
    ]


def message_of(turn: dict[str, Any], at: datetime) -> dict[str, Any]:
    """One turn as the body of POST …/messages; both speakers are people, so the role is user."""
    texts = [turn["text"]]
    if caption := turn.get("blip_caption"):
        texts.append(f"[image: {caption}]")
    return {
        "role": "user",
        "role_id": user_id_of(turn["speaker"]),
        "parts": [{"type": "text", "text": text} for text in texts],
        "created_at": at.isoformat(),
    }


def moment_of(text: str, minutes: int) -> datetime:
    """ "1:56 pm on 8 May, 2023" as UTC, and some minutes later."""
    try:
        begun = datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
    except ValueError:
        raise Problem(f"{text!r} is no time such as '1:56 pm on 8 May, 2023'.") from None
    return begun + timedelta(minutes=minutes)


def user_id_of(name: str) -> str:
    """ "José Núñez" → "jose-nunez"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_ID]
    if not found:
        raise Problem(f"The speaker {name!r} has no letter that a user id can have.")
    return found


class Account:
    """The account that the key belongs to."""

    def __init__(self, url: str, key: str) -> None:
        self.account_id = key.removeprefix("bwk_").partition(".")[0]
        self.http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1", timeout=30, headers={"X-API-Key": key}
        )

    def ask(
        self, method: str, path: str, body: Any = None, *, user: str | None = None, also: int = 200
    ) -> Any:
        """Send one request; its result, or None when the answer has the status `also`."""
        headers = {"X-Bailiwick-Agent": AGENT, **({"X-Bailiwick-User": user} if user else {})}
        answer = self.http.request(method, path, json=body, headers=headers)
        if answer.is_success:
            return answer.json()["result"]
        if answer.status_code == also:
            return None
        raise Problem(f"{method} {path} → {answer.status_code}: {words_of(answer)}")

    def ensure_user(self, user_id: str) -> bool:
        """Register the user unless the id is taken; returns whether it was new. Its key is not
        kept: these users write through the admin."""
        users = f"/admin/accounts/{self.account_id}/users"
        return self.ask("POST", users, {"user_id": user_id}, also=409) is not None

    def ensure_session(self, wanted: Conversation) -> int:
        """Make the session unless it is there; returns how many messages it has."""
        found = self.ask("GET", f"/sessions/{wanted.session_id}", also=404)
        if found is None:
            body = {
                "session_id": wanted.session_id,
                "title": wanted.title,
                "metadata": wanted.metadata,
            }
            self.ask("POST", "/sessions", body, user=wanted.owner)
            return 0
        count = int(found["message_count"])
        if found["metadata"] != wanted.metadata or count > len(wanted.messages):
            raise Problem(f"The session {wanted.session_id} exists and is not from this file.")
        return count


def words_of(answer: httpx.Response) -> str:
    """The envelope's message, or the beginning of what is no envelope."""
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def load(account: Account, speakers: set[str], found: list[Conversation]) -> Counter[str]:
    """Load what is missing and count what was done."""
    done: Counter[str] = Counter()
    for user_id in sorted(speakers):
        done["users made"] += account.ensure_user(user_id)
    columns = TextColumn("messages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        bar = progress.add_task("messages", total=sum(len(one.messages) for one in found))
        for one in found:
            there = account.ensure_session(one)
            progress.advance(bar, there)
            for message in one.messages[there:]:
                account.ask("POST", f"/sessions/{one.session_id}/messages", message)
                progress.advance(bar)
            done["messages written"] += len(one.messages) - there
            done["messages found"] += there
            complete, begun = there == len(one.messages), there > 0
            done["skipped" if complete else "continued" if begun else "made"] += 1
    return done


def options() -> argparse.Namespace:
    """The command line, with defaults from the environment and from `make run`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default=os.environ.get("BAILIWICK_URL", "http://localhost:8000"))
    parser.add_argument("--key", default=os.environ.get("BAILIWICK_KEY"), help="an admin's key")
    chosen = parser.parse_args()
    demo = Path(os.environ.get("BAILIWICK_DATA_DIR", "data")) / "demo.json"
    if not chosen.key and demo.exists():
        chosen.key = json.loads(demo.read_text(encoding="utf-8"))["admin_key"]
    if not chosen.key:
        parser.error(f"give --key or BAILIWICK_KEY; there is no {demo} either.")
    return chosen


def main() -> None:
    chosen = options()
    began = time.monotonic()
    try:
        speakers, found = read_file(chosen.file)
        account = Account(chosen.url, chosen.key)
        done = load(account, speakers, found)
    except Problem as problem:
        sys.exit(f"load_conversations: {problem}")
    except httpx.TransportError as error:
        sys.exit(f"load_conversations: {chosen.url} does not answer ({error}).")
    took = time.monotonic() - began
    print(
        f"Account {account.account_id}: {done['messages written']:,} messages written in "
        f"{took:.1f} s, {done['messages found']:,} were there.\n"
        f"Sessions: {done['made']} made, {done['continued']} continued, {done['skipped']} skipped "
        f"because they were complete.\nUsers: {done['users made']} made, "
        f"{len(speakers) - done['users made']} were there."
    )


if __name__ == "__main__":
    main()
