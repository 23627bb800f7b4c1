"""Sign-in and the way to one's accounts. Signing out lies above, in principals: it ends views."""

from __future__ import annotations

from django.urls import path

from accounts.views import codes, entrance, passwords, person

urlpatterns = [
    path("", entrance.home, name="home"),
    path("theme", entrance.choose_theme, name="theme"),
    path("sign-in", entrance.sign_in, name="account_login"),
    path("sign-in/code", entrance.code, name="mfa_authenticate"),
    path("sign-in/inactive", entrance.inactive, name="account_inactive"),
    path("sign-in/again", passwords.again, name="account_reauthenticate"),
    path("sign-in/again/code", passwords.again_by_code, name="mfa_reauthenticate"),
    path("password/reset", passwords.ask, name="account_reset_password"),
    path("password/reset/sent", passwords.asked, name="account_reset_password_done"),
    path("password/reset/done", passwords.is_set, name="account_reset_password_from_key_done"),
    path(
        "password/reset/<str:uidb36>/<str:key>",
        passwords.from_link,
        name="account_reset_password_from_key",
    ),
    path("account", person.person, name="person"),
    path("account/elsewhere", person.sign_out_elsewhere, name="sign_out_elsewhere"),
    path("account/password", passwords.change, name="account_change_password"),
    path("account/code", codes.set_up, name="mfa_activate_totp"),
    path("account/code/remove", codes.remove, name="mfa_deactivate_totp"),
    path("account/recovery-codes", codes.recovery, name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new", codes.recovery_new, name="mfa_generate_recovery_codes"),
    path("account/recovery-codes/file", codes.recovery_file, name="mfa_download_recovery_codes"),
]
