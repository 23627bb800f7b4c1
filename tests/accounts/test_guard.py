"""What is made in one account acts in no other, nor in public: loudly, never silently.

Each act is tried at home first, so that its refusal elsewhere cannot have another reason.
"""

from __future__ import annotations

import copy
import pickle
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery

from accounts import tenancy
from accounts.errors import CrossAccountAccess, DomainError
from accounts.guard import AccountManager, AccountModel, AccountQuerySet
from accounts.principals.models import Agent, ApiKey, AuditEvent, User
from accounts.tenancy.template import account_labels
from sessions_app.models import Message, Session


@pytest.fixture(params=["the other account", "public"])
def elsewhere(request, cast):
    """A block in another account, or in none."""
    there = (
        tenancy.account(cast.south) if request.param == "the other account" else tenancy.public()
    )

    @contextmanager
    def block():
        with there, transaction.atomic():
            yield

    return block


@pytest.fixture
def home(cast):
    """Alice's account, with a session."""
    with tenancy.account(cast.north):
        bob = User.objects.get(user_id="bob")
        agent = Agent.objects.get(agent_id="default")
        Session.objects.create(
            session_id="s1",
            owner=bob,
            agent=agent,
            started_at=bob.created_at,
            last_activity_at=bob.created_at,
        )
        yield cast.north


def users():
    return User.objects.filter(user_id="bob")


READS = {
    "lazy queryset": list,
    "len": len,
    "bool": bool,
    "contains": lambda rows: None in rows,
    "repr": repr,
    "index": lambda rows: rows[0],
    "slice": lambda rows: list(rows[:1]),
    "first": lambda rows: rows.first(),
    "get": lambda rows: rows.get(),
    "earliest": lambda rows: rows.earliest("created_at"),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "aggregate": lambda rows: rows.aggregate(n=Count("id")),
    "annotated aggregate": lambda rows: rows.annotate(n=Count("keys")).aggregate(m=Count("n")),
    "in_bulk": lambda rows: rows.in_bulk(),
    "iterator": lambda rows: list(rows.iterator()),
    "values_list": lambda rows: list(rows.values_list("id", flat=True)),
    "values": lambda rows: list(rows.values()),
    "dates": lambda rows: list(rows.datetimes("created_at", "day")),
    "only": lambda rows: list(rows.only("user_id")),
    "filter more": lambda rows: list(rows.filter(is_active=True)),
    "exclude": lambda rows: list(rows.exclude(is_default=True)),
    "reverse": lambda rows: list(rows.order_by("id").reverse()),
    "prefetch": lambda rows: list(rows.prefetch_related("keys")),
    "lock": lambda rows: list(rows.select_for_update()),
    "union": lambda rows: list(rows.union(rows)),
    "distinct": lambda rows: rows.distinct().count(),
    "explain": lambda rows: rows.explain(),
    "copied": lambda rows: list(copy.deepcopy(rows)),
}
WRITES = {
    "update": lambda rows: rows.update(display_name="B"),
    "delete": lambda rows: rows.delete(),
    "create": lambda rows: rows.create(user_id="new"),
    "get_or_create": lambda rows: rows.get_or_create(user_id="new"),
    "update_or_create": lambda rows: rows.update_or_create(
        user_id="bob", defaults={"role": "user"}
    ),
    "bulk_create": lambda rows: rows.bulk_create([User(user_id="new")]),
    "bulk_update": lambda rows: rows.bulk_update([], ["role"]),
}


@pytest.mark.parametrize("act", [*READS, *WRITES])
def test_queryset(home, elsewhere, act):
    run = {**READS, **WRITES}[act]
    with transaction.atomic():
        if act == "delete":
            ApiKey.objects.all().delete()
            Session.objects.all().delete()
        run(users())
        transaction.set_rollback(True)
    rows = users()
    with elsewhere(), pytest.raises(CrossAccountAccess):
        run(rows)


@pytest.mark.parametrize("act", ["list", "len", "bool", "index", "count", "exists", "update"])
def test_cached_queryset(home, elsewhere, act):
    """Also rows that were read already: they are another account's all the same."""
    run = {**READS, **WRITES, "list": list}[act]
    rows = users()
    assert len(rows) == 1
    run(rows)
    with elsewhere(), pytest.raises(CrossAccountAccess):
        run(rows)


def test_pickled_queryset(home, elsewhere):
    kept = pickle.dumps(users())
    assert len(pickle.loads(kept)) == 1
    with elsewhere(), pytest.raises(CrossAccountAccess):
        list(pickle.loads(kept))


def test_queryset_made_in_public_works_nowhere(cast):
    rows = users()
    for ref in (cast.north, cast.south):
        with tenancy.account(ref), pytest.raises(CrossAccountAccess):
            list(rows)
    with pytest.raises(CrossAccountAccess):
        list(rows)


NESTED = {
    "in": lambda inner: User.objects.filter(pk__in=inner.values("pk")),
    "in, whole": lambda inner: User.objects.filter(pk__in=inner),
    "subquery": lambda inner: User.objects.annotate(x=Subquery(inner.values("pk")[:1])),
    "exists": lambda inner: User.objects.filter(Exists(inner.filter(pk=OuterRef("pk")))),
    "or": lambda inner: User.objects.filter(Q(is_default=True) | Q(pk__in=inner)),
    "union": lambda inner: User.objects.all().union(inner),
    "other model": lambda inner: Session.objects.filter(owner__in=inner),
}


@pytest.mark.parametrize("how", NESTED)
def test_subquery_nested_in_another_accounts_query(home, cast, how):
    list(NESTED[how](users()))
    inner = users()
    with tenancy.account(cast.south), pytest.raises(CrossAccountAccess):
        list(NESTED[how](inner))
    with tenancy.account(cast.south), pytest.raises(CrossAccountAccess):
        NESTED[how](inner).first()


def test_raw_is_refused_at_home_too(home):
    with pytest.raises(CrossAccountAccess):
        User.objects.raw("SELECT * FROM principals_user")
    with pytest.raises(CrossAccountAccess):
        users().raw("SELECT * FROM principals_user")


INSTANCE = {
    "save": lambda user: user.save(),
    "save some fields": lambda user: user.save(update_fields=["role"]),
    "save as new": lambda user: user.save(force_insert=True),
    "delete": lambda user: user.delete(),
    "refresh": lambda user: user.refresh_from_db(),
    "refresh one field": lambda user: user.refresh_from_db(fields=["role"]),
    "deferred field": lambda user: User.role.__get__(_deferred(user)),
    "reverse relation": lambda user: list(user.keys.all()),
    "reverse count": lambda user: user.keys.count(),
    "reverse create": lambda user: user.keys.create(name="2", secret_hash=b"", scopes=[]),
    "bulk_create": lambda user: User.objects.bulk_create([user], ignore_conflicts=True),
    "bulk_update": lambda user: User.objects.bulk_update([user], ["role"]),
}


def _deferred(user):
    del user.__dict__["role"]
    return user


@pytest.mark.parametrize("act", INSTANCE)
def test_instance(home, elsewhere, act):
    run = INSTANCE[act]
    with transaction.atomic():
        if act in {"delete", "save as new"}:
            Session.objects.all().delete()
            ApiKey.objects.filter(user__user_id="bob").delete()
            user = users().get()
            if act == "save as new":
                users().delete()
        else:
            user = users().get()
        run(user)
        transaction.set_rollback(True)
    user = users().get()
    with elsewhere(), pytest.raises(CrossAccountAccess):
        run(user)


def test_relation_of_a_foreign_instance(home, elsewhere):
    assert Session.objects.get(session_id="s1").owner.user_id == "bob"
    session = Session.objects.get(session_id="s1")
    with elsewhere(), pytest.raises(CrossAccountAccess):
        session.owner.user_id  # noqa: B018 - reading is the act


def test_reference_to_a_foreign_row_is_refused_by_the_database(home, cast):
    def session_of(owner, session_id):
        with transaction.atomic():
            Session.objects.create(
                session_id=session_id,
                owner=owner,
                agent=Agent.objects.get(agent_id="default"),
                started_at=owner.created_at,
                last_activity_at=owner.created_at,
            )
            connection.check_constraints()

    bob = users().get()
    session_of(bob, "s2")
    with tenancy.account(cast.south):
        with pytest.raises((CrossAccountAccess, IntegrityError)):
            session_of(bob, "s2")
        assert not Session.objects.filter(session_id="s2").exists()


def test_new_instance_is_saved_where_it_was_made(home, elsewhere):
    Agent(agent_id="ada").save()
    agent = Agent(agent_id="max")
    with elsewhere(), pytest.raises(CrossAccountAccess):
        agent.save()


def test_update_expressions_are_guarded(home, elsewhere):
    rows = users()
    with elsewhere(), pytest.raises(CrossAccountAccess):
        rows.update(display_name=F("user_id"))


def test_it_is_a_defect_of_ours_and_no_answer():
    """No surface may turn it into a polite refusal."""
    assert not issubclass(CrossAccountAccess, DomainError)


def test_every_table_of_an_account_is_guarded():
    models = [
        model for label in account_labels() for model in apps.get_app_config(label).get_models()
    ]
    assert {User, Agent, ApiKey, AuditEvent, Session, Message} <= set(models)
    for model in models:
        assert issubclass(model, AccountModel)
        assert type(model._default_manager) is AccountManager
        assert isinstance(model._base_manager, AccountManager)
        assert [manager.name for manager in model._meta.managers] == ["objects"]
        assert isinstance(model.objects.all(), AccountQuerySet)
