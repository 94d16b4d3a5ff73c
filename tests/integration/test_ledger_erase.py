"""Erasing a person, purging what is old: what goes, what stays, who is never called again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import MetaData, event

from syncd.core.call_job import JobState
from syncd.core.call_window import window_of
from syncd.core.erasure import key_digest, phone_digest
from syncd.errors import Transient
from syncd.ledger.erase import Erasure
from syncd.ledger.ledger import Ledger
from syncd.ledger.purge import ENDED, STEP_ROWS
from syncd.ledger.rejections import NewRejection
from tests.ledgers import (
    CAMPAIGN,
    HOUR,
    NOW,
    NOW_MS,
    SYNC,
    answered,
    assert_consistent,
    attempt,
    by,
    job,
    lead,
    new_ledger,
    one,
    page,
    phone,
    report,
    rows,
    seal,
    sealed,
    sent,
    sqlite_url,
    stage,
    states,
)

CANARY = "Canaria Secreta"
DAY = timedelta(days=1)


def person_lead(n: int, *, key: str | None = None, of: int | None = None, **more: Any) -> Any:
    """Lead n with a payload that names the person; `of`: with that lead's phone."""
    mapped = job(n if of is None else of)
    body = orjson.dumps({"phone": str(mapped.phone), "payload": {"name": CANARY}})
    return lead(n, key=key or f"canary-{n}", mapped=mapped._replace(body=body, **more))


def erase(ledger: Ledger, **who: Any) -> Erasure:
    return ledger.privacy.erase(**who, by=by("cli:erase", pass_id=None))


def everything(ledger: Ledger) -> str:
    """All that stands in all tables."""
    with ledger._store.read() as connection:
        tables = MetaData()
        tables.reflect(connection)
        return "\n".join(
            repr(tuple(row))
            for table in tables.tables.values()
            for row in connection.execute(table.select())
        )


def told_of(id_: int, number: int, *, name: str = CANARY, **more: Any) -> Any:
    """A report with what the vendor knows of the person in it."""
    raw = {"phone": str(number), "payload": {"name": name}}
    return replace(report(id_, phone=str(number), **more), raw=raw)


def put(ledger: Ledger, *found: Any, **more: Any) -> Any:
    return ledger.store_page(page(*found, **more), by=by("poll"))


def state(ledger: Ledger, job_id: int) -> tuple[str, str]:
    ((told, reason),) = rows(
        ledger, "SELECT state, reason FROM call_jobs WHERE id = :id", id=job_id
    )
    return told, reason


def test_x2_a_queued_person_is_erased_and_never_called(ledger: Ledger) -> None:
    """Staged, held and duplicate: cancelled or emptied, and the same row and phone stay out."""
    put(ledger, person_lead(1), person_lead(2, of=1), person_lead(3, held="no_zone"), lead(4))
    done = erase(ledger, key="canary-1")
    assert done.rows["leads"] == 2, "both have the phone"
    assert done.rows["call_jobs"] == 2
    assert state(ledger, 1) == ("cancelled", "erased")
    assert state(ledger, 2)[0] == "duplicate"
    erase(ledger, phones=[phone(3)])
    assert state(ledger, 3) == ("cancelled", "erased")
    told = everything(ledger)
    assert CANARY not in told
    assert "canary-1" not in told
    assert str(phone(1)) not in told
    assert str(phone(4)) in told, "nobody else was touched"
    assert_consistent(ledger)
    again = put(ledger, person_lead(1), person_lead(9, key="other-key", of=1), lead(5))
    assert (again.erased, again.staged) == (2, 1)
    assert str(phone(1)) not in everything(ledger)
    assert (
        rows(ledger, "SELECT reason, key, masked FROM rejections WHERE reason = 'erased'")
        == [("erased", None, "")] * 2
    )
    put(ledger, person_lead(1))
    assert one(ledger, "SELECT count(*) FROM rejections") == 2, "the same row is told once"
    batch = seal(ledger)
    assert batch is not None
    assert str(phone(1)).encode() not in batch.body


def test_x2_a_person_in_flight_is_not_erased_before_the_answer(ledger: Ledger) -> None:
    """The bytes of an open batch never change; with its answer the erasure goes through."""
    put(ledger, person_lead(1), lead(2))
    batch = seal(ledger)
    assert batch is not None
    for is_sent in (False, True):
        if is_sent:
            sent(ledger, batch)
        before = everything(ledger)
        with pytest.raises(Transient, match="nothing was erased"):
            erase(ledger, key="canary-1")
        assert everything(ledger) == before
    ledger.record_answer(batch, ["71", "72"], next_report_at=NOW, by=by("submit"))
    with pytest.raises(Transient, match="accepted"):
        erase(ledger, key="canary-1")
    who = ledger.privacy.person(key="canary-1")
    assert who.open_calls == ((CAMPAIGN, "71", 1),)
    erase(ledger, key="canary-1", settled=[1])
    assert state(ledger, 1) == ("closed", "erased")
    assert CANARY not in everything(ledger)
    assert_consistent(ledger)
    assert ledger.open_call_job_ids(batch.id) == ["72"]


def test_x2_a_person_whose_call_is_done_is_erased_with_reports(ledger: Ledger) -> None:
    """Raw reports, attempts and their phones go; the outcome stays as a number, and stays alone."""
    answered(ledger, 2)
    number = phone(0)
    told = told_of(1000, number, name=CANARY, attempts_count=1, finished_at=NOW)
    ledger.store_reports(CAMPAIGN, [told], by=by("pull_reports"))
    tried = replace(attempt(1000), raw={"phone": str(number), "asr": CANARY})
    ledger.store_attempts(CAMPAIGN, ["1000"], [tried], by=by("pull_reports"))
    stray = told_of(5000, number, name=CANARY, redial_number=1)
    ledger.store_reports(CAMPAIGN, [stray], by=by("pull_reports"))
    assert CANARY in everything(ledger)
    done = erase(ledger, phones=[number], settled=[1])
    assert (done.rows["reports"], done.rows["attempts"], done.rows["batches"]) == (2, 1, 1)
    assert CANARY not in everything(ledger)
    assert str(number) not in everything(ledger)
    again = ledger.store_reports(CAMPAIGN, [told, stray], by=by("pull_reports"))
    assert (again.stored, again.closed, again.mismatched) == (0, 0, ())
    assert CANARY not in everything(ledger), "a report does not bring it back"
    assert ledger.attempts_due(CAMPAIGN, limit=9) == []
    assert_consistent(ledger)


def test_rejections_and_lists_of_the_person_go_too(ledger: Ledger) -> None:
    """A record that never became a lead has a key as well, and a do-not-call list a phone."""
    bad = NewRejection(7, "phone_invalid", "+4…(9 characters)", column="phone", key="canary-7")
    put(ledger, rejections=[bad])
    with ledger._store.write("test") as connection:
        connection.exec_driver_sql(
            "INSERT INTO suppressions (list, kind, value, added_at, seen_in) "
            f"VALUES ('dnc', 'phone', '{phone(8)}', 1, 1), ('dnc', 'key', 'canary-7', 1, 1)"
        )
    done = erase(ledger, key="canary-7")
    assert (done.rows["rejections"], done.rows["suppressions"]) == (1, 1)
    assert erase(ledger, phones=[phone(8)]).rows["suppressions"] == 1
    put(ledger, rejections=[bad])
    assert "canary-7" not in everything(ledger)
    assert rows(ledger, "SELECT reason, masked FROM rejections") == [("erased", "")]


def test_one_who_was_never_seen_can_be_kept_out(ledger: Ledger) -> None:
    """A tombstone of a phone that the ledger does not know yet."""
    done = erase(ledger, phones=[phone(1)])
    assert list(done.tombstones.values()) == ["phone"]
    assert put(ledger, person_lead(1)).erased == 1
    assert erase(ledger, phones=[phone(1)]).rows["tombstones"] == 0, "known already"


def test_a_key_of_one_sync_is_not_that_of_another(ledger: Ledger) -> None:
    """Key 1 of the CRM and key 1 of the shop are two people; --sync tells them apart."""
    put(ledger, person_lead(1, key="1"))
    put(ledger, person_lead(2, key="1"), sync="shop")
    erase(ledger, key="1", sync=SYNC)
    assert states(ledger) == {"erased:1": "cancelled", "1": "staged"}
    assert put(ledger, person_lead(3, key="1")).erased == 1
    assert put(ledger, person_lead(4, key="9"), sync="shop").erased == 0
    assert len(ledger.privacy.person(key="1").leads) == 1


def test_the_evidence_names_nobody(ledger: Ledger) -> None:
    """Rows, ledger and digests; the journal keeps its digest; only the pepper opens it."""
    put(ledger, person_lead(1))
    who = ledger.privacy.person(key="canary-1")
    digests = ledger.privacy.digests(who)
    done = erase(ledger, key="canary-1")
    assert done.tombstones == digests
    assert (done.ledger_id, done.erased_at_ms) == (ledger.id, NOW_MS)
    assert str(phone(1)) not in repr(done)
    assert "canary-1" not in repr(done)
    kept = rows(ledger, "SELECT target, to_state FROM journal WHERE what = 'erasure'")
    assert kept == [(done.digest, "erased")]
    pepper = one(ledger, "SELECT value FROM meta WHERE name = 'pepper'")
    assert digests == {
        phone_digest(pepper, phone(1)): "phone",
        key_digest(pepper, SYNC, "canary-1"): "key",
    }
    assert phone_digest("another", phone(1)) not in digests


def test_without_tombstones_a_page_costs_one_small_question(ledger: Ledger) -> None:
    """Nobody pays for erasures that were never asked for."""
    asked: list[str] = []
    event.listen(ledger._store.writer, "before_cursor_execute", lambda *told: asked.append(told[2]))
    stage(ledger, 20)
    of_tombstones = [sql for sql in asked if "tombstones" in sql]
    assert len(of_tombstones) == 1


def test_the_file_forgets_what_was_erased(tmp_path: Path) -> None:
    """Not one byte of it is left in the file or its log; before, it stood in free pages too."""
    file = tmp_path / "syncd.db"
    ledger = new_ledger(sqlite_url(file))
    put(ledger, *(person_lead(n) for n in range(200)))
    batch = sent(ledger, seal(ledger))  # type: ignore[arg-type]
    ids = [str(1000 + n) for n in range(200)]
    ledger.record_answer(batch, ids, next_report_at=NOW, by=by("submit"))
    needles = [CANARY.encode(), str(phone(7)).encode()]

    def left() -> list[bytes]:
        inside = b"".join(one.read_bytes() for one in tmp_path.iterdir())
        return [needle for needle in needles if needle in inside]

    for n in range(200):
        erase(ledger, phones=[phone(n)], settled=[n + 1])
    assert left(), "a batch's body is in free pages"
    ledger.privacy.compact()
    assert left() == []
    ledger.check_file()
    assert_consistent(ledger)
    ledger.close()


def test_a_ledger_in_use_is_not_compacted(tmp_path: Path) -> None:
    """Another connection that reads keeps the log: that is said, and nothing is lost."""
    ledger = new_ledger(sqlite_url(tmp_path / "syncd.db"))
    stage(ledger, 3)
    with ledger._store.read() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT count(*) FROM leads").scalar()
        stage(ledger, 3, first=3)
        with pytest.raises(Transient, match="while another process"):
            ledger.privacy.compact()
    ledger.privacy.compact()
    assert len(states(ledger)) == 6
    ledger.close()


def ended_long_ago(ledger: Ledger) -> None:
    """Lead 0 was called and reported; lead 1 is still accepted."""
    put(ledger, person_lead(0), person_lead(1))
    batch = sent(ledger, seal(ledger))  # type: ignore[arg-type]
    ledger.record_answer(batch, ["1000", "1001"], next_report_at=NOW, by=by("submit"))
    told = told_of(1000, phone(0), name=CANARY, attempts_count=1, finished_at=NOW)
    ledger.store_reports(CAMPAIGN, [told], by=by("pull_reports"))
    tried = replace(attempt(1000), raw={"asr": CANARY})
    ledger.store_attempts(CAMPAIGN, ["1000"], [tried], by=by("pull_reports"))


def purge(ledger: Ledger, *, after: timedelta) -> dict[str, int]:
    """A whole purge of what is older than `after` from NOW on; the changed rows by table."""
    done = ledger.privacy.purge_jobs(before=NOW + after, after_id=0).rows
    done += ledger.privacy.purge_rest(
        before=NOW + after, by=by("cli:purge", pass_id=None, after=after)
    ).rows
    return dict(done)


def test_a_purge_drops_payloads_and_keeps_who_was_called(ledger: Ledger) -> None:
    """Body, raw report and raw attempt go; key, phone, state and outcome stay: no second call."""
    ended_long_ago(ledger)
    planned = dict(ledger.privacy.purgeable(before=NOW + DAY))
    done = purge(ledger, after=DAY)
    assert done == {name: n for name, n in planned.items() if n}
    assert (done["call_jobs"], done["reports"], done["attempts"]) == (1, 1, 1)
    assert rows(
        ledger,
        "SELECT key, state, phone, body <> '{}' FROM call_jobs JOIN leads "
        "ON leads.id = lead_id ORDER BY leads.id",
    ) == [
        ("canary-0", "closed", phone(0), False),
        ("canary-1", "accepted", phone(1), True),
    ]
    assert rows(ledger, "SELECT call_result, job_status, raw FROM reports") == [
        (None, "noAnswer", "{}")
    ]
    assert ledger.outcomes(CAMPAIGN) == {("noAnswer", None): 1}
    assert not sum(purge(ledger, after=DAY).values()), "a second purge finds nothing"
    assert put(ledger, person_lead(7, of=0)).duplicate == 1


def test_a_purge_leaves_what_is_young_or_open(ledger: Ledger) -> None:
    """By age of the job and of its last report; open and parked jobs keep all."""
    ended_long_ago(ledger)
    assert not sum(purge(ledger, after=-HOUR).values())
    again = told_of(1000, phone(0), name="another", finished_at=NOW)
    ledger.store_reports(CAMPAIGN, [again], by=by("pull_reports", after=5 * DAY))
    assert "call_jobs" not in {k for k, n in purge(ledger, after=3 * DAY).items() if n}
    assert set(JobState) - set(ENDED) == {
        JobState.HELD, JobState.STAGED, JobState.SEALED, JobState.ACCEPTED, JobState.PARKED
    }  # fmt: skip


def test_a_purge_removes_old_passes_and_journal_lines(ledger: Ledger) -> None:
    """But the newest pass of each kind, lines of open jobs, and the proof of purges."""
    for _ in range(3):
        made = ledger.begin_pass("poll", SYNC, now=NOW)
        ledger.finish_pass(made, outcome="done", counts={"new": 1}, now=NOW)
    put(ledger, rejections=[NewRejection(7, "phone_invalid", "+4…", key="k")])
    put(ledger, good_keys=["k"])
    put(ledger, person_lead(0))
    ledger.cancel_unsent([1], why="x", by=by("cli:cancel", pass_id=None))
    sealed(ledger, 1, first=1)
    done = purge(ledger, after=DAY)
    assert (done["passes"], done["rejections"], done["journal"]) == (2, 1, 2)
    assert len(ledger.last_passes()) == 1
    assert {row[0] for row in rows(ledger, "SELECT what FROM journal")} == {"job", "purge"}
    assert rows(ledger, "SELECT DISTINCT first_id FROM journal WHERE what = 'job'") == [(2,)]


def test_a_purge_goes_in_bounded_steps(ledger: Ledger) -> None:
    """No transaction changes more jobs than the limit; the next goes on after it."""
    count = STEP_ROWS + 5
    put(ledger, *(person_lead(n) for n in range(count)))
    ledger.cancel_unsent(list(range(1, count + 1)), why="x", by=by("cli:cancel", pass_id=None))
    first = ledger.privacy.purge_jobs(before=NOW + DAY, after_id=0)
    assert (first.rows["call_jobs"], first.after_id) == (STEP_ROWS, STEP_ROWS)
    last = ledger.privacy.purge_jobs(before=NOW + DAY, after_id=STEP_ROWS)
    assert (last.rows["call_jobs"], last.after_id) == (5, None)


def test_what_a_window_was_worked_out_from_goes_with_its_last_job(ledger: Ledger) -> None:
    """A town in the evidence is a cell of the record: it stays only while another job has it."""
    alone, shared = (
        window_of({"gmtZone": "+03:00"}, {"evidence": [["city", town, [], ""]]}, gmt_zone="+03:00")
        for town in (CANARY, "Samara")
    )
    leads = [person_lead(1, window=alone), person_lead(2, window=shared), lead(3)]
    leads[2] = lead(3, mapped=job(3)._replace(window=shared))
    put(ledger, *leads)
    erase(ledger, key="canary-1")
    erase(ledger, key="canary-2")
    assert CANARY not in everything(ledger)
    assert rows(ledger, "SELECT count(*) FROM call_windows WHERE basis LIKE '%Samara%'") == [(1,)]
    put(ledger, person_lead(4, window=shared))
    batch = seal(ledger)
    assert batch is not None
    assert batch.body.count(b'"gmtZone":"+03:00"') == 2
