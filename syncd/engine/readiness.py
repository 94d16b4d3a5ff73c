"""Whether a campaign may be sent to now: asked before a pass sends its first batch."""

from __future__ import annotations

from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.errors import Halted, Transient
from syncd.observe import events, logs

_log = logs.get("engine")

#: Campaign states in which no list will ever be accepted (Calls API, campaign status).
ENDED = frozenset({"finished", "deleted"})


def check_ready(campaign: Campaign, running: Pass) -> None:
    """Raise Transient while the vendor asked us to wait, Halted while the campaign is halted.

    While commits of the ledger may be lost every campaign is as good as halted.

    A halted campaign is asked again each time, so that a renewed token needs no command.
    """
    ledger, clock = running.tools.ledger, running.tools.clock
    lost = ledger.recovery_needed()
    if lost is not None:
        raise Halted(f"nothing is sent: {lost}", hint="`syncd recover` looks for what is missing")
    state = ledger.campaign_state(campaign.name)
    if state.next_send_at is not None and clock.now() < state.next_send_at:
        raise Transient(
            f'campaign "{campaign.name}" asked to wait until {state.next_send_at:%H:%M:%S} UTC'
        )
    if state.halted_reason is None:
        return
    status = campaign.client.status()
    if status.lower() in ENDED:
        reason = f"the campaign is {status.lower()}"
        ledger.halt(campaign.name, reason, by=running.by())
        raise Halted(
            f'campaign "{campaign.name}": {reason}', hint="point the sync to another campaign"
        )
    ledger.resume_sending(campaign.name, by=running.by())
    _log.info(events.CAMPAIGN_RESUMED, campaign=campaign.name)
