"""`syncd explain`: everything that is known of one lead, in the order in which it happened."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_INCOMPLETE


def explain(
    lead: Annotated[
        str, typer.Argument(metavar="KEY|PHONE", help="A lead's key, or a phone in any spelling.")
    ],
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the whole story of a lead.

    Where it came from, what was sent, every move with its reason, and how the call ended. A key
    is looked for first, then a phone. Exit code 1 when there is no such lead.
    """
    from syncd.cli import explain_view as view
    from syncd.cli.explaining import look_up

    with common.opened_app(config) as app:
        explanation = look_up(lead, app)
    view.print_explanation(explanation, as_json=as_json)
    if not explanation.leads:
        raise typer.Exit(EXIT_INCOMPLETE)
