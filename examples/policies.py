"""Four accounts, one for each namespace policy, checked end to end through the API: who sees what.

    python examples/policies.py --url http://localhost:8000 --root-key bwr_…

Both have defaults: BAILIWICK_URL and BAILIWICK_ROOT_KEY, and the root key that `make run` keeps in
./data. Each run makes accounts of its own, so it can be run again. Every line is one request and
what it must answer; the first that answers otherwise ends the program with status 1.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

# isolate_user_scope_by_agent, isolate_agent_scope_by_user
POLICIES = {"ff": (False, False), "ft": (False, True), "tf": (True, False), "tt": (True, True)}

# Clients of that system send these; X-Bailiwick-Account, -User and -Agent mean the same.
HEADERS = {
    "account": "X-OpenViking-Account",
    "user": "X-OpenViking-User",
    "agent": "X-OpenViking-Agent",
    "peer": "X-OpenViking-Actor-Peer",
}


@dataclass(frozen=True)
class Account:
    """An account with its admin (alice) and two more users (bob, carol)."""

    account_id: str
    alice: str  # their keys
    bob: str
    carol: str


class Api:
    """Sends requests, prints each, and stops at the first unexpected answer."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", timeout=30)

    def ask(
        self,
        means: str,
        request: str,
        *,
        key: str | None = None,
        body: dict[str, Any] | None = None,
        status: int = 200,
        **acting: str,
    ) -> Any:
        """Send one request; its `result`, or its `error` where a refusal is expected.

        Args:
            request: method and path. status: what it must answer.
            acting: on whose behalf: account, user, agent, or peer, a contact of the user's.
        """
        headers = {HEADERS[name]: value for name, value in acting.items()}
        if key is not None:
            headers["X-API-Key"] = key
        method, path = request.split()
        answer = self.http.request(method, path, json=body, headers=headers)
        expect(f"{means}: {request} → {status}", answer.status_code, status, answer.text)
        envelope = answer.json()
        return envelope["error" if status >= 400 else "result"]


def expect(means: str, found: object, expected: object, answer: str = "") -> None:
    """Print ✓ or ✗; end the program when the two differ."""
    print(f"  {'✓' if found == expected else '✗'} {means}")
    if found != expected:
        print(f"    expected {expected!r}\n    found    {found!r} {answer[:500]}")
        sys.exit(1)


def make_account(api: Api, root_key: str, code: str, suffix: str) -> Account:
    """ROOT makes the account with its policy; its first admin makes a second user."""
    by_agent, by_user = POLICIES[code]
    made = api.ask(
        f"ROOT makes an account with policy {code}",
        "POST /admin/accounts",
        key=root_key,
        body={
            "account_id": f"policies-{code}-{suffix}",
            "admin_user_id": "alice",
            "isolate_user_scope_by_agent": by_agent,
            "isolate_agent_scope_by_user": by_user,
        },
    )
    flags = made["isolate_user_scope_by_agent"], made["isolate_agent_scope_by_user"]
    expect("the answer repeats the policy", flags, (by_agent, by_user))
    account_id, alice = made["account_id"], made["user_key"]
    users = f"/admin/accounts/{account_id}/users"
    keys = [
        api.ask(f"its admin registers {user}", f"POST {users}", key=alice, body={"user_id": user})
        for user in ("bob", "carol")
    ]
    listed = api.ask("alice lists the users", f"GET {users}", key=alice)
    roles = {user["user_id"]: user["role"] for user in listed}
    expect(
        "default, alice, bob and carol are there",
        roles,
        {"default": "user", "alice": "admin", "bob": "user", "carol": "user"},
    )
    return Account(account_id, alice, *(made["user_key"] for made in keys))


def multi_user(api: Api, account: Account) -> None:
    """An ADMIN acts as one user and agent; another user and agent read what was said."""
    key, session = account.alice, "shared"
    as_bob: dict[str, Any] = {
        "key": key,
        "account": account.account_id,
        "user": "bob",
        "agent": "ada",
    }
    made = api.ask(
        "alice, as bob with ada, makes a session",
        "POST /sessions",
        **as_bob,
        body={"session_id": session, "title": "Shared session"},
    )
    expect(
        "the session is bob's, with ada",
        made["user"],
        {"account_id": account.account_id, "user_id": "bob", "agent_id": "ada"},
    )
    said = [
        ("a question, its role_id implicit", {"role": "user", "content": "Is the van free?"}),
        ("an answer, its role_id implicit", {"role": "assistant", "content": "On Thursday."}),
        (
            "a question by alice, explicit role_id",
            {"role": "user", "role_id": "alice", "content": "And on Friday?"},
        ),
        (
            "an answer by max, explicit role_id",
            {"role": "assistant", "role_id": "max", "content": "On Friday too."},
        ),
    ]
    for means, message in said:
        api.ask(means, f"POST /sessions/{session}/messages", **as_bob, body=message)
    context = api.ask(
        "the context, read as alice with max",
        f"GET /sessions/{session}/context",
        key=key,
        account=account.account_id,
        user="alice",
        agent="max",
    )
    expect(
        "it holds all four messages, each with its speaker",
        speakers(context),
        [("user", "bob"), ("assistant", "ada"), ("user", "alice"), ("assistant", "max")],
    )
    detail = api.ask("bob opens the session", f"GET /sessions/{session}", key=account.bob)
    expect("its participants are both users", detail["participant_user_ids"], ["bob", "alice"])
    expect("and both agents", detail["participant_agent_ids"], ["ada", "max"])
    expect("its creator did not change", detail["created_by_user_id"], "bob")
    expect("it counts four messages", detail["message_count"], 4)


def single_user(api: Api, account: Account) -> None:
    """A USER's key writes its own session; who speaks follows from key and Agent header."""
    own: dict[str, Any] = {"key": account.bob, "agent": "ada"}
    messages = "/sessions/bobs-own/messages"
    first = api.ask(
        "the first message of bob makes his session",
        f"POST {messages}",
        **own,
        body={"role": "user", "content": "Remind me of the camellias."},
    )
    expect("it is message 1", first["seq"], 1)
    api.ask(
        "the answer of ada",
        f"POST {messages}",
        **own,
        body={"role": "assistant", "content": "They flower in March."},
    )
    for value, words in (("bob", "his own role_id"), (None, "role_id as null")):
        refused = api.ask(
            f"bob, a USER, sends {words}",
            f"POST {messages}",
            **own,
            body={"role": "user", "role_id": value, "content": "Hello"},
            status=400,
        )
        expect("the code is INVALID_ARGUMENT", refused["code"], "INVALID_ARGUMENT")
    context = api.ask("bob reads the context", "GET /sessions/bobs-own/context", **own)
    expect(
        "two messages, by bob and by ada; the refused ones left nothing",
        speakers(context),
        [("user", "bob"), ("assistant", "ada")],
    )
    detail = api.ask("bob opens his session", "GET /sessions/bobs-own", **own)
    expect("he created it", detail["created_by_user_id"], "bob")


def who_reads(api: Api, account: Account) -> None:
    """`sessions_visible_to`: the whole account, or only who took part; it binds at once."""
    policy = f"/admin/accounts/{account.account_id}/policy"
    alice: dict[str, Any] = {"key": account.alice}
    bob: dict[str, Any] = {"key": account.bob}
    carol: dict[str, Any] = {"key": account.carol}
    session = "GET /sessions/bobs-own"
    said = {"role": "user", "content": "May I come too?"}

    api.ask("by default carol reads what bob said", session, **carol)
    closed = api.ask(
        "alice lets only those read who took part",
        f"PUT {policy}",
        **alice,
        body={"sessions_visible_to": "participants", "reason": "conversations with customers"},
    )
    expect("that is version 2 of the policy", closed["version"], 2)
    api.ask("for carol the session is not there any more", session, **carol, status=404)
    api.ask(
        "she cannot add to it either",
        "POST /sessions/bobs-own/messages",
        **carol,
        body=said,
        status=404,
    )
    expect("her list is empty", ids(api.ask("carol lists", "GET /sessions", **carol)), set())
    api.ask("bob reads on", session, **bob)
    api.ask("alice reads as an admin", session, **alice)
    api.ask("but not when she acts for carol", session, **alice, user="carol", status=404)
    opened = api.ask(
        "alice opens it again", f"PUT {policy}", **alice, body={"sessions_visible_to": "account"}
    )
    expect("that is version 3", opened["version"], 3)
    api.ask("carol reads it again", session, **carol)
    flag = "isolate_user_scope_by_agent"
    api.ask(
        "a namespace flag cannot be changed in this version",
        f"PUT {policy}",
        **alice,
        body={flag: not opened[flag]},
        status=501,
    )


def contacts(api: Api, account: Account) -> None:
    """Two contacts of bob, dana and eli, never mix; a peer is named by its header."""
    bob: dict[str, Any] = {"key": account.bob, "agent": "ada"}
    dana, eli = {**bob, "peer": "dana"}, {**bob, "peer": "eli"}
    said = {"role": "user", "content": "When does the camellia flower?"}
    list_, search = "GET /sessions", "GET /sessions?q=camellia"

    empty = api.ask("dana, who never wrote, lists sessions", list_, **dana)
    expect("there are none, not even bob's", ids(empty), set())
    api.ask("her first message makes a session", "POST /sessions/danas/messages", **dana, body=said)
    api.ask("eli's makes another", "POST /sessions/elis/messages", **eli, body=said)
    expect("dana finds hers only", ids(api.ask("dana searches", search, **dana)), {"danas"})
    expect("eli finds his only", ids(api.ask("eli searches", search, **eli)), {"elis"})
    for means, request, body in (
        ("eli opens dana's session", "GET /sessions/danas", None),
        ("eli reads its context", "GET /sessions/danas/context", None),
        ("eli writes to it", "POST /sessions/danas/messages", said),
        ("eli opens a session of the account", "GET /sessions/shared", None),
    ):
        api.ask(means, request, **eli, body=body, status=404)
    api.ask(
        "bob says that eli speaks in dana's session",
        "POST /sessions/danas/messages",
        **bob,
        body={**said, "peer_id": "eli"},
        status=409,
    )
    started = [
        api.ask(f"{who} starts a session", "POST /sessions/start", **caller, body={})
        for who, caller in (("dana", dana), ("dana again", dana), ("eli", eli))
    ]
    first, again, other = (each["session_id"] for each in started)
    expect("dana's second start finds her first", (again, other == first), (first, False))
    mine = ids(api.ask("bob, whose contacts they are, lists", list_, **bob))
    expect("he sees both", mine >= {"danas", "elis"}, True)
    carols = ids(api.ask("carol lists, though the account reads all", list_, key=account.carol))
    expect("she sees neither", carols & {"danas", "elis"}, set())
    api.ask("alice, the admin, reads dana's", "GET /sessions/danas", key=account.alice)


def refusals(api: Api, account: Account, foreign: Account) -> None:
    """What must not work, and with which answer."""
    alice: dict[str, Any] = {"key": account.alice}
    bob: dict[str, Any] = {"key": account.bob}
    read = "GET /sessions/shared/context"
    users = "GET /admin/accounts/{}/users"
    new_account = {"account_id": "x", "admin_user_id": "y"}
    for means, request, caller, status in (
        ("no key", read, {"key": None}, 401),
        ("an unknown key", read, {"key": account.bob[:-6] + "______"}, 401),
        ("bob names another account", read, {**bob, "account": foreign.account_id}, 403),
        ("bob names another user", read, {**bob, "user": "alice"}, 403),
        ("bob names himself", read, {**bob, "account": account.account_id, "user": "bob"}, 200),
        ("alice names another account", read, {**alice, "account": foreign.account_id}, 403),
        ("alice names a user that is not there", read, {**alice, "user": "nobody"}, 404),
        ("alice lists the users of another account", users.format(foreign.account_id), alice, 403),
        ("and of an account that is not there", users.format("nowhere"), alice, 403),
        ("bob, no admin, lists the users", users.format(account.account_id), bob, 403),
        ("alice makes an account", "POST /admin/accounts", {**alice, "body": new_account}, 403),
        ("bob reads a session that is not there", "GET /sessions/absent", bob, 404),
    ):
        api.ask(means, request, **caller, status=status)


def ids(sessions: list[dict[str, Any]]) -> set[str]:
    """The session ids of a list."""
    return {session["session_id"] for session in sessions}


def speakers(context: dict[str, Any]) -> list[tuple[str, str]]:
    """(role, role_id) of each message of a context, in order."""
    return [(message["role"], message["role_id"]) for message in context["messages"]]


def options() -> argparse.Namespace:
    """The command line, with defaults from the environment and from `make run`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default=os.environ.get("BAILIWICK_URL", "http://localhost:8000"))
    parser.add_argument("--root-key", default=os.environ.get("BAILIWICK_ROOT_KEY"))
    found = parser.parse_args()
    kept = Path(os.environ.get("BAILIWICK_DATA_DIR", "data")) / "root_key"
    if not found.root_key and kept.exists():
        found.root_key = kept.read_text(encoding="utf-8").strip()
    if not found.root_key:
        parser.error(f"give --root-key or BAILIWICK_ROOT_KEY; there is no {kept} either.")
    return found


def main() -> None:
    chosen = options()
    api, suffix = Api(chosen.url), secrets.token_hex(3)
    try:
        accounts = {}
        for code in POLICIES:
            print(f"\n{code}: the account")
            accounts[code] = make_account(api, chosen.root_key, code, suffix)
        foreign = dict(zip(accounts, [*list(accounts)[1:], "ff"], strict=True))
        for code, account in accounts.items():
            print(f"\n{code}: several users share a session")
            multi_user(api, account)
            print(f"\n{code}: one user alone")
            single_user(api, account)
            print(f"\n{code}: who reads sessions")
            who_reads(api, account)
            print(f"\n{code}: two contacts of one user")
            contacts(api, account)
            print(f"\n{code}: refusals")
            refusals(api, account, accounts[foreign[code]])
    except httpx.TransportError as error:
        sys.exit(f"{chosen.url} does not answer ({error}); does `make run` run?")
    print("\nAll as it should be.")


if __name__ == "__main__":
    main()
