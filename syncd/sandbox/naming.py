"""Which jobs a request means: `{"phones": …, "ids": …}`, either or both.

Owns the rule that one unknown name fails the whole request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.jobs import Job
from syncd.sandbox.refusals import RefusalError, bad_request
from syncd.sandbox.validate import phone_digits, read_json


def named(
    campaign: SandboxCampaign, body: bytes, seen: Callable[[Job], bool] = lambda _: True
) -> list[Job]:
    """The jobs that a body names, each once; RefusalError when one of them is unknown.

    A job for which `seen` is false counts as unknown. Source: Calls API, Methods.
    """
    request = read_json(body)
    if not isinstance(request, dict) or not request.keys() & {"phones", "ids"}:
        raise bad_request("the body must be an object with phones, ids or both")
    jobs: dict[int, Job] = {}
    for name in _listed(request, "ids"):
        text = str(name)
        job = campaign.jobs.get(int(text)) if text.isascii() and text.isdigit() else None
        if job is None or not seen(job):
            raise RefusalError("id.not.found", f"there is no call job with id {text}")
        jobs[job.id] = job
    for name in _listed(request, "phones"):
        found = [job for job in campaign.of_phone(_digits(name)) if seen(job)]
        if not found:
            raise RefusalError("phone.not.found", f"there is no call job with phone {name}")
        jobs |= {job.id: job for job in reversed(found)}
    return list(jobs.values())


def _listed(request: dict[str, Any], name: str) -> list[Any]:
    value = request.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_request(f"{name} must be a list")
    return value


def _digits(name: object) -> str:
    """The digits of a phone that is asked for; a bad one is simply unknown."""
    try:
        return phone_digits(name)
    except RefusalError:
        return ""
