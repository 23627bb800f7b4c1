"""Base model and queryset of account tables: what is made in one account stays there.

Two leaks were reproduced without this: a queryset built in one account and evaluated in another
reads the other's rows, and an instance loaded in one and saved in another overwrites a row there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models.functions import Now
from django.db.models.sql import Query
from uuid_utils.compat import uuid7

from accounts.errors import CrossAccountAccess
from accounts.tenancy import PUBLIC, current_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

M = TypeVar("M", bound="AccountModel", covariant=True)


def _require(made_in: str, what: str) -> None:
    here = current_schema()
    if here == PUBLIC or here != made_in:
        raise CrossAccountAccess(f"{what} was made in schema {made_in} and used in {here}.")


def _require_instance(hints: Any) -> None:
    instance = hints.get("instance") if hints else None
    if isinstance(instance, AccountModel):
        instance.require_account()


class AccountQuery(Query):
    """Carries the schema in which it was built, also when it is nested in another query."""

    made_in: str = PUBLIC

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made_in = current_schema()

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        _require(self.made_in, f"A query on {self.model}")
        return super().get_compiler(*args, **kwargs)


class AccountQuerySet(models.QuerySet[M]):
    """Every way to reach the database first compares the account with the one it was built in.

    Reading goes through AccountQuery.get_compiler. Writing statements are compiled by other query
    classes, so the methods that begin them are guarded here.
    """

    def __init__(
        self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None
    ) -> None:
        super().__init__(model, query or AccountQuery(model), using, hints)
        _require_instance(hints)

    def _add_hints(self, **hints: Any) -> None:
        # From an instance to its related rows: the instance's account must be this one.
        _require_instance(hints)
        super()._add_hints(**hints)  # type: ignore[misc]

    def _guard(self) -> None:
        made_in = getattr(self.query, "made_in", PUBLIC)
        _require(made_in, f"A queryset of {self.model.__name__}")

    def _fetch_all(self) -> None:
        # Also when the rows are cached: they are another account's all the same.
        self._guard()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[M]:
        for row in super().iterator(*args, **kwargs):
            self._guard()  # the account may have changed since the last row
            yield row

    def __getitem__(self, key: Any) -> Any:
        self._guard()
        return super().__getitem__(key)

    def count(self) -> int:
        self._guard()
        return super().count()

    def exists(self) -> bool:
        self._guard()
        return super().exists()

    def contains(self, obj: Any) -> bool:
        self._guard()
        return super().contains(obj)

    def create(self, **kwargs: Any) -> M:
        self._guard()
        return super().create(**kwargs)

    def update(self, **kwargs: Any) -> int:
        self._guard()
        return super().update(**kwargs)

    def _update(self, values: Any) -> int:
        self._guard()
        return super()._update(values)  # type: ignore[misc, no-any-return]

    def delete(self) -> tuple[int, dict[str, int]]:
        self._guard()
        return super().delete()

    def _raw_delete(self, using: Any) -> int:
        self._guard()
        return super()._raw_delete(using)

    def _insert(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        self._guard()
        for instance in objs:
            instance.require_account()
        return super()._insert(objs, *args, **kwargs)  # type: ignore[misc]

    def bulk_update(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> int:
        self._guard()
        rows = tuple(objs)
        for instance in rows:
            instance.require_account()
        return super().bulk_update(rows, *args, **kwargs)

    def raw(self, *_args: Any, **_kwargs: Any) -> Any:
        raise CrossAccountAccess("Raw querysets carry no account; use tenancy.fetch_rows.")


class AccountManager(models.Manager[M]):
    """The only manager of account tables."""

    def get_queryset(self) -> AccountQuerySet[M]:
        return AccountQuerySet(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        return self.get_queryset().raw(*args, **kwargs)


class Row(models.Model):
    """A UUIDv7 key and the time at which the row was made: on every table of ours."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True


class AccountModel(Row):
    """A row of an account's schema. It remembers the account and refuses to act in another."""

    objects: ClassVar[AccountManager[Self]] = AccountManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._made_in = current_schema()
        super().__init__(*args, **kwargs)

    def require_account(self) -> None:
        """Raise CrossAccountAccess when the current account is not the one it was made in."""
        _require(self._made_in, f"A row of {type(self).__name__}")

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        self.require_account()
        super().save_base(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.require_account()
        return super().delete(*args, **kwargs)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.require_account()
        super().refresh_from_db(*args, **kwargs)
