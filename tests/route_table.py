"""Every route of the API and every page, with who may ask for it: read by tests of routes.

A route names a pattern; a pattern has a line for each account that the request names and a column
for each actor. `ok` stands for the route's own success (200 unless the route says otherwise).
"""

# ruff: noqa: E501 - one route or one pattern a line reads as a table

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ACTORS = (
    "root",  # the root key alone
    "root+",  # the root key naming the account north and its user bob
    "admin",  # alice, admin of north
    "admin+",  # alice acting for bob
    "user",  # bob
    "gateway",  # a key of a user of north with the scopes read, write, gateway
    "bound",  # a key of bob's that is bound to the agent ada
    "outsider",  # charlie, admin of south
    "revoked",  # a key of bob's that was revoked
    "expired",  # a key of bob's whose time is over
    "nobody",  # no key at all
    "garbage",  # something that is no key
)

# Where a route is about an account's data, the account is named by header; "-" sends no Account
# header beyond what the actor itself always sends. Admin routes name it in the path.
PATTERNS = """
                 names   root root+ admin admin+ user gateway bound outsider revoked expired nobody garbage

open             -       ok   ok    ok    ok     ok   ok      ok    ok       ok      ok      ok     ok

operator         -       ok   ok    403   403    403  403     403   403      401     401     401    401

one_account      north   ok   ok    403   403    403  403     403   403      401     401     401    401
one_account      south   ok   ok    403   403    403  403     403   403      401     401     401    401
one_account      absent  404  404   403   403    403  403     403   403      401     401     401    401

manager          north   ok   ok    ok    ok     403  403     403   403      401     401     401    401
manager          south   ok   ok    403   403    403  403     403   ok       401     401     401    401
manager          absent  404  404   403   403    403  403     403   403      401     401     401    401

data             -       400  ok    ok    ok     ok   ok      ok    ok       401     401     401    401
data             north   400  ok    ok    ok     ok   ok      ok    403      401     401     401    401
data             south   400  404   403   403    403  403     403   ok       401     401     401    401
data             absent  400  404   403   403    403  403     403   403      401     401     401    401

by_admin         -       400  ok    ok    ok     403  403     403   ok       401     401     401    401
by_admin         north   400  ok    ok    ok     403  403     403   403      401     401     401    401
by_admin         south   400  404   403   403    403  403     403   ok       401     401     401    401
by_admin         absent  400  404   403   403    403  403     403   403      401     401     401    401

agent_by_admin   -       400  ok    ok    ok     403  403     403   404      401     401     401    401
agent_by_admin   north   400  ok    ok    ok     403  403     403   403      401     401     401    401
agent_by_admin   south   400  404   403   403    403  403     403   404      401     401     401    401

session          -       400  ok    ok    ok     ok   ok      ok    404      401     401     401    401
session          north   400  ok    ok    ok     ok   ok      ok    403      401     401     401    401
session          south   400  404   403   403    403  403     403   404      401     401     401    401
session          absent  400  404   403   403    403  403     403   403      401     401     401    401

first_message    -       400  ok    ok    ok     ok   ok      ok    ok       401     401     401    401
first_message    north   400  ok    ok    ok     ok   ok      ok    403      401     401     401    401
first_message    south   400  404   403   403    403  403     403   ok       401     401     401    401
first_message    absent  400  404   403   403    403  403     403   403      401     401     401    401

session_by_admin -       400  ok    ok    ok     403  403     403   404      401     401     401    401
session_by_admin north   400  ok    ok    ok     403  403     403   403      401     401     401    401
session_by_admin south   400  404   403   403    403  403     403   404      401     401     401    401

task             -       400  ok    404   ok     ok   404     ok    404      401     401     401    401
task             north   400  ok    404   ok     ok   404     ok    403      401     401     401    401
task             south   400  404   403   403    403  403     403   404      401     401     401    401

making           -       400  ok    ok    ok     ok   ok      ok    ok       401     401     401    401
making           north   400  ok    ok    ok     ok   ok      ok    403      401     401     401    401
making           south   400  404   403   403    403  403     403   ok       401     401     401    401

coding           -       400  ok    ok    ok     ok   ok      403   ok       401     401     401    401
coding           north   400  ok    ok    ok     ok   ok      403   403      401     401     401    401
coding           south   400  404   403   403    403  403     403   ok       401     401     401    401
coding           absent  400  404   403   403    403  403     403   403      401     401     401    401

resolving        -       400  ok    ok    ok     ok   ok      ok    ok       401     401     401    401
resolving        north   400  ok    ok    ok     ok   ok      ok    403      401     401     401    401
resolving        south   400  404   403   403    403  403     403   ok       401     401     401    401

contact          -       400  ok    ok    ok     ok   404     ok    404      401     401     401    401
contact          north   400  ok    ok    ok     ok   404     ok    403      401     401     401    401
contact          south   400  404   403   403    403  403     403   404      401     401     401    401

contact_write    -       400  ok    ok    ok     ok   404     ok    404      401     401     401    401
contact_write    north   400  ok    ok    ok     ok   404     ok    403      401     401     401    401
contact_write    south   400  404   403   403    403  403     403   404      401     401     401    401

merging          -       400  ok    ok    ok     403  403     403   404      401     401     401    401
merging          north   400  ok    ok    ok     403  403     403   403      401     401     401    401
merging          south   400  404   403   403    403  403     403   404      401     401     401    401

binding          -       400  ok    ok    ok     403  403     403   404      401     401     401    401
binding          north   400  ok    ok    ok     403  403     403   403      401     401     401    401
binding          south   400  404   403   403    403  403     403   404      401     401     401    401

inbound          -       400  ok    403   403    403  ok      403   403      401     401     401    401
inbound          north   400  ok    403   403    403  ok      403   403      401     401     401    401
inbound          south   400  404   403   403    403  403     403   403      401     401     401    401
inbound          absent  400  404   403   403    403  403     403   403      401     401     401    401

memory           -       400  ok    ok    ok     ok   404     ok    404      401     401     401    401
memory           north   400  ok    ok    ok     ok   404     ok    403      401     401     401    401
memory           south   400  404   403   403    403  403     403   404      401     401     401    401
memory           absent  400  404   403   403    403  403     403   403      401     401     401    401

keeping          -       400  403   ok    403    403  403     403   404      401     401     401    401
keeping          north   400  403   ok    403    403  403     403   403      401     401     401    401
keeping          south   400  404   403   403    403  403     403   404      401     401     401    401
keeping          absent  400  404   403   403    403  403     403   403      401     401     401    401

controlled       -       400  ok    ok    ok     ok   403     ok    404      401     401     401    401
controlled       north   400  ok    ok    ok     ok   403     ok    403      401     401     401    401
controlled       south   400  404   403   403    403  403     403   404      401     401     401    401
controlled       absent  400  404   403   403    403  403     403   403      401     401     401    401

topic            -       400  ok    ok    ok     ok   403     ok    404      401     401     401    401
topic            north   400  ok    ok    ok     ok   403     ok    403      401     401     401    401
topic            south   400  404   403   403    403  403     403   404      401     401     401    401
topic            absent  400  404   403   403    403  403     403   403      401     401     401    401
"""

# method, path, pattern, success
API = """
GET    /system/status                                      open              200
POST   /system/wait                                        open              501
GET    /whoami                                             data              200

GET    /admin/accounts                                     operator          200
POST   /admin/accounts                                     operator          200
GET    /admin/accounts/{account_id}                        one_account       200
PATCH  /admin/accounts/{account_id}                        one_account       200
DELETE /admin/accounts/{account_id}                        one_account       200

GET    /admin/accounts/{account_id}/users                  manager           200
POST   /admin/accounts/{account_id}/users                  manager           200
GET    /admin/accounts/{account_id}/users/{user_id}        manager           200
DELETE /admin/accounts/{account_id}/users/{user_id}        manager           200
PUT    /admin/accounts/{account_id}/users/{user_id}/role   manager           200
POST   /admin/accounts/{account_id}/users/{user_id}/key    manager           200
GET    /admin/accounts/{account_id}/keys                   manager           200
POST   /admin/accounts/{account_id}/keys                   manager           200
DELETE /admin/accounts/{account_id}/keys/{key_id}          manager           200
GET    /admin/accounts/{account_id}/policy                 manager           200
PUT    /admin/accounts/{account_id}/policy                 manager           200
POST   /admin/accounts/{account_id}/policy/preview         manager           200
POST   /admin/accounts/{account_id}/policy/revert          manager           200
GET    /admin/accounts/{account_id}/settings               manager           200
PATCH  /admin/accounts/{account_id}/settings               manager           200

GET    /agents                                             data              200
POST   /agents                                             by_admin          200
GET    /agents/{agent_id}                                  session           200
PATCH  /agents/{agent_id}                                  agent_by_admin    200
DELETE /agents/{agent_id}                                  agent_by_admin    200

GET    /sessions                                           data              200
POST   /sessions                                           data              200
POST   /sessions/start                                     data              200
GET    /sessions/{session_id}                              session           200
PATCH  /sessions/{session_id}                              session           200
DELETE /sessions/{session_id}                              session_by_admin  200
GET    /sessions/{session_id}/messages                     session           200
POST   /sessions/{session_id}/messages                     first_message     200
POST   /sessions/{session_id}/messages/batch               first_message     200
GET    /sessions/{session_id}/context                      session           200
POST   /sessions/{session_id}/used                         session           200
POST   /sessions/{session_id}/commit                       session           200
POST   /sessions/{session_id}/extract                      session           501
GET    /sessions/{session_id}/archives/{archive_id}        session           200
POST   /sessions/{session_id}/archives/{archive_id}/retry  session           200
POST   /sessions/{session_id}/archives/{archive_id}/skip   session           200

GET    /tasks                                              data              200
GET    /tasks/{task_id}                                    task              200
POST   /tasks/{task_id}/cancel                             task              200

GET    /contacts                                           data              200
POST   /contacts                                           making            200
POST   /contacts/resolve                                   resolving         200
GET    /contacts/{contact_id}                              contact           200
PATCH  /contacts/{contact_id}                              contact_write     200
DELETE /contacts/{contact_id}                              contact_write     200
POST   /contacts/{contact_id}/merge                        merging           200
POST   /contacts/{contact_id}/unmerge                      merging           200
POST   /contacts/{contact_id}/handles                      contact_write     200
DELETE /contacts/{contact_id}/handles/{handle_id}          contact_write     200
POST   /contacts/{contact_id}/handles/{handle_id}/bind     binding           200
POST   /contacts/{contact_id}/handles/{handle_id}/unbind   binding           200
POST   /handles/code                                       coding            200
GET    /contacts/{contact_id}/consent                      contact           200
PUT    /contacts/{contact_id}/consent                      keeping           200

GET    /memories                                           data              200
POST   /memories                                           data              200
GET    /memories/facets                                    data              200
GET    /memories/{memory_id}                               memory            200
PATCH  /memories/{memory_id}                               memory            200
DELETE /memories/{memory_id}                               memory            200
POST   /memories/{memory_id}/restore                       memory            200
POST   /memories/{memory_id}/quarantine                    keeping           200
POST   /memories/{memory_id}/release                       keeping           200
GET    /memories/{memory_id}/history                       memory            200
GET    /memories/{memory_id}/evidence                      memory            200
GET    /memories/{memory_id}/why                           memory            200
GET    /uris/resolve                                       data              200

GET    /users                                              data              200
GET    /users/{user_id}/memory                             controlled        200
DELETE /users/{user_id}/memory                             controlled        200
GET    /users/{user_id}/memory/topics/{topic}              topic             200
DELETE /users/{user_id}/memory/topics/{topic}              topic             200
GET    /users/{user_id}/memory/audit                       controlled        200
GET    /users/{user_id}/memory/export                      controlled        200
GET    /users/{user_id}/agents/{agent_id}/memory           controlled        200
DELETE /users/{user_id}/agents/{agent_id}/memory           controlled        200
GET    /users/{user_id}/agents/{agent_id}/memory/topics/{topic}  topic       200
DELETE /users/{user_id}/agents/{agent_id}/memory/topics/{topic}  topic       200

POST   /inbound                                            inbound           200
"""

# Callers of a session that is with the contact A, whose owner is bob, of a memory that was kept with
# A, or of A itself; B is another contact of bob's.
CALLERS = (
    "A",  # a gateway key naming A
    "B",  # a gateway key naming B
    "new",  # bob naming a peer that never wrote
    "owner",  # bob
    "bound",  # a key of bob's that is bound to an agent
    "user",  # beth
    "user/A",  # beth naming A: for that she would need a gateway key
    "gateway",  # the gateway key, naming nobody
    "admin",  # alice
    "admin/A",  # alice naming A
    "admin/B",  # alice naming B
    "admin+",  # alice acting for beth
    "root+",  # root acting for bob
    "root+/B",  # root acting for bob, naming B
    "A+beth",  # a gateway key naming A and, beside it, beth
    "kin",  # naming the group that A speaks in; where A is a group, somebody who spoke in it
)
CONTACT_PATTERNS = """
                 A    B    new  owner bound user user/A gateway admin admin/A admin/B admin+ root+ root+/B A+beth kin

data             ok   ok   ok   ok    ok    ok   403    ok      ok    ok      ok      ok     ok    ok      404    ok
session          ok   404  404  ok    ok    404  403    404     ok    ok      404     404    ok    404     404    404
first_message    ok   404  404  ok    ok    404  403    404     ok    ok      404     404    ok    404     404    404
session_by_admin 403  404  404  403   403   404  403    404     ok    ok      404     404    ok    404     404    404
task             ok   404  404  ok    ok    404  403    404     404   ok      404     404    ok    404     404    404
making           403  403  403  ok    ok    ok   403    ok      ok    403     403     ok     ok    403     404    403
coding           403  403  403  ok   403  ok   403  ok   ok   403  403  ok   ok   403  404  403
resolving        409  409  409  ok    ok    ok   403    ok      ok    409     409     ok     ok    409     404    409
contact          ok   404  404  ok    ok    404  403    404     ok    ok      404     404    ok    404     404    404
contact_write    403  404  404  ok    ok    404  403    404     ok    403     404     404    ok    404     404    404
merging          403  403  403  403   403   403  403    403     ok    404     404     404    ok    404     404    403
binding          403  403  403  403   403   403  403    403     ok    ok      404     404    ok    404     404    403
inbound          409  409  403  403   403   403  403    ok      403   403     403     403    ok    409     404    409
memory           ok   404  404  ok    ok    404  403    404     ok    ok      404     404    ok    404     404    404
keeping          403  403  403  403   403   403  403    403     ok    403     403     403    403   403     404    403
controlled       403  403  ok   ok    ok    403  403    403     ok    ok      ok      ok     ok    ok      404    403
topic            403  403  404  ok    ok    403  403    403     ok    ok      404     ok     ok    404     404    403
"""

_ADMIN = "/admin/accounts/{account_id}"
_SESSION = "/sessions/{session_id}"
_CONTACT = "/contacts/{contact_id}"
_SAID = {"role": "user", "content": "Hello"}
BODIES: dict[str, dict[str, Any]] = {
    "POST /admin/accounts": {"account_id": "acme", "admin_user_id": "anna"},
    f"PATCH {_ADMIN}": {"name": "Another name"},
    f"POST {_ADMIN}/users": {"user_id": "carol"},
    f"PUT {_ADMIN}/users/{{user_id}}/role": {"role": "admin"},
    f"POST {_ADMIN}/keys": {"user_id": "{user_id}", "name": "third"},
    f"PUT {_ADMIN}/policy": {"sessions_visible_to": "participants", "reason": "Fewer readers"},
    f"POST {_ADMIN}/policy/preview": {"isolate_user_scope_by_agent": True},
    f"POST {_ADMIN}/policy/revert": {"reason": "Too few readers"},
    f"PATCH {_ADMIN}/settings": {"language": "english"},
    "POST /agents": {"agent_id": "quinn"},
    "PATCH /agents/{agent_id}": {"display_name": "Quinn"},
    "POST /sessions": {"session_id": "fresh"},
    "POST /sessions/start": {"thread_key": "t1"},
    f"PATCH {_SESSION}": {"title": "Another title"},
    f"POST {_SESSION}/messages": _SAID,
    f"POST {_SESSION}/messages/batch": {"messages": [_SAID, _SAID]},
    f"POST {_SESSION}/used": {"contexts": ["viking://user/bob"]},
    f"POST {_SESSION}/commit": {},
    "POST /contacts": {"display_name": "Dana"},
    "POST /contacts/resolve": {"platform": "web", "platform_id": "9", "auto_create": True},
    f"PATCH {_CONTACT}": {"notes": "Prefers e-mail"},
    f"POST {_CONTACT}/merge": {"into": "{into}"},
    f"POST {_CONTACT}/handles": {"platform": "web", "platform_id": "8"},
    f"POST {_CONTACT}/handles/{{handle_id}}/bind": {"user_id": "bob"},
    "POST /inbound": {
        "platform": "telegram",
        "sender": {"id": "77", "name": "Dana"},
        "agent_id": "quinn",
        "text": "Hello",
        "external_id": "1",
    },
    f"PUT {_CONTACT}/consent": {"state": "granted", "channel": "telegram"},
    "POST /memories": {"content": "Prefers an aisle seat."},
    "PATCH /memories/{memory_id}": {"content": "Prefers a window seat."},
}
# What stands behind the question mark, where a route cannot do without it.
QUERIES = {"GET /uris/resolve": {"uri": "viking://user/memories"}}
# What a contact of the account may ask about: sessions, memories, and contacts.
CONTACT_ROUTES = (
    *("/sessions", "/tasks", "/contacts", "/handles", "/inbound"),
    *("/memories", "/uris", "/users"),
)


def body_of(route: str, places: dict[str, str]) -> dict[str, Any] | None:
    """What the route is sent, if anything, about what stands in its path."""
    body = BODIES.get(route)
    if body is None:
        return None
    stands_for = {f"{{{name}}}": value for name, value in places.items()}
    return {
        name: stands_for.get(value, value) if isinstance(value, str) else value
        for name, value in body.items()
    }


@dataclass(frozen=True)
class Cell:
    """One route, one actor, one account named; and the status to expect."""

    method: str
    path: str
    names: str
    actor: str
    status: int

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"

    def __str__(self) -> str:
        return f"{self.route} [{self.names}] {self.actor}"


def lines_of(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines() if line.strip()]


def routes() -> list[tuple[str, str, str, str]]:
    """(method, path, pattern, success) of every operation."""
    return [(method, path, pattern, ok) for method, path, pattern, ok in lines_of(API)]


def api_cells() -> list[Cell]:
    header, *lines = lines_of(PATTERNS)
    assert tuple(header) == ("names", *ACTORS)
    assert {pattern for *_, pattern, _ in routes()} == {line[0] for line in lines}
    return [
        Cell(method, path, names, actor, int(ok if status == "ok" else status))
        for method, path, wanted, ok in routes()
        for pattern, names, *statuses in lines
        if pattern == wanted
        for actor, status in zip(ACTORS, statuses, strict=True)
    ]


def contact_cells() -> list[Cell]:
    header, *lines = lines_of(CONTACT_PATTERNS)
    assert tuple(header) == CALLERS
    return [
        Cell(method, path, "contact", caller, int(ok if status == "ok" else status))
        for method, path, wanted, ok in routes()
        if path.startswith(CONTACT_ROUTES)
        for pattern, *statuses in lines
        if pattern == wanted
        for caller, status in zip(CALLERS, statuses, strict=True)
    ]
