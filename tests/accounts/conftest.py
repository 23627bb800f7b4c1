"""Accounts in real transactions, for what a rollback would hide."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from psycopg import sql

from accounts import tenancy
from accounts.models import Account, Person
from tests.cast import make_cast


def drop_schema(schema_name):
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema_name))
        )


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """A cast of its own, committed, and removed afterwards."""
    suffix = f"-{uuid4().hex[:8]}"
    with django_db_blocker.unblock():
        try:
            yield make_cast(suffix)
        finally:
            tenancy.leave()
            rows = Account.objects.filter(account_id__endswith=suffix)
            for account in rows:
                drop_schema(account.schema_name)
                tenancy.forget(account.account_id)
            rows.delete()
            Person.objects.filter(email__contains=suffix).delete()
            connection.close()
