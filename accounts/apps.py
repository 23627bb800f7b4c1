from __future__ import annotations

from django.apps import AppConfig
from django.db.models import CharField
from django.db.models.functions import Lower


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # `user_id__lower=…` compiles to what the unique indexes on lower(…) are made of; Django's
        # own `iexact` compares UPPER(…), which no index serves.
        CharField.register_lookup(Lower)
