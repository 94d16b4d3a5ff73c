"""`syncd erase`: one person leaves the ledger, and is never called again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_INCOMPLETE, ConfigError

if TYPE_CHECKING:
    from syncd.app import App
    from syncd.engine.erase import Named

LEADS_MAX = 50


def erase(
    lead: Annotated[
        str, typer.Argument(metavar="KEY|PHONE", help="A lead's key, or a phone in any spelling.")
    ],
    *,
    sync: Annotated[
        str | None, typer.Option(help="The sync whose key it is, where several have it.")
    ] = None,
    leads_max: Annotated[
        int, typer.Option(help="More leads with one phone are not one person: refuse.", min=1)
    ] = LEADS_MAX,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also when the vendor cannot be asked to cancel open calls."),
    ] = False,
    compact: Annotated[
        bool, typer.Option(help="Rewrite the SQLite file, if nothing else uses the ledger.")
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be erased.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a person, and never call them again.

    Open calls are cancelled at the vendor; phone, key, payload and reports leave every table; a
    keyed digest stays. What is printed is the evidence. Works beside `run`. Exit code 1: nobody is
    there, or a call of theirs is in a batch without an answer.
    """
    from syncd.cli import asking, compacting
    from syncd.cli import erase_view as view
    from syncd.engine import erase as engine

    with common.opened_app(config) as app:
        named = _named(lead, sync, app)
        who = engine.person(named, app.ledger)
        _refuse_many(len(who.leads), leads_max)
        if dry_run:
            view.print_planned(who, app.ledger.privacy.digests(who), as_json=as_json)
            return
        if not yes:
            asking.confirm(f"Erase {view.summary(who)} for good?")
        done, told = engine.run(named, app.ledger, app.tools.clock, app.campaign, force=force)
        compacted = compacting.compact(app) if compact else False
    view.print_done(done, told, compacted=compacted, as_json=as_json)


def _refuse_many(leads: int, leads_max: int) -> None:
    if leads > leads_max:
        raise ConfigError(
            f"{leads:,} leads have this phone: they are not one person",
            hint="--leads-max permits more; with a key its phone counts as well",
        )


def _named(lead: str, sync: str | None, app: App) -> Named:
    """The key where the ledger knows it, else the phone; raises ConfigError for neither."""
    from syncd.cli.finding import phones_of
    from syncd.engine.erase import Named

    found = app.ledger.privacy.person(key=lead, sync=sync)
    if found.keys:
        if len({of for of, _key in found.keys if _key == lead}) > 1:
            raise ConfigError(
                "several syncs have a lead with this key, and it may be another person in each",
                hint="say which one: --sync NAME",
            )
        return Named(key=lead, sync=sync)
    phones = phones_of(lead, app.settings, sync=sync)
    if not phones:
        common.say("there is nobody with this key, and it is no phone; nothing was done")
        raise typer.Exit(EXIT_INCOMPLETE)
    return Named(phones=tuple(phones), sync=sync)
