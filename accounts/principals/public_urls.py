"""Pages outside accounts that need to know what is inside them."""

from __future__ import annotations

from django.urls import path

from accounts.principals.views import entering

urlpatterns = [
    path("invitation/<str:token>", entering.invitation, name="invitation"),
    path("sign-out", entering.sign_out, name="account_logout"),
]
