"""Forms of the account's own pages. One module per noun."""

from accounts.principals.forms.accepting import NewPersonForm
from accounts.principals.forms.agents import AgentFilterForm, AgentNewForm, AgentRenameForm
from accounts.principals.forms.audit import AuditFilterForm
from accounts.principals.forms.contacts import (
    BindForm,
    ContactEditForm,
    ContactFilterForm,
    ContactNewForm,
    HandleForm,
    MergeSearchForm,
)
from accounts.principals.forms.keys import KeyFilterForm, KeyForm
from accounts.principals.forms.settings import SettingsForm
from accounts.principals.forms.users import (
    Confirmation,
    InviteForm,
    UserDeleteForm,
    UserEditForm,
    UserFilterForm,
    UserNewForm,
)
from accounts.principals.forms.viewing import ViewAsForm

__all__ = [
    "AgentFilterForm",
    "AgentNewForm",
    "AgentRenameForm",
    "AuditFilterForm",
    "BindForm",
    "Confirmation",
    "ContactEditForm",
    "ContactFilterForm",
    "ContactNewForm",
    "HandleForm",
    "InviteForm",
    "KeyFilterForm",
    "KeyForm",
    "MergeSearchForm",
    "NewPersonForm",
    "SettingsForm",
    "UserDeleteForm",
    "UserEditForm",
    "UserFilterForm",
    "UserNewForm",
    "ViewAsForm",
]
