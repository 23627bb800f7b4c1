"""Pages about what is kept, below /a/<account>/."""

from __future__ import annotations

from django.urls import path

import accounts.principals.converters  # noqa: F401 - <id:…> in addresses
from memory.views import bulk, contacts, editing, imports, memories, policy, users

MEMORY = "memories/<uuid:memory_id>"
USER = "users/<id:user_id>"
CONTACT = "contacts/<uuid:contact_id>"
IMPORT = "imports/<uuid:import_id>"

urlpatterns = [
    path("memories", memories.memory_list, name="memory_list"),
    path("memories/new", editing.memory_new, name="memory_new"),
    path("memories/export", memories.memory_export, name="memory_export"),
    path("memories/bulk", bulk.memory_bulk, name="memory_bulk"),
    path(MEMORY, memories.memory_detail, name="memory_detail"),
    path(f"{MEMORY}/edit", editing.memory_edit, name="memory_edit"),
    path(f"{MEMORY}/history", memories.memory_history, name="memory_history"),
    path(f"{MEMORY}/restore", bulk.memory_restore, name="memory_restore"),
    path(f"{USER}/memory", users.user_memory, name="user_memory"),
    path(f"{USER}/memory/export", users.user_memory_export, name="user_memory_export"),
    path(f"{USER}/memory/delete", users.user_memory_delete, name="user_memory_delete"),
    path(f"{USER}/memory/restore", users.user_memory_restore, name="user_memory_restore"),
    path(f"{USER}/memory/wipe", users.user_memory_wipe, name="user_memory_wipe"),
    path(f"{USER}/extractions", users.user_extractions, name="user_extractions"),
    path("policy", policy.policy, name="policy"),
    path("policy/changes", policy.policy_changes, name="policy_changes"),
    path("policy/versions", policy.policy_versions, name="policy_versions"),
    path(f"{CONTACT}/consent", contacts.contact_consent, name="contact_consent"),
    path("imports", imports.import_list, name="import_list"),
    path("imports/new", imports.import_new, name="import_new"),
    path(IMPORT, imports.import_detail, name="import_detail"),
    path(f"{IMPORT}/apply", imports.import_apply, name="import_apply"),
    path(f"{IMPORT}/discard", imports.import_discard, name="import_discard"),
    path(f"{IMPORT}/rollback", imports.import_rollback, name="import_rollback"),
]
