"""`syncd leads`: leads with their state and outcome."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption


def leads(
    *,
    sync: Annotated[str | None, typer.Option(help="Of this sync.")] = None,
    state: Annotated[
        str | None, typer.Option(help="In this state: held, staged, accepted, closed …")
    ] = None,
    phone: Annotated[str | None, typer.Option(help="With this phone, in any spelling.")] = None,
    key: Annotated[str | None, typer.Option(help="With this key.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0: all.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
) -> None:
    """List leads with state and outcome.

    The oldest first; phones are shown whole.
    """
    from syncd.cli import finding, list_view
    from syncd.ledger.views import LeadFilter

    asked = LeadFilter(sync, None if state is None else finding.known_state(state), key=key)
    most = finding.limited(limit)
    with common.opened_app(config) as app:
        phones = None
        if phone is not None:
            phones = finding.known_phones(phone, app.settings, sync=sync)
        rows = list_view.lead_rows(app.ledger, asked, phones, limit=most)
        list_view.print_leads(rows, limit=most, as_json=as_json, as_csv=as_csv)
