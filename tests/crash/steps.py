"""The named steps of syncd, as its source has them: each commit and each request to a vendor.

Read from the syntax tree, so that none can be forgotten: a commit is a `write(...)` of the ledger's
store, a request is a method of a campaign's client that the engine reaches for.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from syncd.campaign.client import CampaignClient

SYNCD = Path(__file__).parents[2] / "syncd"
#: The one place that opens transactions, and the one that hands a request to the network.
STORE, TRANSPORT = SYNCD / "ledger" / "store.py", SYNCD / "campaign" / "transport.py"

#: What ends a transaction, or begins one that SQLAlchemy ends; and what goes past SQLAlchemy.
_COMMITS = frozenset({"begin", "commit", "raw_connection"})
_REQUESTS = frozenset(
    name
    for name, told in vars(CampaignClient).items()
    if callable(told) and not name.startswith("_") and name != "close"
)


@dataclass(slots=True)
class Found:
    """The steps of some files, and what has no name where it needs one."""

    steps: Counter[str] = field(default_factory=Counter)
    nameless: list[str] = field(default_factory=list)


def found() -> Found:
    """Every named step of the ledger, the engine, and the client's one place of sending."""
    result = Found()
    for room in ("ledger", "engine"):
        for path in sorted((SYNCD / room).glob("*.py")):
            look(path.read_text(encoding="utf-8"), path, result)
    look(TRANSPORT.read_text(encoding="utf-8"), TRANSPORT, result)
    return result


def look(source: str, path: Path, into: Found) -> None:
    """Read one file."""
    tree = ast.parse(source)
    told = {where: step for where, step in _named(tree) if step is not None}
    into.steps.update(told.values())
    for name in {step for step, _ in _reached(tree)}:
        into.steps[name] += 1
        if sorted(when for step, when in _reached(tree) if step == name) != ["after", "before"]:
            into.nameless.append(f"{path.name}: {name} is not reached once before, once after")
    within = _spans_with_steps(tree)
    for node in ast.walk(tree):
        if _needs_a_name(node, path) and id(node) not in told:
            assert isinstance(node, ast.expr | ast.stmt)
            if not any(node.lineno in span for span in within):
                into.nameless.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")


def _named(tree: ast.AST) -> Iterator[tuple[int, str | None]]:
    """Each commit and request that carries a literal name, by the node that needs it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if _is_write(node):
            yield id(node), _literal(node.args)
        elif isinstance(node.func, ast.Name) and node.func.id == "named" and len(node.args) > 1:
            yield id(node.args[1]), _literal(node.args)


def _reached(tree: ast.AST) -> list[tuple[str, str]]:
    """`reached("step", "before")`, written out."""
    return [
        (str(node.args[0].value), str(node.args[1].value))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "reached"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[1], ast.Constant)
    ]


def _spans_with_steps(tree: ast.AST) -> list[range]:
    """The lines of functions that tell of a step themselves: they need no other name."""
    return [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and _reached(node)
    ]


def _needs_a_name(node: ast.AST, path: Path) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if _is_write(node) or node.func.attr == "handle_request":
            return True
        return node.func.attr in _COMMITS and path != STORE
    if isinstance(node, ast.Assign):  # by another name its methods would not be found
        return _last_name(node.value) == "client"
    is_request = isinstance(node, ast.Attribute) and node.attr in _REQUESTS
    return is_request and _last_name(node.value) == "client"


def _is_write(node: ast.Call) -> bool:
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr != "write":
        return False
    return _last_name(function.value).lstrip("_") == "store"


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _literal(arguments: list[ast.expr]) -> str | None:
    first = arguments[0] if arguments else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
