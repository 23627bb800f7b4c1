"""Addresses of contacts: adding, removing, binding one to a user; and a user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actor import Role
from accounts.errors import DomainError, NotFound
from accounts.principals import selectors, services
from accounts.principals.contact_words import chip_of, platform_words
from accounts.principals.forms import BindForm, Confirmation, HandleForm
from accounts.principals.views.shared import absent_is_404
from accounts.web import Undo, admins_only, done, page, refused, users_only

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import HandleFacts

BOUND_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def handle_new(request: AccountRequest, contact_id: UUID) -> HttpResponse:
    """Give the contact one more address; the way back is to remove it."""
    actor = request.actor
    facts = selectors.contact_facts(actor=actor, contact_id=contact_id)
    form = HandleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            sender = services.checked_sender(kind=facts.kind, **form.cleaned_data)
            made = services.handle_add(actor=actor, contact_id=contact_id, sender=sender)
        except DomainError as error:
            refused(form, error)
        else:
            undo = Undo(reverse("handle_remove", args=[contact_id, made.pk]))
            words = f"{_words(made.platform, made.platform_id)} is an address of"
            here = reverse("contact_detail", args=[contact_id])
            return done(request, here, f"{words} {chip_of(facts).name} now.", undo=undo)
    context = {"form": form, "contact": facts, "chip": chip_of(facts)}
    status = 422 if form.errors else 200
    return page(request, "principals/handle_new.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def handle_remove(request: AccountRequest, contact_id: UUID, handle_id: UUID) -> HttpResponse:
    """Ask, then take an address away; of one that was bound, the binding is lost."""
    actor = request.actor
    context = _about(request, contact_id, handle_id)
    handle: HandleFacts = context["handle"]
    form = Confirmation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.handle_remove(actor=actor, contact_id=contact_id, handle_id=handle_id)
        except DomainError as error:
            refused(form, error)
        else:
            again = Undo(
                reverse("handle_new", args=[handle.contact_id]),
                {
                    "platform": handle.platform,
                    "platform_id": handle.platform_id,
                    "username": handle.username,
                },
            )
            words = f"{context['address']} is no address of {context['chip'].name} any more."
            here = reverse("contact_detail", args=[contact_id])
            return done(request, here, words, undo=None if handle.user_id else again)
    context |= {"form": form}
    status = 422 if form.errors else 200
    return page(request, "principals/handle_remove.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def handle_bind(request: AccountRequest, contact_id: UUID, handle_id: UUID) -> HttpResponse:
    """Say which user writes from an address."""
    context = _about(request, contact_id, handle_id)
    if context["contact"].kind == "group":
        raise Http404  # a group is no user, and its page offers nothing of the kind
    form = BindForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            bound = services.handle_bind(
                actor=request.actor,
                contact_id=contact_id,
                handle_id=handle_id,
                user_id=form.cleaned_data["user_id"],
            )
        except NotFound:
            form.add_error("user_id", f"There is no user “{form.cleaned_data['user_id']}” here.")
        except DomainError as error:
            refused(form, error)
        else:
            assert bound.user is not None  # it was bound just now
            undo = Undo(reverse("handle_unbind", args=[contact_id, handle_id]))
            words = (
                f"Whoever writes from {context['address']} is the user {bound.user.user_id} now."
            )
            here = reverse("contact_detail", args=[contact_id])
            return done(request, here, words, undo=undo)
    context |= {"form": form}
    status = 422 if form.errors else 200
    return page(request, "principals/handle_bind.html", context, fragment="main", status=status)


@require_POST
@admins_only
@absent_is_404
def handle_unbind(request: AccountRequest, contact_id: UUID, handle_id: UUID) -> HttpResponse:
    """Let the sender be the contact again; the way back is to bind anew."""
    context = _about(request, contact_id, handle_id)
    here = reverse("contact_detail", args=[contact_id])
    if context["handle"].user_id is None:  # pressed twice
        return done(request, here, f"{context['address']} is bound to nobody.")
    services.handle_unbind(actor=request.actor, contact_id=contact_id, handle_id=handle_id)
    again = Undo(
        reverse("handle_bind", args=[contact_id, handle_id]),
        {"user_id": context["handle"].user_id},
    )
    words = f"Whoever writes from {context['address']} is the contact again."
    return done(request, here, words, undo=again)


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
def link(request: AccountRequest) -> HttpResponse:
    """Bind an address of one's own: a code, sent through the channel, does it."""
    actor = request.actor
    made = None
    if request.method == "POST":
        made = services.link_code_create(actor=actor)
    bound = selectors.handles_bound_to(user=actor.user.id, limit=BOUND_SHOWN)
    admin = actor.role is Role.ADMIN
    context = {
        "made": made,
        "bound": [{"facts": one, "platform": platform_words(one.platform)} for one in bound],
        "admin": admin,
        "back_url": reverse("user_detail", args=[actor.user.user_id])
        if admin
        else reverse("key_list"),
    }
    return page(
        request, "principals/link.html", context, fragment="main", status=201 if made else 200
    )


def _about(request: AccountRequest, contact_id: UUID, handle_id: UUID) -> dict[str, Any]:
    """The contact and its address; 404 for one that is not its own."""
    facts = selectors.contact_facts(actor=request.actor, contact_id=contact_id)
    handle = next((one for one in facts.handles if one.id == handle_id), None)
    if handle is None:
        raise Http404
    return {
        "contact": facts,
        "chip": chip_of(facts),
        "handle": handle,
        "address": _words(handle.platform, handle.platform_id),
    }


def _words(platform: str, platform_id: str) -> str:
    return f"{platform_words(platform)} {platform_id}"
