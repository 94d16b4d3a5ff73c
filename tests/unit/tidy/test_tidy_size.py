"""Files and functions stay small enough to read on a screen or two."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50


def test_no_file_is_longer_than_the_limit() -> None:
    """A module of syncd has at most 300 lines: past that it owns two things."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sorted((ROOT / "syncd").rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    }
    assert long == {}


def test_no_function_is_longer_than_the_limit() -> None:
    """A function of syncd has at most 50 lines, its docstring included."""
    long = {}
    for path in sorted((ROOT / "syncd").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = lines
    assert long == {}
