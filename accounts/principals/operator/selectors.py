"""What operators see: accounts by their counts and sizes, persons, their own log. No words of any
account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db.models import Count, Exists, Max, OuterRef, Q

from accounts import tenancy
from accounts.errors import NotFound
from accounts.models import Account, Invitation, Membership, OperatorEvent, Person
from accounts.principals.models import ApiKey
from accounts.principals.operator.words import did
from accounts.principals.selectors.pages import Page, newest_first
from accounts.tenancy import AccountRef
from accounts.tenancy.placement import Placement, placements
from accounts.tenancy.template import heads_text

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

# What is counted in an account: words, then the table's app and model.
TABLES = (
    ("Agents", "principals", "Agent"),
    ("Contacts", "principals", "Contact"),
    ("Sessions", "agent_sessions", "Session"),
    ("Messages", "agent_sessions", "Message"),
)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account in the list. `bytes` are those of its tables and indexes."""

    account_id: str
    name: str
    state: str
    user_count: int
    bytes: int
    at_head: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account.

    Attributes:
        estimates: words and about how many, from the server's statistics.
        jobs: of the queue, by status: todo, doing, failed.
        key_used_at: when a key of it was last used; None: never, or it cannot be asked.
    """

    line: AccountLine
    ref: AccountRef
    schema_is_there: bool
    policy: str
    sign_ins: int
    invitations: int
    estimates: list[tuple[str, int]]
    jobs: dict[str, int]
    key_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person who signs in."""

    id: UUID
    email: str
    name: str
    accounts: int
    is_operator: bool
    is_active: bool
    has_code: bool
    last_login: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event. `who` is None for the root key and the command line; names are None when gone."""

    created_at: datetime
    action: str
    did: str
    who: str | None
    who_id: UUID | None
    account: str | None
    account_key: UUID | None
    person: str | None
    person_key: UUID | None
    request_id: str


def account_list(
    *, q: str, state: str, limit: int, older: str | None, newer: str | None
) -> Page[AccountLine]:
    """Accounts, newest first. Three statements.

    Args:
        q: part of the id or of the name. state: active, suspended, deleting, or `behind`.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    rows = Account.objects.filter(ready=True)
    if q:
        rows = rows.filter(Q(account_id__icontains=q) | Q(name__icontains=q))
    if state == "behind":
        rows = rows.exclude(migrated_to=heads_text())
    elif state:
        rows = rows.filter(state=state)
    page = newest_first(rows, limit=limit, older=older, newer=newer)
    found = placements([row.schema_name for row in page.rows])
    lines = [_account_line(row, found[row.schema_name]) for row in page.rows]
    return Page(lines, page.total, page.older, page.newer)


def account_facts(*, account: AccountRef) -> AccountFacts:
    """One account. Seven statements, none of which reads its words.

    Raises:
        NotFound: it is gone.
    """
    row = Account.objects.select_related("policy").filter(pk=account.id).first()
    if row is None:
        raise NotFound("account", account.account_id)
    placed = placements([row.schema_name])[row.schema_name]
    jobs = tenancy.fetch_rows(
        "SELECT status::text AS status, count(*) AS count FROM procrastinate_jobs"
        " WHERE args ->> 'account' = %s AND status IN ('todo', 'doing', 'failed') GROUP BY status",
        [str(row.id)],
    )
    flags = (row.policy.isolate_user_scope_by_agent, row.policy.isolate_agent_scope_by_user)
    waiting = Invitation.objects.filter(account=row, accepted_at=None, revoked_at=None)
    return AccountFacts(
        line=_account_line(row, placed),
        ref=account,
        schema_is_there=placed.is_there,
        policy="".join("t" if flag else "f" for flag in flags),
        sign_ins=Membership.objects.filter(account=row).count(),
        invitations=waiting.count(),
        estimates=[(words, placed.rows.get(_table(app, model), 0)) for words, app, model in TABLES],
        jobs={job["status"]: job["count"] for job in jobs},
        key_used_at=_key_used_at(account) if placed.is_there else None,
    )


def person_list(
    *, q: str, who: str, limit: int, older: str | None, newer: str | None
) -> Page[PersonLine]:
    """Persons, newest first. Two statements.

    Args:
        q: part of the e-mail or the name. who: operators, closed, or empty for all.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    rows = Person.objects.all()
    if q:
        rows = rows.filter(Q(email__icontains=q) | Q(name__icontains=q))
    if who == "operators":
        rows = rows.filter(is_operator=True)
    if who == "closed":
        rows = rows.filter(is_active=False)
    page = newest_first(_counted(rows), limit=limit, older=older, newer=newer)
    return Page([_person_line(row) for row in page.rows], page.total, page.older, page.newer)


def person_line(*, key: UUID) -> PersonLine:
    """One person. Raises NotFound."""
    row = _counted(Person.objects.filter(pk=key)).first()
    if row is None:
        raise NotFound("person", str(key))
    return _person_line(row)


def log_page(*, limit: int, older: str | None, newer: str | None) -> Page[LogLine]:
    """What operators did, newest first. Four statements.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    page = newest_first(OperatorEvent.objects.all(), limit=limit, older=older, newer=newer)
    accounts = dict(
        Account.objects.filter(pk__in=_some(row.account for row in page.rows)).values_list(
            "pk", "account_id"
        )
    )
    persons = _some(row.person for row in page.rows) | _some(_subject(row) for row in page.rows)
    emails = dict(Person.objects.filter(pk__in=persons).values_list("pk", "email"))
    lines = [_log_line(row, accounts, emails) for row in page.rows]
    return Page(lines, page.total, page.older, page.newer)


def _account_line(row: Account, placed: Placement) -> AccountLine:
    return AccountLine(
        account_id=row.account_id,
        name=row.name,
        state=row.state,
        user_count=row.user_count,
        bytes=placed.bytes,
        at_head=row.migrated_to == heads_text(),
        created_at=row.created_at,
    )


def _table(app: str, model: str) -> str:
    # By label: sessions stand above principals, and only the table's name is needed.
    name: str = apps.get_model(app, model)._meta.db_table  # noqa: SLF001 - Django's documented name
    return name


def _key_used_at(account: AccountRef) -> datetime | None:
    with tenancy.account(account):
        used: datetime | None = ApiKey.objects.aggregate(at=Max("last_used_at"))["at"]
    return used


def _counted(rows: QuerySet[Person]) -> QuerySet[Any]:
    codes = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
    return rows.annotate(accounts=Count("memberships"), has_code=Exists(codes))


def _person_line(row: Any) -> PersonLine:
    return PersonLine(
        id=row.pk,
        email=row.email,
        name=row.name,
        accounts=row.accounts,
        is_operator=row.is_operator,
        is_active=row.is_active,
        has_code=row.has_code,
        last_login=row.last_login,
        created_at=row.created_at,
    )


def _subject(row: OperatorEvent) -> UUID | None:
    """The person that an event is about."""
    value = row.data.get("enrolled") or row.data.get("subject")
    return UUID(value) if value else None


def _some(keys: Any) -> set[UUID]:
    return {key for key in keys if key}


def _log_line(row: OperatorEvent, accounts: dict[UUID, str], emails: dict[UUID, str]) -> LogLine:
    subject = _subject(row)
    return LogLine(
        created_at=row.created_at,
        action=row.action,
        did=did(row.action, row.data),
        who=emails.get(row.person) if row.person else None,
        who_id=row.person,
        account=accounts.get(row.account) if row.account else None,
        account_key=row.account,
        person=emails.get(subject) if subject else None,
        person_key=subject,
        request_id=row.request_id,
    )
