"""How lines reach stderr: structlog and the standard library through one handler, redaction last.

Every line, ours or a library's, passes the root handler's formatter; there the fields are masked by
key, and the finished text once more for secrets. Tracebacks are plain: no local variables.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, TextIO, cast

import orjson
import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import Processor

from syncd.observe import events
from syncd.observe.redact import Redactor

Format = Literal["auto", "console", "json"]

ROOT = "syncd"
#: They write whole URLs, or a line for each step, at INFO.
QUIET = ("httpx", "httpcore", "httpx2", "alembic", "asyncio", "charset_normalizer")
#: It warns at each overlapping tick; the daemon says that in its own words (pass.overlapped).
HUSHED = ("apscheduler",)
_LEVELS = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error")}


class _Formatter(ProcessorFormatter):
    """The last look: no secret survives it, whatever a renderer or a library wrote."""

    def __init__(self, redactor: Redactor, processors: Sequence[Processor]) -> None:
        super().__init__(processors=processors, foreign_pre_chain=_shared(), use_get_message=True)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.secrets(super().format(record))


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that `configure` finds and replaces it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """The library would print the record's arguments; only the place is told."""
        kind = sys.exc_info()[0]
        name = kind.__name__ if kind else "error"
        try:
            self.stream.write(f"a log line was lost: {name} [{record.name}:{record.lineno}]\n")
        except (OSError, ValueError):  # the stream itself is gone: there is nobody to tell
            return


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    ]


def _add_logger(
    logger: logging.Logger, _method: str, fields: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A library's line says whose it is; ours has its room."""
    record = fields.get("_record")
    name = record.name if record is not None else logger.name
    if not name.startswith(ROOT):
        fields["logger"] = name
    return fields


def _json(_logger: object, _method: str, fields: structlog.typing.EventDict) -> str:
    head = {key: fields.pop(key) for key in ("ts", "level", "event", "room") if key in fields}
    line = {**head, **fields}
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # half a surrogate pair, or a number of more than 64 bits
        return json.dumps(line, default=str)


def _logger(name: str | None = None) -> logging.Logger:
    return logging.getLogger(name)  # noqa: TID251 - the one place that may


def configure(level: str, fmt: Format, redactor: Redactor, stream: TextIO | None = None) -> None:
    """Send all lines of at least `level` to `stream` (stderr), masked; calling again replaces it.

    "auto" writes for people on a terminal, and JSON elsewhere.
    """
    out = stream if stream is not None else sys.stderr
    terminal = out.isatty()
    people = fmt == "console" or (fmt == "auto" and terminal)
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=terminal,
            timestamp_key="ts",
            exception_formatter=structlog.dev.plain_traceback,
        )
        if people
        else cast("Processor", _json)
    )
    processors: list[Processor] = [
        _add_logger,
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redactor.event,
        renderer,
    ]
    handler = _Handler(out)
    handler.setFormatter(_Formatter(redactor, processors))
    root = _logger()
    for old in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(_LEVELS[level])
    for name in QUIET:
        _logger(name).setLevel(max(logging.WARNING, _LEVELS[level]))
    for name in HUSHED:
        _logger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)


def install_hooks() -> None:
    """An error that nobody caught is one masked line instead of a raw traceback on stderr."""
    log = get("process")

    def report(
        kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not issubclass(kind, (KeyboardInterrupt, SystemExit)):
            log.error(events.PROCESS_CRASHED, exc_info=(kind, error, trace))

    sys.excepthook = report
    # A thread's; and what a finalizer or an exit handler raises, which Python would print itself.
    threading.excepthook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback)


def get(room: str) -> BoundLogger:
    """The logger of a room; before `configure` it is silent."""
    logger: BoundLogger = structlog.stdlib.get_logger(f"{ROOT}.{room}")
    return logger.bind(room=room)


def _chain() -> None:
    """Our loggers go to the standard library's; without our handler nothing is printed."""
    _logger(ROOT).addHandler(logging.NullHandler())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=False,
    )


_chain()
