"""What a backfill shows: a bar on a terminal, a line every ten seconds in a pipe, a summary."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from syncd.cli import common
from syncd.cli.pass_table import as_data, say_errors
from syncd.engine.backfill import Progress
from syncd.engine.passes import PassResult

_LINE_EVERY_S = 10.0
_BAR_EVERY_S = 0.1


@contextmanager
def shown(progress: Progress, *, quiet: bool) -> Iterator[Callable[[], float]]:
    """Show `progress` on stderr while the block runs; gives the seconds since it began."""
    started_s = time.monotonic()
    ended = threading.Event()
    show = _show_bar if sys.stderr.isatty() else _show_lines

    def elapsed() -> float:
        return time.monotonic() - started_s

    thread = threading.Thread(target=show, args=(progress, ended, elapsed), name="progress")
    if not quiet:
        thread.start()
    try:
        yield elapsed
    finally:
        ended.set()
        if not quiet:
            thread.join()


def _show_lines(progress: Progress, ended: threading.Event, elapsed: Callable[[], float]) -> None:
    while not ended.wait(_LINE_EVERY_S):
        common.say(line_of(progress, elapsed()))


def line_of(progress: Progress, elapsed_s: float) -> str:
    """How far it is, as one line; of ten million leads it still has 100 columns."""
    share = "" if progress.source is None else f"{progress.source:.0%} of the source, "
    # A source with batches that wait is read, so its share would say nothing.
    head = "some batches wait, " if progress.waiting else share
    return (
        f"{head}{progress.records:,} records, {progress.new:,} new, "
        f"{progress.answered:,} in the campaign, "
        f"{progress.answered / max(elapsed_s, 0.001):,.0f} leads/s"
    )


def _show_bar(progress: Progress, ended: threading.Event, elapsed: Callable[[], float]) -> None:
    from rich import progress as bar
    from rich.console import Console

    bars = bar.Progress(
        bar.TextColumn("{task.description}"),
        bar.BarColumn(bar_width=None),
        bar.TextColumn("{task.percentage:>3.0f} %"),
        bar.TextColumn("{task.fields[leads]}"),
        bar.TimeElapsedColumn(),
        bar.TextColumn("left"),
        bar.TimeRemainingColumn(),
        console=Console(stderr=True),
        expand=True,
    )
    with bars:
        task = bars.add_task("reading", total=1.0, leads="")
        while True:
            last = ended.wait(_BAR_EVERY_S)
            rate = progress.answered / max(elapsed(), 0.001)
            bars.update(
                task,
                total=None if progress.source is None else 1.0,
                completed=_share(progress),
                description="waiting" if progress.waiting else "backfill",
                leads=f"{progress.answered:,} leads · {rate:,.0f}/s",
            )
            if last:
                return


def _share(progress: Progress) -> float:
    """Done is what the campaign has, so the bar stands between read and answered."""
    if progress.source is None:
        return 0.0
    sent = progress.answered / progress.to_send if progress.to_send else 1.0
    return progress.source * min(sent, 1.0)


def summarise(sync: str, results: Sequence[PassResult], *, elapsed_s: float, as_json: bool) -> None:
    """The counts of the whole backfill on stdout."""
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.counts)
    if as_json:
        common.print_json(
            {
                "sync": sync,
                "seconds": round(elapsed_s, 3),
                "counts": {name: n for name, n in counts.items() if n},
                "passes": [as_data(result) for result in results],
            }
        )
        return
    from syncd.cli.tables import cell, console, new_table

    table = new_table("what", "count", right=["count"])
    for name, meaning in _ROWS.items():
        if counts[name] or name in _ALWAYS:
            table.add_row(meaning, cell(counts[name]))
    rate = counts["answered"] / max(elapsed_s, 0.001)
    table.add_row("time", f"{elapsed_s:,.1f} s")
    table.add_row("rate", f"{rate:,.0f} leads/s")
    out = console()
    out.print(f"backfill {sync}")
    out.print(table)
    say_errors(results)


_ALWAYS = ("records", "new", "answered")
#: Counts in the order in which a lead passes through them.
_ROWS = {
    "records": "records read",
    "skipped": "before --from",
    "filtered": "left out by the filter",
    "rejected": "rejected (see `syncd rejections`)",
    "known": "known already",
    "changed": "changed since (no new call)",
    "repeated": "same key twice in a page",
    "released": "held until now, no longer",
    "erased": "erased, and never a lead again",
    "new": "new leads",
    "suppressed": "  of these on a do-not-call list",
    "held": "  of these held (see `syncd leads --state held`)",
    "duplicate": "  of these with a phone that the campaign has",
    "tripped": "held by a guard (see `syncd status`)",
    "answered": "in the campaign",
    "matched": "matched through reports",
    "refused": "refused by the vendor",
    "parked": "parked for a person",
    "in_doubt": "in doubt, sent again later",
    "not_sent": "not sent yet",
}
