"""Users of the account: the list, one user, adding, changing, inviting, deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError, NotFound
from accounts.lists import PAGE, cursors, list_context
from accounts.principals import selectors, services
from accounts.principals.audit_words import LOOKED
from accounts.principals.forms import (
    InviteForm,
    UserDeleteForm,
    UserEditForm,
    UserFilterForm,
    UserNewForm,
)
from accounts.principals.selectors import InvitationState
from accounts.principals.usage import COUNTED, usage
from accounts.principals.views.shared import absent_is_404, first_call
from accounts.web import Undo, admins_only, done, page, refused, site_of

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import InvitationFacts, UserFacts

LIST = "principals/user_list.html"
NEW_SCOPES = ("read", "write")  # of the key that a user is born with
LATEST = 10
KEYS_SHOWN = 20


@require_safe
@admins_only
@absent_is_404
def user_list(request: AccountRequest) -> HttpResponse:
    """Users, newest first, with search and role."""
    form = UserFilterForm(request.GET)
    if not form.is_valid():
        return page(request, LIST, {"form": form, "rows": []}, fragment="results", status=422)
    found = selectors.user_register(
        account=request.actor.account,
        q=form.cleaned_data["q"],
        role=form.cleaned_data["role"],
        limit=PAGE,
        **cursors(request),
    )
    context = {
        "form": form,
        "rows": found.rows,
        "counted": COUNTED,
        "alone": found.total <= 2 and not found.newer,  # the admin and the default user
        **list_context(request, form, found),
    }
    return page(request, LIST, context, fragment="results")


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def user_new(request: AccountRequest) -> HttpResponse:
    """Add a user; the answer shows their first key once, and the invitation's link."""
    form = UserNewForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = services.user_create(
                actor=request.actor,
                account=request.actor.account,
                user_id=data["user_id"],
                role=data["role"],
                display_name=data["display_name"],
                with_key=data["with_key"],
                invite=data["email"],
                site=site_of(request),
            )
        except DomainError as error:
            refused(form, error)
        else:
            user_id = made.user.user_id
            if made.user_key:
                return _made(request, user_id, made.user_key)
            return done(
                request, reverse("user_detail", args=[user_id]), f"User {user_id} was added."
            )
    context = {"form": form, "list_url": reverse("user_list")}
    status = 422 if form.errors else 200
    return page(request, "principals/user_new.html", context, fragment="main", status=status)


@require_safe
@admins_only
@absent_is_404
def user_detail(request: AccountRequest, user_id: str) -> HttpResponse:
    """One user: role and sign-in, keys, latest sessions, who looked."""
    actor = request.actor
    user = selectors.user_facts(account=actor.account, user_id=user_id)
    keys = selectors.key_register(actor=actor, user_id=user.user_id, limit=KEYS_SHOWN)
    context = {
        "user": user,
        "own": user.id == actor.user.id,
        "counted": COUNTED,
        "mail": settings.MAIL_ENABLED,
        "invitation_url": _link(request, user.invitation),
        "keys": keys.rows,
        "keys_total": keys.total,
        "has_default_key": any(key.is_default for key in keys.rows),
        "sessions": usage().latest_sessions(actor=actor, user_id=user.user_id, limit=LATEST),
        "looks": _looks(user),
        "list_url": reverse("user_list"),
    }
    return page(request, "principals/user_detail.html", context, fragment="main")


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def user_edit(request: AccountRequest, user_id: str) -> HttpResponse:
    """Change name and role; both can be undone."""
    actor = request.actor
    user = selectors.user_facts(account=actor.account, user_id=user_id)
    former = {"display_name": user.display_name, "role": user.role}
    form = UserEditForm(
        request.POST if request.method == "POST" else None,
        initial=former,
        keeps_role=user.is_default,
    )
    if form.is_valid():
        try:
            services.user_update(
                actor=actor,
                account=actor.account,
                user_id=user.user_id,
                display_name=form.cleaned_data["display_name"],
                role=form.cleaned_data.get("role"),
            )
        except DomainError as error:
            refused(form, error)
        else:
            return _edited(request, user, form, former)
    context = {"form": form, "user": user, "own": user.id == actor.user.id}
    status = 422 if form.errors else 200
    return page(request, "principals/user_edit.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def user_invite(request: AccountRequest, user_id: str) -> HttpResponse:
    """Invite somebody to sign in as the user; an earlier invitation dies."""
    actor = request.actor
    user = selectors.user_facts(account=actor.account, user_id=user_id)
    form = InviteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        email = form.cleaned_data["email"]
        try:
            services.invitation_create(
                actor=actor,
                account=actor.account,
                user_id=user.user_id,
                email=email,
                site=site_of(request),
            )
        except DomainError as error:
            refused(form, error)
        else:
            way = "A mail is on its way." if settings.MAIL_ENABLED else "Send them the link below."
            here = reverse("user_detail", args=[user.user_id])
            return done(request, here, f"{email} is invited as {user.user_id}. {way}")
    context = {"form": form, "user": user, "mail": settings.MAIL_ENABLED}
    status = 422 if form.errors else 200
    return page(request, "principals/user_invite.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def user_delete(request: AccountRequest, user_id: str) -> HttpResponse:
    """Ask with all that goes, then delete."""
    actor = request.actor
    user = selectors.user_facts(account=actor.account, user_id=user_id)
    if user.is_default:
        raise NotFound("user", user_id)  # there is no such page: the user's own page says why
    end = selectors.user_end(user=user)
    form = UserDeleteForm(request.POST if request.method == "POST" else None, stock=end.memories)
    if form.is_valid():
        chosen = form.cleaned_data.get("memories") or "erase"
        try:
            services.user_delete(
                actor=actor, account=actor.account, user_id=user.user_id, memories=chosen
            )
        except DomainError as error:
            refused(form, error)
        else:
            onward = "/" if user.id == actor.user.id else reverse("user_list")
            return done(request, onward, f"User {user.user_id} was deleted.")
    context = {
        "form": form,
        "user": user,
        "own": user.id == actor.user.id,
        "end": end,
        "counted": COUNTED,
    }
    status = 422 if form.errors else 200
    return page(request, "principals/user_delete.html", context, fragment="main", status=status)


def _looks(user: UserFacts) -> list[dict[str, Any]]:
    """The latest looks at what is the user's, in words for somebody else."""
    found = selectors.looks_of(user=user.id, limit=LATEST)
    return [
        {
            "look": look,
            "did": LOOKED.get(look.action, "").replace("of yours", f"of {user.user_id}"),
        }
        for look in found.rows
    ]


def _made(request: AccountRequest, user_id: str, key: str) -> HttpResponse:
    """The only page on which the first key stands; it is kept nowhere."""
    user = selectors.user_facts(account=request.actor.account, user_id=user_id)
    context = {
        "user": user,
        "secret": key,
        "label": f"Key “default” of {user_id}",
        "added": True,
        "mail": settings.MAIL_ENABLED,
        "invitation_url": _link(request, user.invitation),
        "back_url": reverse("user_detail", args=[user_id]),
        **first_call(request, key=key, user_id=user_id, scopes=NEW_SCOPES),
    }
    return page(request, "principals/key_made.html", context, fragment="main", status=201)


def _edited(
    request: AccountRequest, user: UserFacts, form: Form, former: dict[str, str]
) -> HttpResponse:
    """Back to the user, with the way back; who gave up their own role may not come back."""
    role = form.cleaned_data.get("role", user.role)
    if user.id == request.actor.user.id and role == "user":
        return done(request, reverse("account_home"), "You are a user of this account now.")
    words = f"{user.user_id} is {'an admin' if role == 'admin' else 'a user'} now."
    if role == user.role:
        words = f"{user.user_id} was saved."
    here = reverse("user_detail", args=[user.user_id])
    undo = Undo(reverse("user_edit", args=[user.user_id]), former)
    changed = any(form.cleaned_data.get(name, value) != value for name, value in former.items())
    return done(request, here, words, undo=undo if changed else None)


def _link(request: AccountRequest, invitation: InvitationFacts | None) -> str:
    """The whole address behind which an open invitation is accepted, to be handed over.

    Where mail is sent, only the owner of the e-mail gets it: whoever has the link chooses the
    password of an e-mail that is new here.
    """
    if invitation is None or invitation.state is not InvitationState.OPEN or settings.MAIL_ENABLED:
        return ""
    return f"{site_of(request)}{invitation.link}"


def invited_rows(request: AccountRequest, rows: list[InvitationFacts]) -> list[dict[str, Any]]:
    """Invitations with their whole addresses."""
    return [{"facts": row, "url": _link(request, row)} for row in rows]
