"""One method for each method of the vendor; the whole surface of this room.

Must never retry, split or chunk: the engine decides, because only the ledger knows what a repeat
would do. Every method may be called by several threads, waits for its turn (`Pace`), and raises
only errors of ours, by consequence:

- `Transient`: nothing was done, or asking again changes nothing;
- `InDoubt` (the adding methods only): it may have been carried out;
- `Refused`, `NotFound`: the vendor said no to this content;
- `Unsupported` (the paged methods only): this installation lacks the method;
- `Halted`: unknown token, or a stopped campaign.

Source: Calls API, "Methods" and "Idempotence and duplicates".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import httpx

from syncd.campaign import wire
from syncd.campaign.answers import Judge, Kind
from syncd.campaign.endpoint import Endpoint
from syncd.campaign.pace import Pace
from syncd.campaign.parameters import KEY_NAME, as_form, checked_key, one_phone
from syncd.campaign.transport import Outgoing, Reply, Timeouts, Transport
from syncd.clock import Clock, SystemClock
from syncd.core.report import AttemptReport, CampaignInfo, DateFilter, JobReport
from syncd.errors import Transient
from syncd.observe import events, logs

T = TypeVar("T")

#: IDs and phones of one getReport or cancel request; longer lists are the engine's to cut.
REPORT_IDS_MAX = 500

#: Calls API, "Paging": 200 pages of 200 rows are all that one filter reaches.
PAGE_MAX = 199
PAGE_SIZE_MAX = 200

_CAMPAIGN = "/api/calls/campaign/{token}"
_CRM = "/api/crmCalls/campaign/{token}"
_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

_log = logs.get("campaign")


class CampaignClient:
    """All of the Calls API for one campaign."""

    def __init__(
        self,
        name: str,
        base_url: str,
        token: str,
        *,
        timeouts: Timeouts,
        pace: Pace,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        stop: threading.Event | None = None,
        allow_insecure: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        """Check the address; connect at the first request. Raises ConfigError.

        Args:
            name: the campaign's name in the configuration, for messages and logs.
            base_url: the host, such as "https://app.aimylogic.com"; http only to loopback.
            token: the campaign's token.
            timeouts: for each exchange.
            pace: shared by everything that asks this campaign.
            transport: in place of the network, for tests.
            clock: for durations, and for a `Retry-After` that is a date.
            stop: when set, a method that waits for its turn raises Transient.
            allow_insecure: http to other hosts than loopback.
            ca_file: PEM file of certificates to trust besides the usual ones.
        """
        self.name = name
        self._where = f'campaign "{name}"'
        self._clock = clock or SystemClock()
        self._pace = pace
        self._stop = stop or threading.Event()
        endpoint = Endpoint(base_url, token, where=self._where, allow_insecure=allow_insecure)
        self._transport = Transport(
            endpoint, timeouts=timeouts, clock=self._clock, ca_file=ca_file, transport=transport
        )

    # --- adding: asking again may call people twice

    def add_phones(
        self, body: bytes, *, key: str, before_first_byte: Callable[[], None] | None = None
    ) -> list[str]:
        """Add a batch, given as the exact bytes of a JSON array; the IDs as the vendor gives them.

        The answer may be shorter than the batch (duplicates are left out); a very much longer one
        is not read: InDoubt. `before_first_byte` is called once, when all is connected and nothing
        is sent; what it raises comes out as it is, and nothing was sent.
        """
        assert body, "a batch has a body"
        headers = {**_JSON, KEY_NAME: checked_key(key)}
        out = Outgoing("POST", f"{_CAMPAIGN}/addPhones", headers=headers, body=body)
        most = wire.ids_max(body)
        return self._ask(
            "addPhones",
            Kind.ADDING,
            out,
            lambda answer: wire.read_ids(answer, most),
            before_first_byte,
        )

    def add_phone(
        self,
        phone: int | str,
        *,
        payload: Mapping[str, str] | None = None,
        gmt_zone: str | None = None,
        key: str,
        method: Literal["GET", "POST"] = "POST",
    ) -> str:
        """Add one phone (digits, no `+`); the id of its call job.

        Every other parameter becomes the payload, and parameters are texts: so is the payload here.
        A payload with numbers or objects needs `add_phones`.
        """
        path = f"{_CRM}/addPhone"
        fields = one_phone(phone, payload, gmt_zone, where=self._where)
        checked_key(key)
        if method == "GET":
            out = Outgoing("GET", path, query={**fields, KEY_NAME: key})
        else:
            headers = {**_FORM, KEY_NAME: key}
            out = Outgoing("POST", path, headers=headers, body=as_form(fields))
        return self._ask("addPhone", Kind.ADDING, out, wire.read_one_id)

    def test_add_phone(
        self,
        phone: int | str,
        *,
        payload: Mapping[str, str] | None = None,
        gmt_zone: str | None = None,
        key: str | None = None,
    ) -> str:
        """Add one phone for a test call, which the 24 h duplicate rule does not stop."""
        query = one_phone(phone, payload, gmt_zone, where=self._where)
        if key is not None:
            query[KEY_NAME] = checked_key(key)
        out = Outgoing("GET", f"{_CRM}/test/addPhone", query=query)
        return self._ask("test/addPhone", Kind.ADDING, out, wire.read_one_id)

    # --- asking: as often as wanted

    def cancel(self, *, ids: Sequence[str] = (), phones: Sequence[int | str] = ()) -> list[str]:
        """Cancel call jobs: a call in progress is finished; the IDs of the cancelled ones."""
        return self._ask_for("callJob/cancel", ids, phones, wire.read_ids)

    def job_reports(
        self, *, ids: Sequence[str] = (), phones: Sequence[int | str] = ()
    ) -> list[JobReport]:
        """One report for each call job; NotFound (for all) when one is unknown."""
        return self._ask_for("callJob/getReport", ids, phones, wire.read_job_reports)

    def attempt_reports(
        self, *, ids: Sequence[str] = (), phones: Sequence[int | str] = ()
    ) -> list[AttemptReport]:
        """One report for each attempt; NotFound (for all) when one is unknown."""
        return self._ask_for("callAttempt/getReport", ids, phones, wire.read_attempt_reports)

    def _ask_for(
        self,
        method: str,
        ids: Sequence[str],
        phones: Sequence[int | str],
        read: Callable[[bytes], list[T]],
    ) -> list[T]:
        assert len(ids) + len(phones) <= REPORT_IDS_MAX, "the engine cuts longer lists"
        if not ids and not phones:
            return []
        body = wire.ask_for(ids=ids, phones=phones)
        out = Outgoing("POST", f"{_CAMPAIGN}/{method}", headers=_JSON, body=body)
        return self._ask(method, Kind.REPEATABLE, out, read)

    def job_reports_by_date(
        self, dates: DateFilter, *, page: int, page_size: int = PAGE_SIZE_MAX
    ) -> list[JobReport]:
        """One page of job reports; a page that is not full is the last one."""
        assert dates.started_from is dates.started_to is None, "job reports know no start"
        body = wire.ask_by_date(dates, page=page, page_size=page_size)
        return self._page("callJob/getReportByDate", body, page, page_size, wire.read_job_page)

    def attempt_reports_by_date(
        self, dates: DateFilter, *, page: int, page_size: int = PAGE_SIZE_MAX
    ) -> list[AttemptReport]:
        """One page of attempt reports; a page that is not full is the last one."""
        assert dates.created_from is dates.created_to is None, "attempts know no creation"
        body = wire.ask_by_date(dates, page=page, page_size=page_size)
        method = "callAttempt/getReportByDate"
        return self._page(method, body, page, page_size, wire.read_attempt_page)

    def unfinished(self, *, page: int, page_size: int = PAGE_SIZE_MAX) -> list[JobReport]:
        """One page of the call jobs without an end; a page that is not full is the last one."""
        body = wire.ask_page(page=page, page_size=page_size)
        return self._page("callJob/getUnfinished", body, page, page_size, wire.read_job_page)

    def _page(
        self,
        method: str,
        body: bytes,
        page: int,
        page_size: int,
        read: Callable[..., list[T] | None],
    ) -> list[T]:
        assert 0 <= page <= PAGE_MAX, "the vendor has 200 pages: split the range of dates"
        assert 1 <= page_size <= PAGE_SIZE_MAX, "a page has 1 to 200 rows"
        out = Outgoing("POST", f"{_CAMPAIGN}/{method}", headers=_JSON, body=body)
        items = self._ask(
            method, Kind.PAGED, out, lambda raw: read(raw, page=page, page_size=page_size)
        )
        if items is None:
            # Whether such a page is the last cannot be told, and "absent" is decided by it.
            raise self._judge(method, Kind.PAGED).unsupported("another page than asked for")
        return items

    # --- the campaign

    def info(self) -> CampaignInfo:
        """What the campaign is."""
        return self._ask("campaign", Kind.REPEATABLE, Outgoing("GET", _CAMPAIGN), wire.read_info)

    def status(self) -> str:
        """The campaign's status as given: `planned`, `inProcess`, `inProgress`, `paused` …."""
        out = Outgoing("GET", f"{_CAMPAIGN}/status")
        return self._ask("status", Kind.REPEATABLE, out, wire.read_status)

    def pause(self) -> None:
        """Start no new calls; Refused when the campaign is in the wrong state."""
        self._control("pause")

    def resume(self) -> None:
        """Start calls again; Refused when the campaign is in the wrong state."""
        self._control("resume")

    def stop(self) -> None:
        """End the campaign for good; Refused when it is in the wrong state."""
        self._control("stop")

    def _control(self, verb: str) -> None:
        method = f"control/{verb}"
        out = Outgoing("POST", f"{_CAMPAIGN}/{method}")
        self._ask(method, Kind.CONTROL, out, wire.read_nothing)

    # --- one request

    def _ask(
        self,
        method: str,
        kind: Kind,
        out: Outgoing,
        read: Callable[[bytes], T],
        before_first_byte: Callable[[], None] | None = None,
    ) -> T:
        if not self._pace.wait(self._stop):
            raise Transient(f"{method}: not sent, syncd is stopping", where=self._where)
        began_s = self._clock.monotonic_s()
        answer = self._transport.exchange(out, before_first_byte)
        _log.debug(
            events.REQUEST_FINISHED,
            campaign=self.name,
            method=method,
            status=answer.status if isinstance(answer, Reply) else answer.kind,
            ms=round((self._clock.monotonic_s() - began_s) * 1000),
        )
        return self._judge(method, kind).value(answer, read, now=self._clock.now())

    def _judge(self, method: str, kind: Kind) -> Judge:
        return Judge(kind, method=method, where=self._where)

    def close(self) -> None:
        """Close idle connections; the client is of no use after it."""
        self._transport.close()

    def __repr__(self) -> str:
        return f"CampaignClient({self.name!r})"
