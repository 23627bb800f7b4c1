"""What the policy page draws: the matrix, the preview's bars, addresses side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from accounts.lists import address
from accounts.namespace import Policy, agent_root, session_uri, user_root

if TYPE_CHECKING:
    from accounts.http.request import AccountRequest
    from memory.selectors import Pair, Preview

FLAGS = (False, True)
BAR = 96  # px that all bars have in common
SHARED = "account"


@dataclass(frozen=True, slots=True)
class Plot:
    """Which borders split one kind of memory."""

    by_user: bool
    by_agent: bool

    @property
    def words(self) -> str:
        return " and ".join(
            name for name, splits in (("user", self.by_user), ("agent", self.by_agent)) if splits
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the four policies, drawn.

    Attributes:
        preview_url: where it is compared with the one in force; "" where it is not offered.
    """

    code: str
    in_force: bool
    proposed: bool
    preview_url: str
    user_root: str
    agent_root: str
    user_split: str
    agent_split: str
    user_plot: Plot
    agent_plot: Plot


@dataclass(frozen=True, slots=True)
class Bar:
    """Lost to the left of the zero line, gained to the right, in px."""

    zero: int
    lost: int
    gained: int

    @property
    def start(self) -> int:
        return self.zero - self.lost


@dataclass(frozen=True, slots=True)
class Line:
    """A pair of user and agent with its bar, and where all of its changes are listed."""

    pair: Pair
    bar: Bar
    url: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that is not in force, and what it would do.

    Attributes:
        fields: of the policy, which it changes. names: what differs, in words.
    """

    now: Policy
    then: Policy
    preview: Preview
    lines: list[Line]
    fields: list[str]
    names: str
    button: str

    @property
    def moves(self) -> bool:
        """Whether it changes who recalls memories, not only who reads sessions."""
        return self.now.code != self.then.code

    @property
    def changed_now(self) -> int:
        return self.preview.now - self.preview.unchanged

    @property
    def changed_after(self) -> int:
        return self.preview.after - self.preview.unchanged


@dataclass(frozen=True, slots=True)
class Address:
    """A canonical address now and then; `same` is the part that both begin with."""

    label: str
    now: str
    then: str
    same: str


def matrix(
    request: AccountRequest, now: Policy, then: Policy | None, *, choosing: bool
) -> list[list[Cell]]:
    """Two rows of two cells: user memories shared or kept by agent, agent memories by user.

    Args:
        choosing: whether another policy may be proposed.
    """
    rows = []
    for by_agent in FLAGS:
        drawn = [Policy(by_agent, by_user) for by_user in FLAGS]
        rows.append([_cell(request, one, now, then, choosing=choosing) for one in drawn])
    return rows


def _cell(
    request: AccountRequest, drawn: Policy, now: Policy, then: Policy | None, *, choosing: bool
) -> Cell:
    user_plot = Plot(by_user=True, by_agent=drawn.isolate_user_scope_by_agent)
    agent_plot = Plot(by_user=drawn.isolate_agent_scope_by_user, by_agent=True)
    in_force = drawn.code == now.code
    proposed = not in_force and then is not None and drawn.code == then.code
    offered = choosing and not in_force and not proposed
    url = f"{address(request, 'cursor', at={'to': drawn.code})}#preview" if offered else ""
    return Cell(
        code=drawn.code,
        in_force=in_force,
        proposed=proposed,
        preview_url=url,
        user_root=user_root(drawn, "{u}", "{a}"),
        agent_root=agent_root(drawn, "{u}", "{a}"),
        user_split=user_plot.words,
        agent_split=agent_plot.words,
        user_plot=user_plot,
        agent_plot=agent_plot,
    )


def proposal_of(now: Policy, then: Policy, preview: Preview) -> Proposal | None:
    """What is proposed, drawn; None when it is in force already."""
    names, fields = [], []
    if then.code != now.code:
        names.append(then.code)
        fields += ["isolate_user_scope_by_agent", "isolate_agent_scope_by_user"]
    if then.sessions_visible_to != now.sessions_visible_to:
        everyone = then.sessions_visible_to == SHARED
        names.append("sessions for every user" if everyone else "sessions for participants only")
        fields.append("sessions_visible_to")
    if not names:
        return None
    words = " and ".join(names)
    return Proposal(
        now=now,
        then=then,
        preview=preview,
        lines=_lines(then, preview),
        fields=fields,
        names=words,
        button=f"Apply {words} as version {now.version + 1}",
    )


def _lines(then: Policy, preview: Preview) -> list[Line]:
    """The bars share one scale, and one zero line that leaves room for the longest on each side."""
    lost = max((row.lost for row in preview.rows), default=0)
    gained = max((row.gained for row in preview.rows), default=0)
    scale = BAR / max(1, lost + gained)
    zero = round(lost * scale)
    here = reverse("policy_changes")
    return [
        Line(
            row,
            Bar(zero, _length(row.lost, scale), _length(row.gained, scale)),
            f"{here}?to={then.code}&user={row.user_id}&agent={row.agent_id}",
        )
        for row in preview.rows
    ]


def _length(count: int, scale: float) -> int:
    """What is not nothing can be seen."""
    return max(1, round(count * scale)) if count else 0


def addresses(now: Policy, then: Policy | None, user: str, agent: str) -> list[Address]:
    """The canonical roots of a user with an agent, in force and as proposed."""
    roots = (("User root", user_root), ("Agent root", agent_root))
    lines = [
        _address(label, root(now, user, agent), root(then or now, user, agent))
        for label, root in roots
    ]
    return [*lines, _address("Session", session_uri("{id}"), session_uri("{id}"))]


def _address(label: str, now: str, then: str) -> Address:
    """One root is always the beginning of the other."""
    return Address(label, now, then, min(now, then, key=len))
