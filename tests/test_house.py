"""Rules of the house that no linter knows, read from the code and the templates themselves."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from django.apps import apps

BASE = Path(__file__).resolve().parent.parent
APPS = ("accounts", "sessions_app", "memory", "config")
CODE = sorted(
    path
    for app in APPS
    for path in (BASE / app).rglob("*.py")
    if "migrations" not in path.relative_to(BASE).parts
)
EDGES = ("api.py", "*_api.py", "views.py", "urls.py", "forms.py", "tasks.py", "middleware.py")
EDGE_PACKAGES = ("views", "forms")
INNER_PACKAGES = ("services", "selectors")
TEMPLATES = sorted((BASE / "templates").rglob("*.html"))
LONGEST = 450  # lines

# Who sees a session or a memory is asked in one place; `explain` stands beside it, for tests and
# for those who are told why.
MAY_ASK = {
    f"{app}/{name}.py" for app in ("sessions_app", "memory") for name in ("visibility", "access")
}
MAY_EXPLAIN = {"memory/selectors/why.py", "memory/selectors/recall_pairs.py"}
FILTERS = {"visible_to", "listed_for", "roots_of"}
EXPLANATIONS = {"explain", "explain_listed"}
MAY_SWITCH = ("accounts/tenancy/*", "config/management/commands/migrate*.py", "config/health.py")
SWITCHES = {"set_tenant", "set_schema", "set_schema_to_public", "schema_context", "tenant_context"}
IN_TEMPLATES = {
    "a script without src": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "a style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style", re.IGNORECASE),
    "hx-on": re.compile(r"\bhx-on\b", re.IGNORECASE),
    "an event handler": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "evaluated values": re.compile(r"\bjs:|\bjavascript:", re.IGNORECASE),
}


def place(path: Path) -> str:
    return path.relative_to(BASE).as_posix()


def is_edge(path: Path) -> bool:
    """By the file's name, or by the package that it is a module of, named for its noun."""
    package = path.parent.name
    if package in EDGE_PACKAGES or package in INNER_PACKAGES:
        return package in EDGE_PACKAGES
    return any(fnmatch(path.name, pattern) for pattern in EDGES)


def names(tree: ast.AST) -> set[str]:
    """Every name, attribute and imported name of a module."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                found.add(name)
            case ast.ImportFrom(module=module, names=imported):
                found |= {alias.name for alias in imported}
                found |= {f"{module}.{alias.name}" for alias in imported}
    return found


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [path for path in CODE if is_edge(path)], ids=place)
def test_edges_ask_no_database(path):
    assert not names(parsed(path)) & {"objects", "transaction", "connection", "connections"}


@pytest.mark.parametrize(
    "path",
    [path for path in CODE if not any(fnmatch(place(path), one) for one in MAY_SWITCH)],
    ids=place,
)
def test_only_tenancy_knows_schemas(path):
    tree = parsed(path)
    assert not names(tree) & (SWITCHES | {"django.db.connection", "django.db.connections"})
    words = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not [text for text in words if "search_path" in text.lower()]


def test_who_sees_a_row_is_asked_in_one_place():
    asking = {place(path) for path in CODE if names(parsed(path)) & FILTERS}
    explaining = {place(path) for path in CODE if names(parsed(path)) & EXPLANATIONS}
    assert asking <= MAY_ASK
    assert explaining <= MAY_ASK | MAY_EXPLAIN
    assert {"sessions_app/access.py", "memory/access.py"} <= asking
    assert explaining >= MAY_EXPLAIN


@pytest.mark.parametrize("path", CODE, ids=place)
def test_no_file_is_too_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", TEMPLATES, ids=place)
@pytest.mark.parametrize("what", IN_TEMPLATES)
def test_templates_hold_no_code(path, what):
    assert not IN_TEMPLATES[what].search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("what", "sample"),
    [
        ("a script without src", "<script>"),
        ("a style attribute", '<p style="x">'),
        ("a style element", "<style>"),
        ("hx-on", "<p hx-on:click='x'>"),
        ("an event handler", '<p onclick="x">'),
        ("evaluated values", "hx-vals='js:{}'"),
    ],
)
def test_the_search_in_templates_finds_each(what, sample):
    assert IN_TEMPLATES[what].search(sample)
    assert not IN_TEMPLATES["a script without src"].search('<script defer src="/x.js">')


@pytest.mark.parametrize(
    "model",
    [
        model
        for app in ("accounts", "principals", "agent_sessions", "memory")
        for model in apps.get_app_config(app).get_models()
    ],
    ids=lambda model: model.__name__,
)
def test_every_model_says_why_its_table_exists(model):
    own = model.__dict__.get("__doc__") or ""
    assert not own.startswith(f"{model.__name__}("), "only Django's own words"
    assert len(own.split()) >= 2
