"""Planning and sealing: bounded in number and bytes, each phone once, the bytes exact."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import batch as batch_module
from syncd.core.batch import BATCH_PHONES_MAX, StagedJob, plan_batch, seal
from syncd.core.keys import body_digest


def staged(n: int, phone: int | None = None, *, size: int = 10, generation: int = 1) -> StagedJob:
    """Job n, whose body has `size` bytes."""
    body = b'"' + b"x" * (size - 2) + b'"'
    return StagedJob(n, generation, phone if phone is not None else n, body, "crm")


def ids(jobs: list[StagedJob]) -> list[int]:
    return [job.id for job in jobs]


def test_the_first_jobs_are_taken() -> None:
    """So many as were asked for, in their order; less when there are fewer; none of none."""
    assert ids(plan_batch(map(staged, range(9)), phones_max=4)) == [0, 1, 2, 3]
    assert ids(plan_batch(map(staged, range(2)), phones_max=4)) == [0, 1]
    assert plan_batch([], phones_max=4) == []


def test_no_configuration_makes_an_endless_request() -> None:
    """The number of phones has a limit of its own."""
    planned = plan_batch(map(staged, range(BATCH_PHONES_MAX + 5)), phones_max=10**9)
    assert len(planned) == BATCH_PHONES_MAX


def test_a_phone_waits_for_the_next_request() -> None:
    """The second job of a phone is passed over, and what follows it is still taken."""
    jobs = [staged(1, 7), staged(2, 7), staged(3, 8)]
    assert ids(plan_batch(jobs, phones_max=9)) == [1, 3]


def test_the_body_stays_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets and commas count; a job that alone is too large goes alone."""
    monkeypatch.setattr(batch_module, "BODY_BYTES_MAX", 2 + 11 * 3)
    assert ids(plan_batch(map(staged, range(5)), phones_max=9)) == [0, 1, 2]
    huge = [staged(1, size=1_000), staged(2)]
    assert ids(plan_batch(huge, phones_max=9)) == [1]


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(2, 40)), max_size=30),
    st.integers(1, 10),
)
def test_repeated_planning_takes_every_job_once(
    given_: list[tuple[int, int]], phones_max: int
) -> None:
    """Planning until nothing is left: each job in one batch, each phone once in a batch."""
    left = [staged(n, phone, size=size) for n, (phone, size) in enumerate(given_)]
    seen: list[int] = []
    while left:
        planned = plan_batch(left, phones_max=phones_max)
        assert 1 <= len(planned) <= phones_max
        assert len({job.phone for job in planned}) == len(planned)
        seen += ids(planned)
        left = [job for job in left if job not in planned]
    assert sorted(seen) == list(range(len(given_)))


def test_a_sealed_body_is_the_stored_json_joined() -> None:
    """What is sent is what was stored, byte for byte, in the order of the jobs."""
    jobs = [staged(1), staged(2)]
    sealed = seal(jobs, ledger_id="l", campaign="c")
    assert sealed.body == b"[" + jobs[0].body + b"," + jobs[1].body + b"]"
    assert orjson.loads(sealed.body) == ["x" * 8] * 2
    assert sealed.digest == body_digest(sealed.body)
    assert sealed.jobs == tuple(jobs)


def test_a_new_generation_has_a_new_key() -> None:
    """The same body for the same job, staged again, is another request."""
    one = seal([staged(1)], ledger_id="l", campaign="c")
    two = seal([staged(1, generation=2)], ledger_id="l", campaign="c")
    assert one.body == two.body
    assert one.key != two.key


@pytest.mark.parametrize("jobs", [[], [staged(1, 7), staged(2, 7)]])
def test_what_must_not_be_sent_is_not_sealed(jobs: list[StagedJob]) -> None:
    """An empty batch, or one that names a phone twice, would be a bug."""
    with pytest.raises(AssertionError):
        seal(jobs, ledger_id="l", campaign="c")
