"""The operator console, below /operator/. For anyone but operators nothing is there."""

from __future__ import annotations

from django.urls import path

import accounts.principals.converters  # noqa: F401 - <id:…>: an account may be called new
from accounts.principals.operator.views import accounts as account_views
from accounts.principals.operator.views import log, people

urlpatterns = [
    path("", account_views.console, name="operator"),
    path("accounts", account_views.account_list, name="operator_accounts"),
    path("accounts/new", account_views.account_new, name="operator_account_new"),
    path("accounts/<id:account>", account_views.account_detail, name="operator_account"),
    path("accounts/<id:account>/name", account_views.account_name, name="operator_account_name"),
    path("accounts/<id:account>/state", account_views.account_state, name="operator_account_state"),
    path(
        "accounts/<id:account>/delete", account_views.account_delete, name="operator_account_delete"
    ),
    path("people", people.person_list, name="operator_people"),
    path("people/<uuid:person>", people.person_detail, name="operator_person"),
    path("people/<uuid:person>/rights", people.person_rights, name="operator_person_rights"),
    path("people/<uuid:person>/link", people.person_link, name="operator_person_link"),
    path("log", log.log, name="operator_log"),
]
