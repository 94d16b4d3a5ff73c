"""Whether a campaign may be sent to now: asked before a pass sends its first batch."""

from __future__ import annotations

from syncd.engine.breaker import FAILURES_IN_A_ROW_MAX, Breaker
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.engine.refusals import held_error
from syncd.errors import Halted, Transient
from syncd.observe import events, logs
from syncd.observe.steps import named

_log = logs.get("engine")

#: Campaign states in which no batch will ever be accepted (Calls API, campaign status).
ENDED = frozenset({"finished", "deleted"})


def check_ready(campaign: Campaign, running: Pass) -> None:
    """Raise Transient while the campaign is left alone, Halted while it is halted or held.

    A halted campaign is asked again each time, so that a renewed token needs no command; a held
    one waits for a person. Past failures are asked about first, too, before a batch goes.
    """
    ledger, now = running.tools.ledger, running.tools.clock.now()
    lost = ledger.recovery_needed()
    if lost is not None:
        raise Halted(f"nothing is sent: {lost}", hint="`syncd recover` looks for what is missing")
    state = ledger.campaign_state(campaign.name)
    running.failures = state.failures
    if state.held:
        raise held_error(campaign.name, str(state.halted_reason))
    if state.next_send_at is not None and now < state.next_send_at:
        raise Transient(
            f'campaign "{campaign.name}" asked to wait until {state.next_send_at:%H:%M:%S} UTC'
        )
    if state.open_until is not None and now < state.open_until:
        raise Transient(
            f'campaign "{campaign.name}" gave no answer {state.failures} times in a row: left alone'
            f" until {state.open_until:%H:%M:%S} UTC"
        )
    if state.halted_reason is not None:
        _check_state(campaign, running)
        ledger.resume_sending(campaign.name, by=running.by())
        _log.info(events.CAMPAIGN_RESUMED, campaign=campaign.name)
    elif state.failures >= FAILURES_IN_A_ROW_MAX:
        _check_state(campaign, running)


def _check_state(campaign: Campaign, running: Pass) -> None:
    """Ask the campaign for its state; raises what keeps batches from being sent."""
    try:
        status = named("campaign.ask_status", campaign.client.status)()
    except Transient:
        Breaker(running).note_failure()
        raise
    except Halted as error:
        running.tools.ledger.halt(campaign.name, error.what, by=running.by())
        raise
    if status.lower() in ENDED:
        reason = f"the campaign is {status.lower()}"
        running.tools.ledger.halt(campaign.name, reason, by=running.by())
        raise Halted(
            f'campaign "{campaign.name}": {reason}',
            hint="point the sync to another campaign",
            answers=True,
        )
