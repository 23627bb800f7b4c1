"""Forms of the account's own pages. One module per noun."""

from accounts.principals.forms.policy import SampleForm
from accounts.principals.forms.viewing import ViewAsForm

__all__ = ["SampleForm", "ViewAsForm"]
