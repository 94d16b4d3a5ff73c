"""What every command shares: options, opening the app, saying errors, printing JSON, signals.

Commands print data to stdout and everything else to stderr. Heavy imports stand inside functions,
so that `syncd --version` starts at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from syncd.errors import ConfigError, SyncdError

if TYPE_CHECKING:
    from syncd.app import App
    from syncd.config.load import Loaded

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file. Else $SYNCD_CONFIG, ./syncd.toml, /etc/syncd/config.toml.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


#: Of a length of time that an option names.
LENGTH_MAX = timedelta(days=3_660)

_SWITCH_INTERVAL_S = 0.0001
_GC_THRESHOLDS = (20_000, 20, 20)


@dataclass(slots=True)
class LogChoice:
    """`--log-level` and `--log-format` of the command line; None: the configuration's."""

    level: str | None = None
    format: str | None = None


LOG = LogChoice()


def load_config(path: Path | None, *, quiet_logs: bool = True) -> Loaded:
    """Read the configuration and start logging with every secret of it masked.

    Args:
        quiet_logs: a command for a person shows warnings only, unless asked otherwise.
    """
    from syncd.config.load import load
    from syncd.config.show import secret_values
    from syncd.core.zone import use_packaged_data
    from syncd.observe import events, logs
    from syncd.observe.redact import Redactor
    from syncd.wiring import source_options

    use_packaged_data()  # the system's zone files can be years old and would win silently
    loaded = load(path, os.environ)
    secrets = secret_values(loaded, source_options())
    log_settings = loaded.settings.log
    level = LOG.level or ("warning" if quiet_logs else log_settings.level)
    logs.configure(level, LOG.format or log_settings.format, Redactor(secrets))  # type: ignore[arg-type]
    logs.install_hooks()
    for unwise in loaded.warnings:
        log = logs.get("config")
        log.warning(events.CONFIG_WARNED, key=unwise.key, what=unwise.what, hint=unwise.hint)
    return loaded


def tune_for_work() -> None:
    """Make the interpreter fit for passes: several busy threads, and many short-lived objects.

    A thread that comes back from SQLite or the network waits for the interpreter's lock up to one
    switch interval; at the usual 5 ms a backfill with four requests in flight took twice as long.
    What was made at the start lives to the end, so the collector need not look at it again.
    """
    import gc

    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


@contextmanager
def opened_app(
    path: Path | None,
    *,
    alone: bool = False,
    recovers: bool = False,
    stop: threading.Event | None = None,
    quiet_logs: bool = True,
) -> Iterator[App]:
    """The app around the configured ledger, as `App.open` has it; closed at the end."""
    from syncd.app import App

    loaded = load_config(path, quiet_logs=quiet_logs)
    with App.open(loaded, alone=alone, recovers=recovers, stop=stop) as app:
        if alone:
            tune_for_work()
        yield app


def print_json(value: object) -> None:
    """One JSON document on stdout; times are ISO 8601 in UTC, enums their text."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    sys.stdout.write(orjson.dumps(value, option=options).decode() + "\n")


def say(text: str) -> None:
    """A line for the person, not part of the data."""
    typer.echo(text, err=True)


def length_of(text: str, option: str) -> timedelta:
    """A length of time that an option names; ConfigError for anything else."""
    from syncd.core import duration
    from syncd.core.refusal import BadValue

    try:
        length = duration.parse(text)
    except BadValue as error:
        raise ConfigError(f"{option} {error}", hint=duration.HINT) from None
    if not timedelta(0) < length <= LENGTH_MAX:
        raise ConfigError(f"{option} must be more than nothing and at most ten years")
    return length


def fail(error: SyncdError) -> NoReturn:
    """Say an error with all its problems and hints, and end with its exit code."""
    say_error("error", error, colour="red")
    raise typer.Exit(error.exit_code)


def say_error(whose: str, error: SyncdError, *, colour: str | None = None) -> None:
    """An error with all its problems and hints, each once."""
    headline, problems = (
        (error.headline, error.problems) if isinstance(error, ConfigError) else (str(error), ())
    )
    typer.secho(f"{whose}: {headline}", err=True, fg=colour)
    for problem in problems:
        say(f"  - {problem}")
        if problem.hint:
            say(f"    hint: {problem.hint}")
    if error.hint:
        say(f"hint: {error.hint}")


_ENDING = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Turns SIGINT and SIGTERM into a stop between two steps; a second one ends at once.

    The numbers come through a pipe that the C level writes to (`signal.set_wakeup_fd`), and a
    thread reads. A handler in Python would run only when the main thread next comes to Python; a
    signal that arrives just before that thread begins an endless wait would be heard at its end.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.received: int | None = None

    def install(self) -> None:
        """Take both signals from now on. Call it from the main thread."""
        heard, told = os.pipe()
        os.set_blocking(told, False)
        threading.Thread(target=self._listen, args=(heard,), name="signals", daemon=True).start()
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, _leave_it_to_the_thread)

    def exit_code(self, code: int) -> int:
        """130 or 143 when a signal ended the work, else `code`."""
        return code if self.received is None else 128 + self.received

    def _listen(self, heard: int) -> None:
        while numbers := os.read(heard, 64):
            for number in numbers:
                self._take(number)

    def _take(self, number: int) -> None:
        if number not in _ENDING:
            return
        if self.received is not None:
            # Everything that counts is committed: ending here is as safe as kill -9.
            os._exit(128 + number)
        self.received = number
        self.stop.set()


def _leave_it_to_the_thread(_number: int, _frame: FrameType | None) -> None:
    """Instead of Python's own handler, which would raise KeyboardInterrupt."""
