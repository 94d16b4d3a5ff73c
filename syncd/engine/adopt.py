"""A person says which call is a parked job's own: the vendor is asked whose that call is, first."""

from __future__ import annotations

from syncd.core.report import phone_of
from syncd.engine.asking import ask_by_ids
from syncd.engine.parts import Campaign
from syncd.errors import ConfigError
from syncd.observe.steps import named


def check_call(campaign: Campaign, call_job_id: str, phone: int) -> None:
    """Refuse an ID that is mistyped: a job that adopts it is never called, and nobody sees why.

    Raises:
        ConfigError: the campaign knows no call of this ID, or it went to another phone.
        Transient: the campaign gave no answer.
    """
    ask = named("parked.ask_whose", campaign.client.job_reports)
    found = {one.call_job_id: one for one in ask_by_ids(ask, [call_job_id]).found}
    call = found.get(call_job_id)
    if call is None:
        raise ConfigError(
            f'campaign "{campaign.name}" knows no call {call_job_id}',
            hint="the vendor's page of the campaign shows the IDs of its calls",
        )
    if phone_of(call) != phone:
        raise ConfigError(
            f"call {call_job_id} went to another phone than the job's",
            hint="`syncd parked list` shows the job, the vendor's page the call",
        )
