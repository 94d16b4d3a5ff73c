"""`syncd retry`: leads whose call ended before anybody was called go again, by a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import asking, common
from syncd.cli.common import ConfigOption, JsonOption
from syncd.errors import EXIT_INCOMPLETE, EXIT_TRIPPED, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from syncd.app import App
    from syncd.core.call_job import JobState
    from syncd.engine.retry import Found


States = Annotated[
    list[str] | None,
    typer.Option(help="refused, expired or cancelled; repeat for more. Else refused."),
]
Reasons = Annotated[
    list[str] | None,
    typer.Option(help="Only with this reason, as `leads` shows it; repeat for more."),
]
Finish = Annotated[
    str | None,
    typer.Option(
        help='Leads whose finishDateTime has passed get a new one, so long from now: "2d".'
    ),
]


def retry(
    syncs: Annotated[
        list[str] | None, typer.Argument(metavar="[SYNC]...", help="Leads of these syncs.")
    ] = None,
    *,
    campaign: Annotated[
        str | None, typer.Option(help="Leads of every sync that feeds this campaign.")
    ] = None,
    state: States = None,
    reason: Reasons = None,
    since: Annotated[
        str | None, typer.Option(help='Only leads that came so long ago at most, such as "3d".')
    ] = None,
    finish: Finish = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the N oldest of each sync.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell who would be called.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let leads go again whose call was refused, expired or cancelled before it was made.

    Never one who may have been called. What would be sent is what was: correct a row or a mapping
    with `on_change` instead. One call a phone, do-not-call lists and tripwires hold as for new
    leads. Works beside `run`, which then sends them. Exit code 1 when nobody may go, 4 when a
    tripwire holds them for `syncd approve`.
    """
    from syncd.cli import retry_view as view

    with common.opened_app(config) as app:
        found = [
            _look(name, app, state, reason, since, finish, limit)
            for name in _names(syncs, campaign, app)
        ]
        wanted = sum(one.again for one in found)
        if dry_run or not wanted:
            view.print_found(found, dry_run=dry_run, as_json=as_json)
            raise typer.Exit(0 if wanted else EXIT_INCOMPLETE)
        if not yes:
            view.say_found(found)
            asking.confirm(f"Let {wanted:,} {'lead' if wanted == 1 else 'leads'} go again?")
        code = _run(found, app, as_json=as_json)
    raise typer.Exit(code)


def _run(found: Sequence[Found], app: App, *, as_json: bool) -> int:
    from syncd.cli import retry_view as view
    from syncd.engine import retry as engine

    who = asking.person()
    done = [engine.run(one, who, app.ledger, app.tools.clock) for one in found]
    view.print_done(found, done, who, as_json=as_json)
    if any(one.limit is not None and went for one, went in zip(found, done, strict=True)):
        return EXIT_TRIPPED
    return 0 if any(done) else EXIT_INCOMPLETE


def _names(syncs: list[str] | None, campaign: str | None, app: App) -> list[str]:
    if bool(syncs) == (campaign is not None):
        raise ConfigError("nobody is named", hint="give syncs, or --campaign NAME")
    if campaign is None:
        return list(dict.fromkeys(app.sync_names(syncs or [])))
    app.campaign(campaign)
    return [name for name, one in app.settings.syncs.items() if one.campaign == campaign]


def _look(
    name: str,
    app: App,
    states: list[str] | None,
    reasons: list[str] | None,
    since: str | None,
    finish: str | None,
    limit: int | None,
) -> Found:
    from syncd.core.call_job import JobState
    from syncd.engine import retry as engine
    from syncd.ledger.retries import RetryFilter

    sync, now = app.sync(name), app.tools.clock.now()
    asked = RetryFilter(
        sync=name,
        campaign=sync.campaign,
        states=[_state(one) for one in states or [JobState.REFUSED]],
        reasons=reasons or [],
        since=None if since is None else now - common.length_of(since, "--since"),
        finish=None if finish is None else _finish(now, finish),
        policy=sync.calls,
    )
    return engine.look(asked, sync.tripwires, app.ledger, app.tools.clock, most=limit)


def _finish(now: datetime, text: str) -> datetime:
    return (now + common.length_of(text, "--finish")).replace(microsecond=0)


def _state(text: str) -> JobState:
    from syncd.core.call_job import JobState
    from syncd.core.names import did_you_mean
    from syncd.core.retry import RETRYABLE

    if text not in RETRYABLE:
        raise ConfigError(
            f'nobody in state "{text}" can go again',
            where="--state",
            hint=f"{did_you_mean(text, RETRYABLE)} States: {', '.join(RETRYABLE)}. What is parked:"
            " syncd parked release",
        )
    return JobState(text)
