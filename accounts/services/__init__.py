"""Changing the public schema. Each function is one transaction with its event."""

from accounts.services.accounts import (
    POLICY_FIELDS,
    account_migrated,
    delete_jobs,
    operator_event,
    policy_before,
    policy_lock,
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
    "POLICY_FIELDS",
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
    "policy_before",
    "policy_lock",
    "policy_set",
    "settings_change",
    "sign_in_event",
    "sign_ins_end",
]
