"""Stories that bring syncd to each of its named steps; together they reach all of them.

A story is told the same way whether a process is killed in it or not, and it ends the same: who is
to be called has one call, and nobody else has any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.sandbox.faults import Fault
from tests.crash.processes import Axe
from tests.crash.scene import DAY_S, HOUR_S, LONG_S, Scene
from tests.running import phone_of

#: Steps that no command leads to, and why.
UNREACHED = {
    "recovery.require": "a verb for embedders: a failover is noted inside another commit",
}
#: Steps that only one kind of ledger has, or has a way to in these stories.
ONLY_ON = {
    "batch.free_claims": "sqlite",
    "campaign.take_turn": "postgresql",
    "instance.forget_others": "sqlite",
    "lease.release": "postgresql",
    "lease.rest": "postgresql",
    "lease.take": "postgresql",
    "ledger.compact": "sqlite",
    "witness.renew": "sqlite",
}
BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Story:
    """A story, on which ledgers it can be told, and how the sandbox is set up for it."""

    name: str
    tell: Callable[[Scene], None]
    shows: tuple[str, ...]  #: the steps that it is told for
    ledgers: tuple[str, ...] = BOTH
    axes: tuple[Axe, ...] = ()  #: where a process is killed whatever else befalls
    sandbox: dict[str, Any] = field(default_factory=dict)

    def shown_on(self, ledger: str) -> list[str]:
        """The steps that it is told for and that this kind of ledger has."""
        return [step for step in self.shows if ONLY_ON.get(step, ledger) == ledger]


STORIES: dict[str, Story] = {}


def story(
    *,
    shows: str,
    ledgers: tuple[str, ...] = BOTH,
    axes: tuple[Axe, ...] = (),
    **sandbox: Any,
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    def add(tell: Callable[[Scene], None]) -> Callable[[Scene], None]:
        STORIES[tell.__name__] = Story(
            tell.__name__, tell, tuple(shows.split()), ledgers, axes, sandbox
        )
        return tell

    return add


@story(
    shows="""
        schema.upgrade instance.beat instance.forget_others instance.sign_off
        batch.free_claims page.store poll.finish pass.begin pass.finish batch.seal
        batch.mark_sent batch.send request.send batch.record_answer batch.claim
        reports.ask_by_date reports.store reports.set_walked_to attempts.ask
        attempts.store witness.renew
    """,
)
def first_days(scene: Scene) -> None:
    """A ledger is made, three batches go out, and two days later every outcome is known."""
    scene.configure()
    scene.export(range(12))
    scene.do("init", codes=(0, 2))
    scene.do("backfill leads --yes")
    scene.do("once")
    scene.pass_time(2 * DAY_S)
    scene.do("once")
    scene.settle()
    scene.assert_called(*range(12))
    assert scene.states() == {"closed": 12}
    (attempts,) = scene.ledger.rows("SELECT count(*) FROM attempts")
    assert attempts[0] == len(scene.box.calls())


@story(
    shows="""
        campaign.take_turn lease.take lease.release page.store batch.seal
        batch.mark_sent batch.send batch.record_answer batch.claim
    """,
    ledgers=("postgresql",),
)
def neighbours(scene: Scene) -> None:
    """Another instance is at work on the ledger, so that requests take turns."""
    scene.configure()
    scene.export(range(12))
    scene.do("init", codes=(0, 2))
    scene.ledger.add_neighbour()
    scene.do("once")
    scene.settle()
    scene.assert_called(*range(12))


@story(
    shows="""
        lease.rest page.store batch.mark_sent batch.record_answer
    """,
)
def a_daemon(scene: Scene) -> None:
    """`syncd run` does it all, and ends by SIGTERM."""
    scene.configure()
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    scene.run_until_idle()
    scene.settle()
    scene.assert_called(*range(8))


@story(
    shows="batch.record_no_answer campaign.note_failure campaign.note_answer campaign.wait",
)
def a_bad_network(scene: Scene) -> None:
    """Answers are lost, day after day, and the campaign asks for patience."""
    scene.configure()
    scene.export(range(4))
    scene.do("init", codes=(0, 2))
    for day, fault in enumerate(("answer_lost", "http_500_after", "http_429", "http_429"), 1):
        patience = {"retry_after": 600} if fault == "http_429" else {}
        scene.box.faults.add(Fault(fault, path="addPhones", **patience))
        scene.export(range(4 * day))
        scene.do("once", codes=(0, 1))
        scene.pass_time(LONG_S)
        scene.do("reconcile", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(16))


@story(
    shows="batch.let_go",
    axes=(
        Axe("batch.mark_sent", "after"),
        Axe("batch.send", "after"),
        Axe("batch.record_answer", "before"),
    ),
)
def lives_after_deaths(scene: Scene) -> None:
    """Senders were killed; each next life finds a claim of theirs, and must still be quiet."""
    scene.configure()
    scene.export(range(16))
    scene.do("init", codes=(0, 2))
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(16))


@story(
    shows="""
        campaign.halt campaign.ask_status campaign.resume campaign.release
    """,
)
def a_campaign_that_stops(scene: Scene) -> None:
    """The token is unknown for a while; then an error that nobody knows holds the campaign."""
    scene.configure()
    scene.export(range(4))
    scene.do("init", codes=(0, 2))
    scene.box.set_tokens("1.2.another")
    scene.do("once", codes=(3,))
    scene.box.set_tokens(scene.token)
    scene.box.faults.add(Fault("refused", path="addPhones", error={"type": "never.heard.of"}))
    scene.do("once", codes=(0, 1, 3))
    scene.do("campaign release welcome", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(4))


@story(
    shows="batch.record_refusal",
)
def a_refused_phone(scene: Scene) -> None:
    """The vendor refuses one phone by name: that lead is not called, all others are."""
    error = {"type": "phone.bad.format", "phone": phone_of(2).lstrip("+")}
    scene.configure()
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    scene.box.faults.add(
        Fault("refused", path="addPhones", where=error["phone"], count=None, error=error)
    )
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.assert_called(*{*range(8)} - {2})
    assert scene.states()["refused"] == 1


@story(
    shows="duplicate.ask duplicate.record_found",
    duplicates="error",
    duplicate_hours=1_000,
)
def a_phone_that_the_vendor_refuses_twice(scene: Scene) -> None:
    """Another program has added one of them: the vendor says so, and that call is found."""
    scene.configure()
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    scene.call_from_elsewhere(2)
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(8))


@story(
    shows="batch.ask_whose batch.match_answer",
    duplicates="ignore",
    duplicate_hours=1_000,
)
def a_short_answer(scene: Scene) -> None:
    """Another program has added one of them: the vendor leaves it out, and reports tell whom."""
    scene.configure()
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    scene.call_from_elsewhere(2)
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(8))


@story(
    shows="batch.adopt batch.look_again batch.record_absent",
)
def old_doubts(scene: Scene) -> None:
    """No answer until the keys are too old: one batch was carried out, the other one was not."""
    _old_doubts(scene)


@story(
    shows="calls.ask_by_phone",
    paging=False,
)
def old_doubts_without_dates(scene: Scene) -> None:
    """The same where the installation has no reports by date."""
    _old_doubts(scene)


def _old_doubts(scene: Scene) -> None:
    scene.configure()
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    scene.box.faults.add(
        Fault("answer_lost", path="addPhones"), Fault("request_lost", path="addPhones")
    )
    scene.do("once", codes=(0, 1))
    scene.pass_time(20 * HOUR_S)
    scene.do("reconcile", codes=(0, 1))
    scene.pass_time(LONG_S)
    scene.do("reconcile", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(8))


@story(
    shows="""
        parked.adopt parked.ask_whose parked.settle reports.ask_by_id batch.note_asked
    """,
)
def a_person_decides(scene: Scene) -> None:
    """A batch was lost and the token changed: what cannot be known is parked, and then decided."""
    scene.configure()
    scene.export(range(4))
    scene.do("init", codes=(0, 2))
    scene.box.faults.add(Fault("request_lost", path="addPhones"))
    scene.do("once", codes=(0, 1))
    scene.token = "1.2.another"
    scene.box.set_tokens(scene.token)
    scene.configure()
    scene.pass_time(3 * HOUR_S)
    scene.do("reconcile", codes=(0, 1))
    scene.pass_time(LONG_S)
    scene.do("reconcile", codes=(0, 1))
    first, second, third, fourth = scene.ids("parked")
    scene.do(f"parked release {first} --yes", codes=(0, 2))
    scene.do(f"parked drop {second} --yes", codes=(0, 2))
    scene.do(f"parked adopt {third} {scene.call_by_hand(2)}", codes=(0, 2))
    scene.do(f"parked release {fourth} --yes", codes=(0, 2))
    scene.settle()
    scene.assert_called(0, 2, 3)
    assert scene.states()["cancelled"] == 1


@story(shows="job.cancel job.note_cancel job.cancel_unsent")
def a_person_cancels(scene: Scene) -> None:
    """One lead is held, others are at the vendor: a person cancels them by command."""
    scene.box.book.campaign(scene.box.token).dialer.paused = True
    scene.configure()
    scene.export(range(6), no_zone={5})
    scene.do("init", codes=(0, 2))
    scene.do("once", codes=(0, 1))
    for key in (5, 1, 2, 3):
        scene.do(f"cancel {key} --yes", codes=(0, 1))
    scene.settle()
    assert scene.states()["cancelled"] > 0
    _let_dial(scene)
    assert scene.dialled() == {0, 4}


@story(
    shows="poll.settle job.approve",
)
def guards(scene: Scene) -> None:
    """A poll brings more than is allowed: nobody is called before a person agrees."""
    scene.configure(policy="max_new_per_poll = 4")
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    scene.do("once", codes=(4,))
    assert scene.called() == {}
    scene.do("approve leads", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(8))


@story(
    shows="job.hold",
)
def a_full_day(scene: Scene) -> None:
    """More leads than a day may have: the rest waits for a person."""
    scene.configure(campaign="max_jobs_per_day = 4")
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    scene.do("once", codes=(4,))
    assert len(scene.called()) == 4
    scene.do("approve leads", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(8))


LISTS = """
[sources.dnc]
kind = "csv"
path = "dnc.csv"
renamed = true

[suppressions.dnc]
source = "dnc"
phone = "phone"
"""


@story(
    shows="""
        suppression.store suppression.finish suppression.take_off job.withdraw
        withdrawal.mark_asked withdrawal.cancel withdrawal.record withdrawal.ask
        withdrawal.settle
    """
)
def a_do_not_call_list(scene: Scene) -> None:
    """People come onto a do-not-call list, one after another, and one leaves it."""
    scene.box.book.campaign(scene.box.token).dialer.paused = True
    scene.configure(more=LISTS)
    scene.export(range(8), no_zone={6})
    _bar(scene, 90, 7)
    scene.do("init", codes=(0, 2))
    scene.do("once", codes=(0, 1))
    for last in range(4):
        _bar(scene, 90, 7, *range(last + 1))
        scene.do("once", codes=(0, 1))
    _bar(scene, 7, *range(4))
    scene.do("once", codes=(0, 1))
    scene.settle()
    _let_dial(scene)
    assert scene.dialled() == {4, 5}
    gone = scene.ledger.rows("SELECT value FROM suppressions WHERE gone_at IS NOT NULL")
    assert [row[0] for row in gone] == [phone_of(90).lstrip("+")]


@story(shows="job.withdraw page.store")
def a_row_that_comes_back(scene: Scene) -> None:
    """Two rows leave the export before they are called; one of them comes back, with its zone."""
    scene.configure(policy='on_withdrawn = "cancel"\nwithdrawn_share_max = 1.0')
    scene.export(range(4), no_zone={1, 2})
    scene.do("init", codes=(0, 2))
    scene.do("once", codes=(0, 1))
    scene.export({0, 3})
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.export({0, 1, 3})
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.assert_called(0, 1, 3)


def _bar(scene: Scene, *numbers: int) -> None:
    scene.write("dnc.csv", [("phone",), *((phone_of(n),) for n in numbers)])


@story(
    shows="""
        person.cancel person.erase purge.jobs purge.rest ledger.compact
    """,
)
def forgetting(scene: Scene) -> None:
    """A person is erased before they are called; later, what ended long ago is purged."""
    scene.box.book.campaign(scene.box.token).dialer.paused = True
    scene.configure()
    scene.export(range(4))
    scene.do("init", codes=(0, 2))
    scene.do("once")
    scene.do("erase 2 --yes", codes=(0, 1))
    scene.export(range(5))
    scene.do("once", codes=(0, 1))
    _let_dial(scene)
    scene.do("once", codes=(0, 1))
    scene.pass_time(3 * DAY_S)
    scene.do("purge --older-than 1d --yes", codes=(0, 1))
    scene.do("db compact", codes=(0, 2))
    scene.settle()
    assert scene.dialled() == {0, 1, 3, 4}
    assert scene.ledger.rows("SELECT count(*) FROM tombstones")[0][0] > 0


@story(
    shows="recovery.doubt recovery.keep recovery.end",
)
def after_a_restore(scene: Scene) -> None:
    """The campaign has calls that the ledger lacks: they are found before anything is sent."""
    scene.configure()
    scene.export(range(4))
    scene.do("init", codes=(0, 2))
    for number in (1, 2):
        scene.call_by_hand(number)
    scene.do("recover --since 1d")
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(4))


@story(
    shows="retry.stage retry.note_trip",
)
def a_second_chance(scene: Scene) -> None:
    """Two leads were refused, which is mended: they go again, the last one past a tripwire."""
    scene.configure(policy="max_new_per_poll = 8")
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    for number in (2, 5, 6):
        phone = phone_of(number).lstrip("+")
        error = {"type": "phone.bad.format", "phone": phone}
        fault = Fault("refused", path="addPhones", where=phone, count=None, error=error)
        scene.box.faults.add(fault)
    scene.do("once", codes=(0, 1))
    scene.settle()
    assert scene.states()["refused"] == 3
    scene.box.faults.clear()
    scene.do("retry leads --yes --limit 1", codes=(0, 1))
    scene.configure(policy="max_new_per_poll = 1")
    scene.do("retry leads --yes", codes=(0, 1, 4))
    scene.do("approve leads", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(8))


@story(
    shows="sweep.keep_strangers sweep.sort_out sweep.note_end",
)
def calls_by_hand(scene: Scene) -> None:
    """An operator called one of the leads and a stranger: the sweep sees it before the sending."""
    scene.configure()
    scene.export(range(8))
    scene.do("init", codes=(0, 2))
    for number in (2, 20):
        scene.call_by_hand(number)
    scene.pass_time(HOUR_S)
    scene.do("once", codes=(0, 1))
    scene.settle()
    scene.assert_called(*range(8), 20)
    assert scene.states()["duplicate"] == 1


#: Nine attempts, one a day.
PATIENT = """
[syncs.leads.map.maxAttempts]
value = 9

[syncs.leads.map.retryIntervalInMinutes]
value = 1440
"""


@story(shows="slice.push slice.renew batch.seal")
def weeks_with_a_holiday(scene: Scene) -> None:
    """A slice passes before its jobs are sent; what the next one leaves over follows in a third."""
    holiday = datetime.now(UTC) + timedelta(days=40)
    scene.configure(hours=f"closed = [{holiday:%Y-%m-%d}]", more=PATIENT)
    scene.export((90, 91))
    scene.do("init", codes=(0, 2))
    scene.box.set_tokens("1.2.another")
    scene.do("once", codes=(3,))
    scene.pass_time(8 * DAY_S)
    scene.box.set_tokens(scene.token)
    for _ in range(3):
        scene.do("once", codes=(0, 1))
    for _ in range(4):
        scene.pass_time(4 * DAY_S)
        scene.do("once", codes=(0, 1))
        scene.settle()
    assert scene.called() == {90: 1, 91: 2}, scene.output
    attempts = [call.job.phone[-2:] for call in scene.box.calls()]
    assert (attempts.count("90"), attempts.count("91")) == (1, 9)
    assert len(scene.known_calls()) == 3
    assert scene.states() == {"closed": 3}


@story(shows="job.queue_again withdrawal.settle")
def other_hours(scene: Scene) -> None:
    """Two leads are at the vendor when the hours change: they are cancelled, and go again."""
    scene.box.book.campaign(scene.box.token).dialer.paused = True
    scene.configure(hours='week = { mon-sun = ["10:00-12:00"] }')
    scene.export(range(2))
    scene.do("init", codes=(0, 2))
    scene.do("once")
    scene.configure(hours='week = { mon-sun = ["13:00-15:00"] }')
    scene.do("requeue --yes")
    scene.settle()
    _let_dial(scene)
    scene.settle()
    assert scene.dialled() == {0, 1}
    assert scene.states() == {"closed": 4}


def _let_dial(scene: Scene) -> None:
    """The vendor's dialer, which stood still, makes what is to be made."""
    scene.box.book.campaign(scene.token).dialer.paused = False
    scene.pass_time(2 * DAY_S)
