"""One sending of one batch: the steps that keep the promise "never twice".

    begin    the intent is committed before the first byte leaves
    ask      the stored bytes, with the stored key
    record   the answer, the refusal, or the doubt

Submit sends what it sealed, reconcile sends what a kill or a bad network left: both by these steps.
Only `ask` may run in a thread of its own: the ledger belongs to the thread of the pass.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from syncd.clock import Moment
from syncd.core.backoff import next_try_at
from syncd.core.doubt import REFUSED_IN_DOUBT
from syncd.core.lease import claim_is_ending
from syncd.core.report_times import next_report_at
from syncd.engine.parts import Campaign
from syncd.engine.passes import Pass
from syncd.engine.refusals import end_refused
from syncd.errors import Halted, InDoubt, Refused, Transient
from syncd.ledger.answers import AnswerStored
from syncd.ledger.outbox import CLAIM_LIFE, ClaimedBatch
from syncd.observe import events, logs
from syncd.observe.steps import named

_log = logs.get("engine")


class Outcome(StrEnum):
    """How a sending ended."""

    ANSWERED = "answered"  #: the IDs are stored with their jobs
    UNMATCHED = "unmatched"  #: the IDs are stored; reports will tell whose they are
    REFUSED = "refused"  #: nothing was created; some or all jobs are staged again or refused
    NOT_SENT = "not_sent"  #: nothing left us: it goes again later
    IN_DOUBT = "in_doubt"  #: it may have been carried out: it goes again, byte for byte
    OVERTAKEN = "overtaken"  #: another claimer has it: nothing was sent or stored by us


@dataclass(frozen=True, slots=True)
class Sent:
    """How one sending ended, and what became of the batch's jobs."""

    outcome: Outcome
    jobs: Counter[str]
    must_wait: bool = False  #: the vendor asks for patience: nothing more is sent in this pass
    halted: Halted | None = None  #: the campaign takes nothing until a person acts
    heard: bool = False  #: the campaign answered, but that settles no doubt

    @property
    def failed(self) -> bool:
        """Whether no answer came."""
        return self.outcome in (Outcome.NOT_SENT, Outcome.IN_DOUBT) and not self.heard

    @property
    def answered(self) -> bool:
        """Whether the campaign answered, whatever it said."""
        answers = (Outcome.ANSWERED, Outcome.UNMATCHED, Outcome.REFUSED)
        return self.heard or self.outcome in answers


#: What came of asking the vendor: its IDs, or why there are none.
Asked = list[str] | Transient | InDoubt | Refused | Halted


def send_batch(batch: ClaimedBatch, campaign: Campaign, running: Pass) -> Sent:
    """All three steps; raises what the ledger raises."""
    begun = begin(batch, campaign, running)
    if begun is None:
        return overtaken(batch)
    return record(batch, ask(batch, begun, campaign, running), campaign, running)


def begin(batch: ClaimedBatch, campaign: Campaign, running: Pass) -> Moment | None:
    """Commit that this claimed batch is sent now, which renews the claim; since when it counts.

    None: another claimer has it, or a recovery is required: send nothing.
    """
    tools = running.tools
    tools.holding.be_heard()
    begun = Moment.of(tools.clock)
    marked = tools.ledger.mark_sent(
        batch, endpoint=campaign.endpoint, now=begun.at, by=running.by()
    )
    return begun if marked else None


def ask(batch: ClaimedBatch, begun: Moment, campaign: Campaign, running: Pass) -> Asked:
    """Send the batch's bytes once. Touches no ledger, so a thread of its own may do it."""
    tools = running.tools

    def look() -> None:
        """The last look: is the ledger still there, and the claim still ours?"""
        tools.ledger.check_file()
        if claim_is_ending(begun.elapsed_s(tools.clock), CLAIM_LIFE):
            raise Transient("the claim of the batch was about to end before its first byte")
        if not tools.holding.heard_since(begun):
            raise Transient("another instance may have the batch: the ledger could not be reached")

    try:
        add = named("batch.send", campaign.client.add_phones)
        return add(batch.body, key=batch.key, before_first_byte=look)
    except (Transient, InDoubt, Refused, Halted) as error:
        return error


def record(batch: ClaimedBatch, asked: Asked, campaign: Campaign, running: Pass) -> Sent:
    """Commit how the sending ended."""
    if isinstance(asked, list):
        return _answered(batch, campaign, running, asked)
    if isinstance(asked, Transient):
        return _no_answer(batch, campaign, running, asked, in_doubt=False)
    if isinstance(asked, InDoubt):
        return _no_answer(batch, campaign, running, asked, in_doubt=True)
    return _refused(batch, campaign, running, asked)


def overtaken(batch: ClaimedBatch) -> Sent:
    """Nothing was sent: another claimer has the batch."""
    return _sent(Outcome.OVERTAKEN, batch)


def _sent(outcome: Outcome, batch: ClaimedBatch, **jobs: int) -> Sent:
    return Sent(outcome, Counter(jobs or {outcome.value: batch.size}))


def _answered(batch: ClaimedBatch, campaign: Campaign, running: Pass, ids: list[str]) -> Sent:
    now = running.tools.clock.now()
    stored = running.tools.ledger.record_answer(
        batch,
        ids,
        next_report_at=next_report_at(now, sent_at=now, every=campaign.report_every),
        by=running.by(),
    )
    if stored is AnswerStored.OVERTAKEN:
        return overtaken(batch)
    _log.debug(
        events.BATCH_ANSWERED,
        campaign=campaign.name,
        batch_id=batch.id,
        jobs=batch.size,
        ids=len(ids),
    )
    if stored is AnswerStored.BY_POSITION:
        return _sent(Outcome.ANSWERED, batch)
    _log.warning(
        events.ANSWER_SHORTENED,
        campaign=campaign.name,
        batch_id=batch.id,
        jobs=batch.size,
        ids=len(ids),
    )
    return _sent(Outcome.UNMATCHED, batch)


def _no_answer(
    batch: ClaimedBatch,
    campaign: Campaign,
    running: Pass,
    error: Transient | InDoubt,
    *,
    in_doubt: bool,
) -> Sent:
    """No definitive answer came: the batch goes again, and the doubt, if there is one, is kept."""
    tools = running.tools
    now, asked_s = tools.clock.now(), error.retry_after_s
    next_at = next_try_at(now, batch.sends + 1, jitter=tools.random.random(), retry_after_s=asked_s)
    if in_doubt:
        next_at = max(next_at, now + campaign.quiet)
    if asked_s is not None:
        tools.ledger.wait_until(campaign.name, now + timedelta(seconds=asked_s))
    must_wait = asked_s is not None
    recorded = tools.ledger.record_no_answer(
        batch, in_doubt=in_doubt, outcome=error.what, next_at=next_at
    )
    if not recorded:
        return replace(_sent(Outcome.OVERTAKEN, batch), must_wait=must_wait)
    _tell_no_answer(batch, campaign, error, in_doubt=in_doubt)
    outcome = Outcome.IN_DOUBT if in_doubt else Outcome.NOT_SENT
    return replace(_sent(outcome, batch), must_wait=must_wait)


def _tell_no_answer(
    batch: ClaimedBatch, campaign: Campaign, error: Transient | InDoubt, *, in_doubt: bool
) -> None:
    if in_doubt:
        _log.warning(
            events.BATCH_DOUBTED,
            campaign=campaign.name,
            batch_id=batch.id,
            jobs=batch.size,
            sends=batch.sends + 1,
            reason=str(error),
        )
    else:
        _log.warning(
            events.SEND_DEFERRED,
            campaign=campaign.name,
            batch_id=batch.id,
            reason=str(error),
            retry_after_s=error.retry_after_s,
        )


def _refused(
    batch: ClaimedBatch, campaign: Campaign, running: Pass, error: Refused | Halted
) -> Sent:
    """A refusal ends the batch only when no earlier sending may have created the calls."""
    if batch.doubtful:
        doubt = InDoubt(f"{REFUSED_IN_DOUBT}: {error.what}")
        sent = replace(_no_answer(batch, campaign, running, doubt, in_doubt=True), heard=True)
    else:
        ended = end_refused(batch, campaign, running, error)
        if ended is None:
            return overtaken(batch)
        jobs, held = ended
        sent = Sent(Outcome.REFUSED, jobs, halted=held)
    if isinstance(error, Halted):
        if running.tools.ledger.halt(campaign.name, error.what, by=running.by()):
            _log.error(
                events.CAMPAIGN_HALTED, campaign=campaign.name, reason=str(error), hint=error.hint
            )
        running.halt_told = True
        return replace(sent, halted=error)
    return sent
