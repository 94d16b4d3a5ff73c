"""Rewrites the ledger's file after something was removed, where nothing else works with it."""

from __future__ import annotations

from syncd.app import App
from syncd.cli import common
from syncd.errors import LedgerError, Transient
from syncd.ledger.instance import hold_instance


def compact(app: App) -> bool | None:
    """Whether the file was rewritten; None on PostgreSQL, which does that itself."""
    if app.ledger.file is None:
        return None
    try:
        instance = hold_instance(app.settings.ledger.url)
    except LedgerError:
        return False  # a daemon works with it, and would take a smaller file for a broken one
    try:
        app.ledger.privacy.compact()
    except (LedgerError, Transient):
        return False
    finally:
        instance.release()
    return True


def tell(*, compacted: bool | None) -> None:
    """Say on stderr where removed bytes may still be."""
    if compacted is False:
        common.say(
            "removed bytes may still be in the ledger's file: stop every syncd, "
            "then run `syncd db compact`"
        )
    elif compacted is None:
        common.say("PostgreSQL frees removed rows by its own VACUUM; backups keep them")
