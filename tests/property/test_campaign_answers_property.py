"""Any answer at all: a value, or an error of ours with the right consequence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from syncd.campaign import wire
from syncd.campaign.answers import RETRY_AFTER_MAX_S, RETRY_AFTER_MIN_S, Judge, Kind
from syncd.campaign.rows import Unreadable, read_time
from syncd.campaign.transport import Failure, Reply
from syncd.errors import Halted, InDoubt, Refused, SyncdError, Transient, Unsupported

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    ["type", "error", "message", "phone", "phonesDuplicates", "items", "pagination", "callJobId"]
)
types = st.sampled_from(
    ["phone.bad.format", "invalid.token", "invalid.call.task.state", "id.not.found", "new.one"]
)
objects = st.dictionaries(names | st.text(max_size=3), types | json_values, max_size=6)
bodies = st.one_of(
    st.binary(max_size=60),
    (json_values | objects | st.lists(objects, max_size=3)).map(
        lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    ),
)
replies = st.builds(
    Reply,
    st.integers(200, 599) | st.sampled_from([200, 400, 404, 405, 413, 429]),
    bodies,
    flaw=st.sampled_from(["", "", "", "cut short"]),
    retry_after=st.none() | st.text() | st.integers().map(str),
)
readers: dict[Kind, list[Callable[[bytes], object]]] = {
    Kind.ADDING: [wire.read_ids, wire.read_one_id],
    Kind.REPEATABLE: [wire.read_job_reports, wire.read_info, wire.read_status, wire.read_ids],
    Kind.PAGED: [lambda body: wire.read_attempt_page(body, page=0, page_size=2)],
    Kind.CONTROL: [wire.read_nothing],
}


def error_of(
    kind: Kind, answer: Reply | Failure, read: Callable[[bytes], object]
) -> SyncdError | None:
    try:
        Judge(kind, method="m", where="w").value(answer, read, now=NOW)
    except SyncdError as error:
        return error
    return None


CONSEQUENCES: dict[Kind, tuple[type[SyncdError], ...]] = {
    Kind.ADDING: (InDoubt, Refused, Halted),
    Kind.REPEATABLE: (Transient, Refused, Halted),
    Kind.PAGED: (Transient, Refused, Halted, Unsupported),
    Kind.CONTROL: (Transient, Refused, Halted),
}


@given(st.data(), st.sampled_from(Kind), replies)
def test_any_reply_has_one_consequence(data: st.DataObject, kind: Kind, reply: Reply) -> None:
    """An addition is never Transient once a reply came; a question is never InDoubt."""
    error = error_of(kind, reply, data.draw(st.sampled_from(readers[kind])))
    if error is None:
        assert reply.status in {200, 204}
        assert not reply.flaw
        return
    assert isinstance(error, CONSEQUENCES[kind])
    if isinstance(error, Refused):
        assert reply.status in {400, 413, 414}
    wait_s = getattr(error, "retry_after_s", None)
    assert wait_s is None or RETRY_AFTER_MIN_S <= wait_s <= RETRY_AFTER_MAX_S


@given(st.sampled_from(Kind), st.booleans())
def test_a_failure_is_a_doubt_only_for_additions_that_left(kind: Kind, left: bool) -> None:
    """What surely did not leave is tried again, whatever it was."""
    error = error_of(kind, Failure("x", left=left), wire.read_ids)
    assert type(error) is (InDoubt if left and kind is Kind.ADDING else Transient)


@given(json_values)
def test_any_value_is_a_time_or_none(value: object) -> None:
    """Reading a time never raises, and gives aware UTC."""
    at = read_time(value)
    assert at is None or at.tzinfo is UTC


@given(st.lists(objects, max_size=4))
def test_reports_keep_what_they_were_given(items: list[dict[str, object]]) -> None:
    """Each row is a report with all of its fields in `raw`, or the answer is unreadable."""
    body = orjson.dumps(items)
    try:
        reports = wire.read_job_reports(body)
    except Unreadable:
        return
    assert [dict(report.raw) for report in reports] == orjson.loads(body)
    assert all(report.call_job_id for report in reports)
