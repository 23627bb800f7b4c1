"""Four policies, every caller, every memory, every route about memories; HTTP with real keys.

Each route has an expectation that asks the oracle; a route without one fails a test. Lists, counts,
reading and changing by id are compared whole; of each other route one memory of each outcome,
another one each time, and all of them with SURFACES=all. What a request changed is taken back.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import count

from django.db import transaction

from tests.accounts.kit import contact_header, peer_header
from tests.memory.oracle import House, Kept, edits, manages, recalls
from tests.memory.world import NOVA
from tests.oracle import NEVER_WROTE, Caller

KEPTS = [
    Kept("user", "alice", "ada"),
    Kept("user", "bob", "ada"),
    Kept("user", "bob", "max"),
    Kept("user", "beth", "ada"),
    Kept("agent", "alice", "ada", author="alice"),
    Kept("agent", "bob", "max"),
    Kept("agent", "bob", "ada", author="beth"),
    Kept("agent", "beth", "ada", author="beth"),
    Kept("user", "bob", "ada", "ana"),
    Kept("agent", "bob", "ada", "ana"),
    Kept("user", "bob", "max", "anna"),
    Kept("user", "bob", "ada", "ben"),  # a group
    Kept("agent", "bob", "max", "ben"),
    Kept("user", "beth", "ada", "cleo"),
    Kept("agent", "beth", "ada", "cleo"),
    Kept("user", "bob", "ada", state="quarantined"),
    Kept("user", "bob", "ada", state="deleted"),
    Kept("user", "bob", "ada", state="superseded"),
    Kept("user", "bob", "ada", expires=-1.0),
]
KEPTS = [replace(kept, topic=("facts", f"t{n}"), changed=(0, n)) for n, kept in enumerate(KEPTS)]
AGREED = dict.fromkeys(("ana", "anna", "ben", "cleo", "alba"), "granted")
ALIVE = ("active", "quarantined")
SUBJECTS = ("alice", "bob", "beth")
EXPECTATIONS = {}
TURN = count()


def expects(route):
    def known(function):
        EXPECTATIONS[route] = function
        return function

    return known


@dataclass
class Visit:
    """One caller in one house, with what the oracle says that it manages and may change."""

    api: object
    house: House
    caller: Caller
    headers: dict
    bound: bool  # to the agent it names
    keys: list
    contacts: dict
    wrong: list

    def __post_init__(self):
        self.managed = {n for n, kept in enumerate(KEPTS) if manages(self.house, self.caller, kept)}
        self.editable = {n for n in self.managed if edits(self.caller, KEPTS[n])}
        self.place = {str(key): n for n, key in enumerate(self.keys)}

    @property
    def admin(self):
        return self.caller.role == "admin" and self.caller.as_itself

    def get(self, path, **query):
        return self.api.get(path, self.headers, **query)

    def status(self, method, path, expected, body=None):
        """Ask, compare the status, and take back what it changed."""
        with transaction.atomic():
            answer = self.api(method, path, self.headers, body)
            transaction.set_rollback(True)
        self.check(f"{method} {path} {body}", answer.status, expected)
        return answer

    def check(self, what, found, expected):
        if found != expected:
            who = {name: self.headers[name] for name in self.headers if name != "X-API-Key"}
            self.wrong.append(f"{self.caller} {who}: {what}: {found}, not {expected}")

    def numbers(self, rows):
        return {self.place[row["id"]] for row in rows}

    def each(self, method, path, expected, body=None):
        """The same for memories by their ids, one of each outcome."""
        for n in self.some(range(len(self.keys)), expected):
            key = self.keys[n]
            answer = self.status(method, f"/memories/{key}{path}", expected(n), body)
            if answer.status == 404:
                missing = {"resource": str(key), "type": "memory"}
                self.check("refusal", answer.body["error"]["details"], missing)

    def some(self, things, outcome=lambda _: None):
        """One thing for each outcome, another one each time; all of them with SURFACES=all."""
        if os.environ.get("SURFACES") == "all":
            return list(things)
        found = defaultdict(list)
        for one in things:
            found[outcome(one)].append(one)
        return [those[next(TURN) % len(those)] for those in found.values()]

    def changed(self, alive_only):
        """The status of a change of each of them."""

        def status(n):
            if n not in self.managed:
                return 404
            if n not in self.editable:
                return 403
            return 412 if alive_only and KEPTS[n].state not in ALIVE else 200

        return status

    def listed(self, **query):
        return self.numbers(self.get("/memories", limit=200, **query).result)


def uri_of(house, kept, key):
    """By hand, from the table of canonical roots."""
    pair = (f"user/{kept.user}", f"agent/{kept.agent}")
    first, second = pair if kept.scope == "user" else reversed(pair)
    split = house.policy[kept.scope == "agent"] == "t"
    root = f"{first}/{second}" if split else first
    return f"viking://{root}/memories/{kept.topic[0]}/{key}"


def live(numbers):
    return {n for n in numbers if KEPTS[n].state == "active" and KEPTS[n].expires > 0}


@expects("GET /memories")
def lists_and_search(visit):
    everything = visit.get("/memories", state="any", limit=200).result
    visit.check("any", visit.numbers(everything), visit.managed)
    visit.check("active", visit.listed(), live(visit.managed))
    visit.check("search", visit.listed(q="apricots"), live(visit.managed))
    for name in ("user", "agent"):
        of_scope = {n for n in visit.managed if KEPTS[n].scope == name}
        visit.check(name, visit.listed(scope=name, state="any"), of_scope)
    for user in visit.some(SUBJECTS):
        of_user = {n for n in visit.managed if KEPTS[n].user == user}
        visit.check(f"user={user}", visit.listed(user=user, state="any"), of_user)
    for contact in visit.some(("ana", "ben", "cleo")):
        stamped = {n for n in visit.managed if KEPTS[n].stamp == contact}
        named = visit.listed(contact=visit.contacts[contact], state="any")
        visit.check(f"contact={contact}", named, stamped)
    for row in everything:
        kept = KEPTS[visit.place[row["id"]]]
        visit.check("uri", row["uri"], uri_of(visit.house, kept, row["id"]))
    found, following = [], {}
    while following is not None:  # page after page
        page = visit.get("/memories", state="any", limit=7, **following)
        found += [visit.place[row["id"]] for row in page.result]
        cursor = page.body["page"]["next"]
        following = {"cursor": cursor} if cursor else None
    visit.check("pages", found, sorted(visit.managed)[::-1])


def by_uri(visit, state="any"):
    """The addresses of every user's and agent's root, with who may name them and what is there."""
    letters = visit.house.policy
    own = {"user": visit.caller.effective, "agent": visit.caller.agent}
    for scope, other, letter in (("user", "agent", letters[0]), ("agent", "user", letters[1])):
        names = {"user": SUBJECTS, "agent": ("ada", "max")}
        for first in names[scope]:
            for second in names[other] if letter == "t" else (None,):
                asked = {scope: first} | ({other: second} if second else {})
                uri = f"viking://{scope}/{first}" + (f"/{other}/{second}" if second else "")
                foreign = not visit.admin and any(own[x] != name for x, name in asked.items())
                yield (
                    uri,
                    None
                    if foreign
                    else {
                        n
                        for n in visit.managed
                        if KEPTS[n].scope == scope
                        and all(getattr(KEPTS[n], x) == name for x, name in asked.items())
                    },
                )


@expects("GET /uris/resolve")
def addresses(visit):
    for uri, there in visit.some(by_uri(visit), lambda at: (at[1] is None, bool(at[1]))):
        status = 403 if there is None else 200
        visit.check(f"resolve {uri}", visit.get("/uris/resolve", uri=uri).status, status)
        answer = visit.get("/memories", uri=uri, state="any", limit=200)
        visit.check(f"uri={uri}", answer.status, status)
        if there is not None:
            visit.check(f"at {uri}", visit.numbers(answer.result), there)


@expects("GET /memories/facets")
def counts(visit):
    found = visit.get("/memories/facets", state="any").result
    visit.check("total", found["total"], len(visit.managed))
    by_scope = Counter(KEPTS[n].scope for n in visit.managed)
    visit.check("by scope", found["scope"], dict(by_scope))
    stands = Counter("expired" if KEPTS[n].expires < 0 else KEPTS[n].state for n in visit.managed)
    visit.check("by state", found["state"], dict(stands))
    searched = visit.get("/memories/facets", q="apricots").result["total"]
    visit.check("counted search", searched, len(live(visit.managed)))


@expects("GET /memories/{memory_id}")
def detail(visit):
    for n, key in enumerate(visit.keys):
        visit.status("GET", f"/memories/{key}", 200 if n in visit.managed else 404)


@expects("GET /memories/{memory_id}/history")
def history(visit):
    visit.each("GET", "/history", lambda n: 200 if n in visit.managed else 404)


@expects("GET /memories/{memory_id}/evidence")
def evidence(visit):
    visit.each("GET", "/evidence", lambda n: 200 if n in visit.managed else 404)


@expects("GET /memories/{memory_id}/why")
def why(visit):
    visit.each("GET", "/why", lambda n: 200 if n in visit.managed else 404)
    everything = (*KEPTS,)

    def recalled(n, caller=visit.caller):
        return recalls(visit.house, caller, KEPTS[n], everything)

    for n in visit.some(sorted(visit.managed), recalled):
        found = visit.get(f"/memories/{visit.keys[n]}/why").result
        visit.check(f"why {n}", (found["visible"], found["listed"]), (recalled(n), True))
    bob = Caller("user", "bob", None, "max")
    for n in visit.some(sorted(visit.managed), lambda n: recalled(n, bob)):
        answer = visit.get(f"/memories/{visit.keys[n]}/why", user="bob", agent="max")
        visit.check("why of others", answer.status, 200 if visit.admin else 403)
        if visit.admin:
            visit.check(f"why of bob {n}", answer.result["visible"], recalled(n, bob))


@expects("PATCH /memories/{memory_id}")
def edit(visit):
    status = visit.changed(alive_only=True)
    for n, key in enumerate(visit.keys):
        visit.status("PATCH", f"/memories/{key}", status(n), {"salience": "high"})


@expects("DELETE /memories/{memory_id}")
def delete(visit):
    visit.each("DELETE", "", visit.changed(alive_only=False))


@expects("POST /memories/{memory_id}/restore")
def restore(visit):
    visit.each("POST", "/restore", visit.changed(alive_only=False), {})


def kept_from(visit):
    def status(n):
        if not visit.admin:
            return 403  # no row is looked at
        return 200 if KEPTS[n].state in ALIVE else 412

    return status


@expects("POST /memories/{memory_id}/quarantine")
def quarantine(visit):
    visit.each("POST", "/quarantine", kept_from(visit), {})


@expects("POST /memories/{memory_id}/release")
def release(visit):
    visit.each("POST", "/release", kept_from(visit), {})


@expects("POST /memories")
def remember(visit):
    said = {"content": "Apricots again."}
    if visit.caller.contact == NEVER_WROTE:  # a stranger agreed to nothing
        visit.status("POST", "/memories", 412, said)
        return
    made = visit.status("POST", "/memories", 200, said).result
    owner = (visit.caller.effective, visit.caller.agent)
    visit.check("made for", (made["user_id"], made["agent_id"]), owner)
    contact = visit.caller.contact and str(visit.contacts[visit.caller.contact])
    visit.check("made about", made["contact_id"], contact)
    of_agent = 200 if visit.admin or visit.bound else 403
    visit.status("POST", "/memories", of_agent, {**said, "scope": "agent"})

    def superseding(n):
        return 200 if n in visit.editable and KEPTS[n].state == "active" else 404

    def kind_of(n):
        return superseding(n), KEPTS[n].scope, KEPTS[n].author, KEPTS[n].stamp is None

    for n in visit.some(range(len(KEPTS)), kind_of):
        body = {**said, "supersedes": [str(visit.keys[n])]}
        visit.status("POST", "/memories", superseding(n), body)


def askers(api, cast, contacts):
    """(caller, headers, whether its key is bound to its agent)"""

    def key(user_id, name, **more):
        body = {"user_id": user_id, "name": name, **more}
        made = api.post("/admin/accounts/north/keys", cast.alice.headers, body)
        return {"X-API-Key": made.result["user_key"]}

    def through(headers, agent):
        return {**headers, "X-Bailiwick-Agent": agent}

    gateway = key("beth", "gate", scopes=["read", "write", "gateway"])
    bound = key("bob", "bound", agents=["ada"])
    alice, bob, beth = cast.alice.headers, cast.bob.headers, cast.beth.headers
    for agent in ("ada", "max"):
        yield Caller("admin", "alice", None, agent), through(alice, agent), False
        yield Caller("user", "bob", None, agent), through(bob, agent), False
        yield Caller("admin", "alice", "bob", agent), through(cast.alice_as("bob"), agent), False
    yield Caller("user", "beth", None, "ada"), through(beth, "ada"), False
    yield Caller("user", "beth", None, NOVA), through(beth, NOVA), False
    yield Caller("root", None, "beth", "ada"), through(cast.root_as("beth"), "ada"), False
    yield Caller("user", "bob", None, "ada"), bound, True
    peer = through(peer_header(bob, "nobody"), "ada")
    yield Caller("user", "bob", None, "ada", NEVER_WROTE), peer, False
    for role, own, names, headers, contact, agent in (
        ("user", "beth", None, gateway, "ana", "ada"),
        ("user", "beth", None, gateway, "anna", "max"),
        ("user", "beth", None, gateway, "ben", "ada"),
        ("user", "beth", None, gateway, "cleo", "ada"),
        ("admin", "alice", None, alice, "ana", "ada"),
        ("root", None, "bob", cast.root_as("bob"), "ben", "max"),
    ):
        means = "ana" if contact == "anna" else contact
        named = through(contact_header(headers, contacts[contact]), agent)
        yield Caller(role, own, names, agent, means), named, False
