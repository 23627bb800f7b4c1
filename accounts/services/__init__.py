"""Changing the public schema. Each function is one transaction with its event."""

from accounts.services.accounts import (
    account_migrated,
    delete_jobs,
    operator_event,
    policy_set,
    settings_change,
)
from accounts.services.people import (
    check_sign_in,
    password_ask,
    password_link_make,
    password_set,
    person_create,
    person_enroll,
    person_update,
    sign_in_event,
    sign_ins_end,
)

__all__ = [
    "account_migrated",
    "check_sign_in",
    "delete_jobs",
    "operator_event",
    "password_ask",
    "password_link_make",
    "password_set",
    "person_create",
    "person_enroll",
    "person_update",
    "policy_set",
    "settings_change",
    "sign_in_event",
    "sign_ins_end",
]
