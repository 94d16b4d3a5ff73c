"""Which staged jobs go into one request: bounded in number and bytes, each phone once.

Pure: the ledger reads the staged jobs and stores what is planned here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from syncd.core.keys import body_digest, idempotence_key

#: No limit is published (Calls API, addPhones); these keep a request within what proxies take.
BATCH_PHONES_MAX = 5_000
BODY_BYTES_MAX = 4 * 1024 * 1024


class StagedJob(NamedTuple):
    """What planning needs to know of a staged job; a light tuple, for there are many."""

    id: int
    generation: int
    phone: int
    body: bytes
    sync: str


@dataclass(frozen=True, slots=True)
class SealedBody:
    """The exact bytes of one request, the jobs in their order, and the key."""

    jobs: tuple[StagedJob, ...]
    body: bytes
    digest: str
    key: str


def plan_batch(jobs: Iterable[StagedJob], *, phones_max: int) -> list[StagedJob]:
    """The first jobs that fit into one request.

    A phone that is already in the batch waits for the next one: a batch that names one phone
    twice is refused whole (Calls API, `phone.duplicated`).
    """
    planned: list[StagedJob] = []
    phones: set[int] = set()
    size, jobs_max = 2, min(phones_max, BATCH_PHONES_MAX)
    for job in jobs:
        if len(planned) == jobs_max:
            break
        if job.phone in phones:
            continue
        size += len(job.body) + 1
        if planned and size > BODY_BYTES_MAX:
            break
        phones.add(job.phone)
        planned.append(job)
    return planned


def seal(jobs: Sequence[StagedJob], *, ledger_id: str, campaign: str) -> SealedBody:
    """Join the jobs' stored JSON into the body that will be sent, now and at every resend."""
    assert jobs, "an empty batch is never sealed"
    assert len({job.phone for job in jobs}) == len(jobs), "a phone stands once in a batch"
    body = b"[" + b",".join([job.body for job in jobs]) + b"]"
    digest = body_digest(body)
    members = [(job.id, job.generation) for job in jobs]
    key = idempotence_key(ledger_id, campaign, members, digest)
    return SealedBody(tuple(jobs), body, digest, key)
