"""Pages about the account and about who acts in it, below /a/<account>/."""

from __future__ import annotations

from django.urls import path

from accounts.principals.views import agents, audit, keys, policy, settings, users, viewing

urlpatterns = [
    path("users", users.user_list, name="user_list"),
    path("keys", keys.key_list, name="key_list"),
    path("agents", agents.agent_list, name="agent_list"),
    path("policy", policy.policy, name="policy"),
    path("audit", audit.audit_log, name="audit_log"),
    path("looked", audit.who_looked, name="who_looked"),
    path("settings", settings.account_settings, name="account_settings"),
    path("view", viewing.view_as, name="view_as"),
    path("view/leave", viewing.view_leave, name="view_leave"),
]
