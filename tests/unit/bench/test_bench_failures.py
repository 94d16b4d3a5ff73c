"""The table of failures counts people rightly, and its faults are those that its words say."""

from __future__ import annotations

import pytest

from bench import leads, run
from bench.failures import __main__ as failures
from bench.failures.cases import CASES, alternating, batches_down
from bench.failures.report import Line, Outcome, as_json, markdown
from bench.failures.tools import BATCH, in_order, telling
from bench.peers.drt import international
from syncd.sandbox.faults import FaultQueue

ONCE = Outcome(3, called_twice=0, never_called=0, codes=(0,), said=("done",))
BAD = Outcome(3, called_twice=1, never_called=2, codes=(0, 1), said=("a|b", "no"))
NOBODY = Outcome(3, called_twice=0, never_called=3, codes=(4,), said=("held",))


def test_people_are_counted_by_the_calls_to_them() -> None:
    """Three calls to one are one person called twice; a call to a stranger is nobody's."""
    made = Outcome.of(["1", "2", "3"], ["1", "1", "1", "2", "9"], [0], ["said"])
    assert made == Outcome(3, called_twice=1, never_called=1, codes=(0,), said=("said",))


@pytest.mark.parametrize(
    ("outcome", "nobody", "cell"),
    [
        (ONCE, False, "each once; exit 0"),
        (BAD, False, "1 twice, 2 never; exit 0, 1"),
        (NOBODY, True, "nobody called; exit 4"),
        (ONCE, True, "3 called; exit 0"),
    ],
)
def test_a_cell_says_who_was_called(outcome: Outcome, nobody: bool, cell: str) -> None:
    """Each once is the right thing, or nobody is, by the case."""
    assert Line("case", {"tool": outcome}, nobody=nobody).cell("tool") == cell


def test_the_table_has_a_column_for_each_tool_and_a_line_for_each_run() -> None:
    """A bar in what a tool said breaks no cell; programs get the figures."""
    lines = [Line("bad day", {"drt-core": BAD, "syncd": ONCE})]
    text = markdown(lines, "three leads")
    assert "| bad day | 1 twice, 2 never; exit 0, 1 | each once; exit 0 |" in text
    assert "| bad day | drt-core | 0 | a\\|b |" in text
    assert len([line for line in text.splitlines() if line.startswith("| bad day |")]) == 4
    told = as_json(lines, "three leads")
    assert told["cases"][0]["tools"]["drt-core"]["called_twice"] == 1
    assert told["measured"] == "three leads"


def test_what_a_tool_said_is_its_last_telling_line() -> None:
    """Else its last line; else nothing."""
    output = "in the campaign  10\ntime 3 s\n\n"
    assert telling(output, "^in the campaign") == "in the campaign 10"
    assert telling(output, "^error") == "time 3 s"
    assert telling("", "^error") == ""


def test_every_other_request_fails() -> None:
    """The first request passes, the second fails, and so on."""
    queue = FaultQueue()
    queue.add(*alternating(3))
    taken = [queue.take("/api/calls/campaign/x/addPhones") is not None for _ in range(8)]
    assert taken == [False, True, False, True, False, True, False, False]


def test_every_other_batch_fails_for_as_long_as_the_outage_lasts() -> None:
    """A batch with the first lead of the second BATCH fails each time; one of the first passes."""
    rows = list(leads.rows(2 * BATCH))
    phones = [international(row[leads.COLUMNS.index("phone")]).encode() for row in rows]
    queue = FaultQueue()
    queue.add(*batches_down(rows))
    first, second = b" ".join(phones[:BATCH]), b" ".join(phones[BATCH:])
    for body, fails in ((first, False), (second, True), (second, True)):
        assert (queue.take("/addPhones", body) is not None) is fails


def test_a_source_out_of_order_has_the_same_rows() -> None:
    """The order is another one, and the same at each run."""
    rows = list(leads.rows(50))
    mixed = in_order(rows, shuffled=True)
    assert (sorted(mixed), in_order(rows, shuffled=False)) == (rows, rows)
    assert mixed == in_order(rows, shuffled=True) != rows


@pytest.mark.parametrize(
    ("main", "args", "known"),
    [
        (run.main, ["--sections", "speed,sped"], "speed, slow, large"),
        (run.main, ["--only", "nobody"], "drt-core"),
        (run.main, ["--sections", "slow", "--only", "drt"], "not in the table slow"),
        (failures.main, ["--only", "flood"], CASES[0].name),
    ],
)
def test_a_wrong_name_is_a_usage_message(
    main: object, args: list[str], known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and the names that there are; no traceback, and nothing is measured."""
    assert callable(main)
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code == 2
    assert known in capsys.readouterr().err
