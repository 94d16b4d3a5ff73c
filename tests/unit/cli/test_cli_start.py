"""`syncd --version` starts at once: what is heavy is imported by the command that needs it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("sqlalchemy", "alembic", "httpx", "phonenumbers", "pydantic", "starlette", "structlog")


def test_the_command_line_imports_nothing_heavy() -> None:
    """Importing every command loads none of the heavy libraries."""
    code = f"import sys, syncd.cli.main; print([n for n in {HEAVY!r} if n in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "[]"
