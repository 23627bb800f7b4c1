"""Functions without one of their clauses: what a test must notice when it is taken away.

A clause is an `if` and its body, one branch of a choice, one side of `or`, `and`, `|`, `&` or `+`,
what `|=`, `&=` and `+=` add, one argument of a Q, a filter or a Case, one item of a tuple of
reasons; and the order of the branches of a Case.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from functools import partial
from typing import Any

QUERIES = frozenset({"Q", "filter", "Case"})


def mutants(function: Any) -> dict[str, Any]:
    """The function without one of its clauses, for each of them."""
    module = sys.modules[function.__module__]
    source = textwrap.dedent(inspect.getsource(function))
    return _each(source, function.__name__, module)


def mutants_of_constant(module: Any, name: str) -> dict[str, Any]:
    """The values that a constant of a module would have without one of its clauses."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return _each(ast.unparse(node), name, module)
    raise LookupError(name)


def _each(source: str, name: str, module: Any) -> dict[str, Any]:
    made = {}
    for index, node in enumerate(ast.walk(_parsed(source))):
        for what, remove in removals(node).items():
            tree = _parsed(source)
            remove(list(ast.walk(tree))[index])
            scope = dict(vars(module))
            exec(compile(ast.fix_missing_locations(tree), "mutant", "exec"), scope)
            made[f"{what}: {ast.unparse(node).splitlines()[0]}"] = scope[name]
    return made


def _parsed(source: str) -> ast.Module:
    """Without annotations: `A | B` is no clause there."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef():
                node.returns = None
            case ast.arg():
                node.annotation = None
    return tree


def removals(node: ast.AST) -> dict[str, Any]:
    """How to take a clause out of this node."""
    found: dict[str, Any] = {}
    match node:
        case ast.If():
            found = {"never": partial(_decide, to=False)}
        case ast.IfExp():
            found = {f"always {value} in": partial(_decide, to=value) for value in (True, False)}
        case ast.AugAssign(op=ast.BitOr() | ast.BitAnd() | ast.Add(), target=ast.Name()):
            found = {"nothing by": _add_nothing}
        case ast.BoolOp():
            operands = range(len(node.values))
            found = {f"no operand {n} in": partial(_drop_operand, number=n) for n in operands}
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Add()):
            found = {f"only the {side} of": partial(_keep, side=side) for side in ("left", "right")}
        case ast.Call() if _called(node) in QUERIES:
            found = _of_query(node)
        case ast.Assign(targets=[ast.Name(id="reasons")], value=ast.Tuple(elts=items)):
            found = {f"no item {n} in": partial(_drop_item, number=n) for n in range(len(items))}
    return found


def _of_query(node: ast.Call) -> dict[str, Any]:
    found = {
        f"no argument {n} in": partial(_drop_argument, number=n) for n in range(len(node.args))
    }
    if _called(node) == "Case":
        return found | {
            f"branch {n} after the next in": partial(_swap, number=n)
            for n in range(len(node.args) - 1)
        }
    names = [keyword.arg for keyword in node.keywords]
    return found | {f"no {name} in": partial(_drop_keyword, name=name) for name in names}


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def _decide(node: Any, *, to: bool) -> None:
    node.test = ast.Constant(value=to)


def _add_nothing(node: Any) -> None:
    empty = ast.Constant(value="")
    itself = ast.Name(id=node.target.id, ctx=ast.Load())
    node.value = empty if isinstance(node.op, ast.Add) else itself


def _drop_operand(node: Any, number: int) -> None:
    node.values[number] = ast.Constant(value=isinstance(node.op, ast.And))


def _drop_item(node: Any, number: int) -> None:
    del node.value.elts[number]


def _drop_argument(node: Any, number: int) -> None:
    del node.args[number]


def _drop_keyword(node: Any, name: str) -> None:
    node.keywords = [keyword for keyword in node.keywords if keyword.arg != name]


def _swap(node: Any, number: int) -> None:
    node.args[number : number + 2] = reversed(node.args[number : number + 2])


def _keep(node: Any, side: str) -> None:
    kept = getattr(node, side)
    if isinstance(node.op, ast.Add):  # neutral is the empty text
        other = "right" if side == "left" else "left"
        setattr(node, other, ast.Constant(value=""))
    else:
        node.left = node.right = kept
