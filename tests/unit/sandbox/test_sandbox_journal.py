"""The state file brings everything back, after a kill too."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.sandbox.book import Book
from syncd.sandbox.clock import VirtualClock, parse_ms
from syncd.sandbox.journal import Journal, StateError
from syncd.sandbox.knobs import Knobs
from syncd.sandbox.refusals import RefusalError
from syncd.sandbox.verdict import verdict

START_MS = parse_ms("2026-11-23T08:00:00Z")
TOKEN = "a"


def opened(path: Path, **options: Any) -> tuple[Book, Journal]:
    """A book over a state file; the journal is closed by the test: a death of the process."""
    journal = Journal(path)
    clock = VirtualClock(START_MS, 0.0, lambda: 1_000.0)
    return Book(clock, [TOKEN, "b"], journal=journal, **options), journal


def picture(book: Book) -> dict[str, Any]:
    """Everything that can be seen of a book."""
    book.now_ms()
    return {
        "now": book.now_ms(),
        "verdict": verdict(book),
        "campaigns": [
            (c.info(), [job.report() for job in c.created], [a.report() for a in c.dialled])
            for c in book.campaigns.values()
        ],
        "closed": [[job.id for job in c.closed] for c in book.campaigns.values()],
    }


def busy(book: Book) -> None:
    """A little of everything."""
    jobs = [{"phone": f"4477009000{number}", "payload": {"n": number}} for number in range(10, 99)]
    book.add_phones(TOKEN, orjson.dumps(jobs, option=orjson.OPT_INDENT_2), "first")
    book.move_clock(advance_s=600)
    book.add_phones("b", orjson.dumps(jobs[:5]), None)
    book.add_phone("b", "12125550191", {"name": "A"}, "UTC", "k")
    book.add_phone("b", "12125550190", None, None, None, test=True)
    book.move_clock(advance_s=60)
    book.cancel("b", orjson.dumps({"phones": ["447700900010", "12125550191"]}))
    book.control(TOKEN, "pause")
    book.move_clock(advance_s=3600)
    book.control(TOKEN, "resume")
    book.move_clock(advance_s=7200)
    first, second = (campaign.id for campaign in book.campaigns.values())
    book.add_by_operator(first, orjson.dumps(jobs[5:7]))
    book.turn({"cache_refusals": True, "id_order": "shuffled", "key_hours": 30})
    with suppress(RefusalError):
        book.add_phones(TOKEN, b'[{"phone": "1"}]', "refused")
    book.set_tokens(first, [TOKEN, "new"])
    book.add_phones("new", orjson.dumps(jobs[7:12]), "shuffled")
    book.control("b", "stop")
    book.set_tokens(second, [])


def test_a_new_process_sees_what_the_old_one_left(tmp_path: Path) -> None:
    """Jobs, calls, keys, states and time are the same, and life goes on alike."""
    book, journal = opened(tmp_path / "state", seed=7)
    busy(book)
    before = picture(book)
    journal.close()
    again, journal = opened(tmp_path / "state", seed=8, lines=1)
    assert picture(again) == before
    for each in (book, again):
        each._journal = None
        each.move_clock(advance_s=86_400 / 2)
    assert picture(again) == picture(book)
    answer = again.add_phones(TOKEN, b"[]", "first").answer
    assert len(orjson.loads(answer)) == 89
    assert again.knobs == book.knobs
    for token, key in ((TOKEN, "refused"), ("new", "shuffled"), ("b", "first")):
        assert asked(again, token, key) == asked(book, token, key)
    journal.close()


def asked(book: Book, token: str, key: str) -> Any:
    """The answer to a key, or the refusal."""
    try:
        return book.add_phones(token, b"[]", key).answer
    except RefusalError as refusal:
        return refusal.status, refusal.body


def test_knobs_of_the_file_hold(tmp_path: Path) -> None:
    """As seed and lines do: what a restart asks for is not taken."""
    _, journal = opened(tmp_path / "state", knobs=Knobs(key_hours=3))
    journal.close()
    book, journal = opened(tmp_path / "state", knobs=Knobs(key_hours=9))
    assert book.knobs.key_hours == 3
    journal.close()


def test_a_token_that_was_added_opens_no_campaign_of_its_own(tmp_path: Path) -> None:
    """When the next start names it."""
    book, journal = opened(tmp_path / "state")
    book.set_tokens(book.campaign("b").id, ["c"])
    journal.close()
    journal = Journal(tmp_path / "state")
    again = Book(VirtualClock(START_MS, 0.0), ["c", TOKEN], journal=journal)
    assert list(again.campaigns) == [TOKEN, "b"]
    assert again.campaign("c") is again.campaigns["b"]
    journal.close()


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    """What was written in part was never answered: it is dropped, the rest is kept."""
    book, journal = opened(tmp_path / "state")
    busy(book)
    before = picture(book)
    journal.close()
    with (tmp_path / "state").open("ab") as file:
        file.write(b'{"do":"add_phones","at":17')
    again, journal = opened(tmp_path / "state")
    assert picture(again) == before
    again.add_phones(TOKEN, b'[{"phone": "12125550110"}]', None)
    journal.close()
    third, journal = opened(tmp_path / "state")
    assert len(third.campaigns[TOKEN].jobs) == len(again.campaigns[TOKEN].jobs)
    journal.close()


def test_new_tokens_join_an_old_state(tmp_path: Path) -> None:
    """A token that the state file lacks gets a campaign of its own behind the others."""
    _, journal = opened(tmp_path / "state")
    journal.close()
    journal = Journal(tmp_path / "state")
    book = Book(VirtualClock(START_MS, 0.0), ["c", TOKEN], journal=journal)
    assert [campaign.token for campaign in book.campaigns.values()] == [TOKEN, "b", "c"]
    journal.close()


def test_a_reset_empties_the_file(tmp_path: Path) -> None:
    """After a reset the old life does not come back."""
    book, journal = opened(tmp_path / "state")
    busy(book)
    book.reset()
    now_ms = book.now_ms()
    journal.close()
    again, journal = opened(tmp_path / "state")
    assert again.campaigns[TOKEN].jobs == {}
    assert again.now_ms() == now_ms
    journal.close()


def test_the_file_is_private(tmp_path: Path) -> None:
    """It holds tokens and phones: mode 0600."""
    Journal(tmp_path / "state").close()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600


def test_two_processes_cannot_share_a_file(tmp_path: Path) -> None:
    """The second is refused, and the file stays as it was."""
    first = Journal(tmp_path / "state")
    with pytest.raises(StateError, match="another process"):
        Journal(tmp_path / "state")
    first.close()


@pytest.mark.parametrize(
    "content", [b"id;phone\n1;2\n", b"{}\n", b'{"format":1}\n', b"[]\n", b"no line end"]
)
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """A file that no sandbox wrote is not overwritten."""
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(StateError, match="no state file"):
        Journal(tmp_path / "state")
    assert (tmp_path / "state").read_bytes() == content


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """The reason is named."""
    with pytest.raises(StateError, match="No such file"):
        Journal(tmp_path / "nowhere" / "state")
