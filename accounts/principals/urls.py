"""Pages about the account and about who acts in it, below /a/<account>/."""

from __future__ import annotations

from django.urls import path

import accounts.principals.converters  # noqa: F401 - <id:…> in addresses
from accounts.principals.views import (
    agents,
    audit,
    contacts,
    handles,
    keys,
    merging,
    settings,
    users,
    viewing,
)

CONTACT = "contacts/<uuid:contact_id>"
HANDLE = f"{CONTACT}/handles/<uuid:handle_id>"

urlpatterns = [
    path("users", users.user_list, name="user_list"),
    path("users/new", users.user_new, name="user_new"),
    path("users/<id:user_id>", users.user_detail, name="user_detail"),
    path("users/<id:user_id>/edit", users.user_edit, name="user_edit"),
    path("users/<id:user_id>/invite", users.user_invite, name="user_invite"),
    path("users/<id:user_id>/delete", users.user_delete, name="user_delete"),
    path("keys", keys.key_list, name="key_list"),
    path("keys/new", keys.key_new, name="key_new"),
    path("keys/replace", keys.key_replace, name="key_replace"),
    path("keys/<str:key_id>/revoke", keys.key_revoke, name="key_revoke"),
    path("invitations/<uuid:invitation>/renew", keys.invitation_renew, name="invitation_renew"),
    path("invitations/<uuid:invitation>/revoke", keys.invitation_revoke, name="invitation_revoke"),
    path("agents", agents.agent_list, name="agent_list"),
    path("agents/new", agents.agent_new, name="agent_new"),
    path("agents/<id:agent_id>", agents.agent_detail, name="agent_detail"),
    path("agents/<id:agent_id>/rename", agents.agent_rename, name="agent_rename"),
    path("agents/<id:agent_id>/delete", agents.agent_delete, name="agent_delete"),
    path("contacts", contacts.contact_list, name="contact_list"),
    path("contacts/new", contacts.contact_new, name="contact_new"),
    path(CONTACT, contacts.contact_detail, name="contact_detail"),
    path(f"{CONTACT}/edit", contacts.contact_edit, name="contact_edit"),
    path(f"{CONTACT}/delete", contacts.contact_delete, name="contact_delete"),
    path(f"{CONTACT}/merge", merging.contact_merge, name="contact_merge"),
    path(f"{CONTACT}/unmerge", merging.contact_unmerge, name="contact_unmerge"),
    path(f"{CONTACT}/handles/new", handles.handle_new, name="handle_new"),
    path(f"{HANDLE}/remove", handles.handle_remove, name="handle_remove"),
    path(f"{HANDLE}/bind", handles.handle_bind, name="handle_bind"),
    path(f"{HANDLE}/unbind", handles.handle_unbind, name="handle_unbind"),
    path("link", handles.link, name="link"),
    path("audit", audit.audit_log, name="audit_log"),
    path("audit.csv", audit.audit_csv, name="audit_csv"),
    path("audit/<uuid:event_id>", audit.audit_event, name="audit_event"),
    path("looked", audit.who_looked, name="who_looked"),
    path("settings", settings.account_settings, name="account_settings"),
    path("view", viewing.view_as, name="view_as"),
    path("view/leave", viewing.view_leave, name="view_leave"),
]
