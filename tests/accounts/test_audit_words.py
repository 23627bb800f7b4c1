"""Every action that the code can write has words; read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from accounts.principals.audit_words import GROUPS, LOOKED, PLACE, WORDS, group_of
from accounts.principals.operator.words import OPERATOR_WORDS

BASE = Path(__file__).resolve().parent.parent.parent
CODE = [
    path
    for app in ("accounts", "sessions_app", "memory", "config")
    for path in sorted((BASE / app).rglob("*.py"))
    if "migrations" not in path.parts
]
# What writes an event, and by which parameter it is told the action.
AUDIT = {"record": "action", "note": "action", "AuditEvent": "action", "note_read": "kind"}
OPERATORS = {"operator_event": "action", "OperatorEvent": "action"}


@dataclass
class Search:
    """Follows the parameter from the function that writes to those that name the action.

    A function is known by its name; a private one by its module, too.
    """

    sinks: dict[str, str]
    trees: list[tuple[str, ast.Module]]
    found: set[str] = field(default_factory=set)
    open_ends: list[str] = field(default_factory=list)

    def run(self) -> None:
        self.calls = [(place, *pair) for place, tree in self.trees for pair in calls(tree)]
        self.positional = {
            known_as(place, node.name): [one.arg for one in node.args.args]
            for place, tree in self.trees
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
        }
        known = -1
        while known != len(self.sinks):
            known = len(self.sinks)
            self.found.clear()
            self.open_ends.clear()
            for place, function, call in self.calls:
                self.look(place, function, call)

    def look(self, place: str, function: ast.FunctionDef | None, call: ast.Call) -> None:
        name = known_as(place, called(call))
        if name not in self.sinks or (name in ("note", "record") and not is_audit(call, place)):
            return
        for value in alternatives(self.argument(name, call)):
            if isinstance(value, ast.Constant):
                reads = self.sinks[name] == "kind"
                self.found.add(f"read.{value.value}" if reads else value.value)
            elif isinstance(value, ast.Name) and function and value.id in parameters(function):
                self.sinks.setdefault(known_as(place, function.name), value.id)
            elif not (isinstance(value, ast.JoinedStr) and function.name == "note_read"):
                self.open_ends.append(f"{place}:{call.lineno}")

    def argument(self, name: str, call: ast.Call) -> ast.expr | None:
        for keyword in call.keywords:
            if keyword.arg == self.sinks[name]:
                return keyword.value
        names = self.positional.get(name, [])
        at = names.index(self.sinks[name]) if self.sinks[name] in names else len(call.args)
        return call.args[at] if at < len(call.args) else None


def known_as(place: str, name: str) -> str:
    return f"{place}:{name}" if name.startswith("_") else name


def calls(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Every call with the function that it stands in."""

    def walk(node: ast.AST, function: ast.FunctionDef | None) -> Iterator:
        for child in ast.iter_child_nodes(node):
            inner = child if isinstance(child, ast.FunctionDef) else function
            if isinstance(child, ast.Call):
                yield inner, child
            yield from walk(child, inner)

    yield from walk(tree, None)


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def is_audit(call: ast.Call, place: str) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id="audit")):
            return True
        case ast.Name():
            return place.endswith("principals/audit.py")
    return False


def alternatives(value: ast.expr | None) -> list[ast.expr]:
    if value is None:
        return []
    if isinstance(value, ast.IfExp):
        return [value.body, value.orelse]
    return [value]


def parameters(function: ast.FunctionDef) -> set[str]:
    return {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}


def search(sinks: dict[str, str], *sources: str) -> Search:
    trees = [("sample.py", ast.parse(source)) for source in sources] or [
        (path.relative_to(BASE).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in CODE
    ]
    looked = Search(dict(sinks), trees)
    looked.run()
    return looked


@pytest.mark.parametrize(
    ("sinks", "words", "sure"),
    [
        (
            AUDIT,
            WORDS,
            {"user.created", "view.ended", "read.list", "session.created", "task.cancelled"},
        ),
        (OPERATORS, OPERATOR_WORDS, {"account.created", "person.enrolled"}),
    ],
    ids=["audit log", "operators' log"],
)
def test_every_action_of_the_code_has_words_and_no_words_are_left_over(sinks, words, sure):
    looked = search(sinks)
    assert looked.open_ends == []
    assert sure <= looked.found, "the search itself"
    assert looked.found - set(words) == set(), "written, but without words"
    assert set(words) - looked.found == set(), "words for what is never written"


def test_the_search_finds_what_helpers_pass_on():
    sample = """
def helper(actor, action): audit.record(actor=actor, action=action)
def far(actor, action, x): helper(actor, action)
far(None, "a.one" if x else "a.two", 3)
helper(None, action="a.three")
audit.note(actor=None, action="a.four", subject=1)
logger.note(action="not.ours")
def read(actor, kind): audit.note_read(actor=actor, kind=kind)
read(None, "page")
audit.record(action=somewhere.name)
"""
    looked = search(AUDIT, sample)
    assert looked.found == {"a.one", "a.two", "a.three", "a.four", "read.page"}
    assert looked.open_ends == ["sample.py:10"]


def test_sentences_have_known_places_and_every_group_a_name():
    for action, words in WORDS.items():
        assert group_of(action) in GROUPS
        for sentence in (words.did, words.then, words.by_job):
            assert "{" not in PLACE.sub("", sentence)
    assert set(LOOKED) == {action for action in WORDS if action.startswith("read.")}
