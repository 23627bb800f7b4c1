"""Keys and invitations: for admins everybody's, for users their own keys."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actor import Role
from accounts.errors import Conflict, DomainError
from accounts.http.paging import encode_cursor, id_from_cursor
from accounts.lists import PAGE, cursors, list_context
from accounts.principals import selectors, services
from accounts.principals.forms import Confirmation, KeyFilterForm, KeyForm
from accounts.principals.views.shared import absent_is_404, first_call
from accounts.principals.views.users import NEW_SCOPES, invited_rows
from accounts.web import Undo, admins_only, done, page, refused, site_of, users_only

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import InvitationFacts, KeyGrant

LIST = "principals/key_list.html"
AGENTS = 1_000  # as many as an account has at most


@require_safe
@users_only
@absent_is_404
def key_list(request: AccountRequest) -> HttpResponse:
    """Keys that are not revoked, newest first; for admins also the invitations that wait."""
    actor = request.actor
    admin = actor.role is Role.ADMIN
    form = KeyFilterForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "rows": [], "admin": admin}
        return page(request, LIST, context, fragment="results", status=422)
    found = selectors.key_register(
        actor=actor, q=form.cleaned_data["q"], user_id="", limit=PAGE, **cursors(request)
    )
    context = {
        "form": form,
        "rows": found.rows,
        "admin": admin,
        "mail": settings.MAIL_ENABLED,
        **(_invitations(request) if admin else {}),
        **list_context(request, form, found),
    }
    return page(request, LIST, context, fragment="results")


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def key_new(request: AccountRequest) -> HttpResponse:
    """Make a named key for a user (`?user=`), or for oneself; the answer shows it once."""
    actor = request.actor
    grant = _grant(request)
    form = KeyForm(
        request.POST if request.method == "POST" else None,
        initial={"scopes": _usual(request)},
        scopes=grant.scopes,
        all_scopes=actor.role is Role.ADMIN,
        known=selectors.agent_ids(actor=actor, limit=AGENTS),
    )
    if form.is_valid():
        data = form.cleaned_data
        day = data["expires_at"]
        try:
            key, plain = services.key_create(
                actor=actor,
                account=actor.account,
                user_id=grant.user_id,
                name=data["name"],
                scopes=data["scopes"],
                agents=data["agents"],
                expires_at=timezone.make_aware(datetime.combine(day, time())) if day else None,
            )
        except DomainError as error:
            refused(form, error)
        else:
            return _made(request, grant, plain, name=key.name, scopes=key.scopes)
    context = {"form": form, "grant": grant, **_whose(request, grant)}
    status = 422 if form.errors else 200
    return page(request, "principals/key_new.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def key_replace(request: AccountRequest) -> HttpResponse:
    """Replace the key named default of a user (`?user=`), or one's own; the old one dies."""
    grant = _grant(request)
    if request.method == "POST":
        _, plain = services.key_replace(
            actor=request.actor, account=request.actor.account, user_id=grant.user_id
        )
        return _made(request, grant, plain, name="default", scopes=NEW_SCOPES)
    context = {"grant": grant, **_whose(request, grant)}
    return page(request, "principals/key_replace.html", context, fragment="main")


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def key_revoke(request: AccountRequest, key_id: str) -> HttpResponse:
    """Ask with what the key is, then revoke it; it dies at once."""
    actor = request.actor
    key = selectors.key_row(actor=actor, key_id=key_id)
    form = Confirmation(request.POST if request.method == "POST" else None)
    back = _after(request, key.user_id)
    if form.is_valid():
        services.key_revoke(actor=actor, account=actor.account, key_id=key.key_id)
        words = f"Key {key.name} of {key.user_id} was revoked. It opens nothing any more."
        return done(request, back, words)
    context = {"key": key, "form": form, "back_url": back, "own": key.user_id == actor.user.user_id}
    return page(request, "principals/key_revoke.html", context, fragment="main")


@require_POST
@admins_only
@absent_is_404
def invitation_renew(request: AccountRequest, invitation: UUID) -> HttpResponse:
    """Send it again: the same link holds for seven days from now."""
    actor = request.actor
    row = selectors.invitation_row(account=actor.account, invitation=invitation)
    if row is None:
        raise Http404
    services.invitation_renew(
        actor=actor, account=actor.account, invitation=invitation, site=site_of(request)
    )
    sent = "A mail is on its way." if settings.MAIL_ENABLED else "The link is the same."
    return done(
        request, _back(request, row), f"The invitation of {row.email} holds for 7 days. {sent}"
    )


@require_POST
@admins_only
@absent_is_404
def invitation_revoke(request: AccountRequest, invitation: UUID) -> HttpResponse:
    """Revoke it; the way back is to invite the same address anew."""
    actor = request.actor
    row = selectors.invitation_row(account=actor.account, invitation=invitation)
    if row is None:
        raise Http404
    services.invitation_revoke(actor=actor, account=actor.account, invitation=invitation)
    again = Undo(reverse("user_invite", args=[row.user_id]), {"email": row.email}, "Invite again")
    words = f"The invitation of {row.email} was revoked: its link opens nothing."
    return done(request, _back(request, row), words, undo=again)


def _invitations(request: AccountRequest) -> dict[str, Any]:
    """Those that wait or ran out, with a way to the older ones."""
    rows = selectors.invitation_page(
        account=request.actor.account,
        after=id_from_cursor(request.GET.get("invited")),
        limit=PAGE,
    )
    shown = rows[:PAGE]
    older = encode_cursor(str(shown[-1].id)) if len(rows) > PAGE else None
    return {
        "invitations": invited_rows(request, shown),
        "older_invitations_url": f"{request.path}?invited={older}#invitations" if older else None,
        "newest_invitations_url": request.path if request.GET.get("invited") else None,
    }


def _grant(request: AccountRequest) -> KeyGrant:
    """For whom a key is made: `?user=`, else oneself; 404 for whom one may not, or who has none."""
    user_id = request.GET.get("user") or request.actor.user.user_id
    try:
        return selectors.key_grant(actor=request.actor, user_id=user_id)
    except Conflict:  # the default user: its page says why it has none
        raise Http404 from None


def _usual(request: AccountRequest) -> tuple[str, ...]:
    """The scopes that are chosen at first; `?scope=gateway`: also that one, where one may."""
    return (*NEW_SCOPES, "gateway") if request.GET.get("scope") == "gateway" else NEW_SCOPES


def _whose(request: AccountRequest, grant: KeyGrant) -> dict[str, Any]:
    own = grant.user_id == request.actor.user.user_id
    return {"own": own, "back_url": _after(request, grant.user_id)}


def _after(request: AccountRequest, user_id: str) -> str:
    """Admins come back to the user, users to their keys."""
    if request.actor.role is Role.ADMIN:
        return reverse("user_detail", args=[user_id])
    return reverse("key_list")


def _back(request: AccountRequest, invitation: InvitationFacts) -> str:
    """To the list or to the user's page, whichever the form stood on."""
    if request.POST.get("from") == "user":
        return reverse("user_detail", args=[invitation.user_id])
    return reverse("key_list")


def _made(
    request: AccountRequest, grant: KeyGrant, plain: str, *, name: str, scopes: Any
) -> HttpResponse:
    """The only page on which the secret stands; it is kept nowhere."""
    context = {
        "secret": plain,
        "key_name": name,
        "label": f"Key “{name}” of {grant.user_id}",
        "grant": grant,
        **_whose(request, grant),
        **first_call(request, key=plain, user_id=grant.user_id, scopes=scopes),
    }
    return page(request, "principals/key_made.html", context, fragment="main", status=201)
