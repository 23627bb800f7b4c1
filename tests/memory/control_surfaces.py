"""What the control API has to answer, by isolation.md: a USER on itself, an ADMIN on any user."""

from __future__ import annotations

import json

from tests.memory.oracle import Kept
from tests.memory.surfaces import KEPTS, SUBJECTS, expects


def controls(visit, subject):
    """A USER only on itself, an ADMIN on any user: by the real role. ROOT is whom it names."""
    own = visit.caller.effective if visit.caller.role == "root" else visit.caller.own
    return visit.caller.role == "admin" or subject == own


def controlled(visit, subject):
    """A subject's user-scope memories, of the contact that is named, of the agents of the key."""
    return {
        n
        for n, kept in enumerate(KEPTS)
        if (kept.scope, kept.user) == ("user", subject)
        and kept.state != "deleted"
        and visit.caller.contact in (None, kept.stamp)
        and not (visit.bound and visit.house.policy[0] == "t" and kept.agent != visit.caller.agent)
    }


def by_subject(visit):
    found = [
        (f"/users/{subject}", subject, controls(visit, subject), controlled(visit, subject))
        for subject in SUBJECTS
    ]
    return visit.some(found, lambda one: (one[2], bool(one[3])))


def by_agent(visit):
    found = []
    for base, _, may, there in by_subject(visit):
        for agent in ("ada", "max"):
            allowed = may and not (visit.bound and agent != visit.caller.agent)
            rows = {n for n in there if KEPTS[n].agent == agent}
            found.append((f"{base}/agents/{agent}", allowed, rows))
    return visit.some(found, lambda one: (one[1], bool(one[2])))


def check_list(visit, path, may, there):
    answer = visit.get(f"{path}/memory", limit=200)
    visit.check(path, answer.status, 200 if may else 403)
    if may:
        visit.check(f"{path} shows", visit.numbers(answer.result), there)


def check_topics(visit, method, path, may, there):
    def status(n):
        return (200 if n in there else 404) if may else 403

    for n in visit.some(range(len(KEPTS)), status):
        visit.status(method, f"{path}/memory/topics/t{n}", status(n))


def check_wipe(visit, path, may, there):
    wiped = visit.status("DELETE", f"{path}/memory", 200 if may else 403)
    if may:
        numbers = wiped.result["topics_deleted"], wiped.result["agent_topics_deleted"]
        visit.check(f"{path} wiped", numbers, (0, len(there)))


CONTROL = "/users/{user_id}/memory"
OF_AGENT = "/users/{user_id}/agents/{agent_id}/memory"


@expects(f"GET {CONTROL}")
def control_list(visit):
    for path, _, may, there in by_subject(visit):
        check_list(visit, path, may, there)


@expects(f"GET {OF_AGENT}")
def control_agent_list(visit):
    for path, may, there in by_agent(visit):
        check_list(visit, path, may, there)


@expects(f"GET {CONTROL}/topics/{{topic}}")
def control_topic(visit):
    for path, _, may, there in by_subject(visit):
        check_topics(visit, "GET", path, may, there)


@expects(f"GET {OF_AGENT}/topics/{{topic}}")
def control_agent_topic(visit):
    for path, may, there in by_agent(visit):
        check_topics(visit, "GET", path, may, there)


@expects(f"DELETE {CONTROL}/topics/{{topic}}")
def control_topic_wipe(visit):
    for path, _, may, there in by_subject(visit):
        check_topics(visit, "DELETE", path, may, there)


@expects(f"DELETE {OF_AGENT}/topics/{{topic}}")
def control_agent_topic_wipe(visit):
    for path, may, there in by_agent(visit):
        check_topics(visit, "DELETE", path, may, there)


@expects(f"DELETE {CONTROL}")
def control_wipe(visit):
    for path, _, may, there in by_subject(visit):
        check_wipe(visit, path, may, there)


@expects(f"DELETE {OF_AGENT}")
def control_agent_wipe(visit):
    for path, may, there in by_agent(visit):
        check_wipe(visit, path, may, there)


@expects(f"GET {CONTROL}/export")
def control_export(visit):
    for path, _, may, there in by_subject(visit):
        response = visit.api.client.get(f"/api/v1{path}/memory/export", headers=visit.headers)
        visit.check(f"{path} export", response.status_code, 200 if may else 403)
        if may:
            rows = json.loads(b"".join(response.streaming_content))["memories"]
            visit.check(f"{path} exports", visit.numbers(rows), there)


@expects(f"GET {CONTROL}/audit")
def control_audit(visit):
    for path, subject, may, _ in by_subject(visit):
        answer = visit.get(f"{path}/memory/audit")
        visit.check(f"{path} audit", answer.status, 200 if may else 403)
        if may:
            runs = {kept for kept in RUNS if kept.user == subject}
            runs = {kept for kept in runs if visit.caller.contact in (None, kept.stamp)}
            if visit.bound and visit.house.policy[0] == "t":
                runs = {kept for kept in runs if kept.agent == visit.caller.agent}
            visit.check(f"{path} runs", len(answer.result), len(runs))


RUNS = [Kept("user", "bob", "ada"), Kept("user", "bob", "max"), Kept("user", "bob", "ada", "ana")]
