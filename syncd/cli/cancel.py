"""`syncd cancel`: withdraw calls: here what was not sent, at the vendor what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_INCOMPLETE, ConfigError

if TYPE_CHECKING:
    from syncd.app import App
    from syncd.ledger.cancel import Cancellable


def cancel(
    lead: Annotated[
        str | None,
        typer.Argument(metavar="[KEY|PHONE]", help="A lead's key, or a phone in any spelling."),
    ] = None,
    *,
    sync: Annotated[
        str | None, typer.Option(help="Of this sync only; without KEY or PHONE: all of it.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be cancelled.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw calls that have not ended.

    A call in progress is finished. Works beside `run`. A key is looked for first, then a phone.
    Exit code 1 when there was nothing to cancel, or something could not be.
    """
    from syncd.cli import asking
    from syncd.cli import cancel_view as view
    from syncd.engine import cancel as engine

    if lead is None and sync is None:
        raise ConfigError("nothing to cancel is named", hint="give a key, a phone, or --sync NAME")
    with common.opened_app(config) as app:
        jobs = _find(lead, sync, app)
        if dry_run or not jobs:
            view.print_cancellable(jobs, dry_run=dry_run, as_json=as_json)
            raise typer.Exit(0 if jobs else EXIT_INCOMPLETE)
        if not yes:
            asking.confirm(f"Cancel {view.summary(jobs)}?")
        done = engine.run(jobs, app.ledger, app.tools.clock, app.campaign)
    view.print_done(done, as_json=as_json)
    if done.error is not None:
        raise done.error
    raise typer.Exit(0 if done.complete else EXIT_INCOMPLETE)


def _find(lead: str | None, sync: str | None, app: App) -> list[Cancellable]:
    """Open jobs of a key, else of a phone; of the whole sync when neither is given."""
    from syncd.cli.finding import phones_of

    if lead is None:
        return app.ledger.cancellable(sync=sync)
    if app.ledger.history(key=lead):
        return app.ledger.cancellable(key=lead, sync=sync)
    phones = phones_of(lead, app.settings, sync=sync)
    return [job for one in phones for job in app.ledger.cancellable(phone=one, sync=sync)]
