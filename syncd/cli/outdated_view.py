"""How many open call jobs would be sent otherwise today, and what to do about them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from syncd.app import App
from syncd.config.load import numbering_file
from syncd.engine import requeue
from syncd.errors import SyncdError


def outdated(app: App, sync: str) -> int:
    """The open jobs of a sync that `syncd requeue` would touch, as far as that is quickly known.

    Numbers are looked up again only where the registry is newer than what was queued. Settings
    that cannot be read count nothing: `syncd check` tells of them.
    """
    with suppress(SyncdError):
        return len(requeue.look(app.again(sync), app.ledger, since=_registry_since(app)).jobs)
    return 0


def told(sync: str, jobs: int) -> str | None:
    """What `status` says of them; None: there are none."""
    if not jobs:
        return None
    return f"{jobs:,} open call jobs would be sent otherwise today: `syncd requeue {sync}`"


def _registry_since(app: App) -> datetime:
    file = numbering_file(app.settings)
    try:
        return datetime.fromtimestamp(0 if file is None else file.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)
