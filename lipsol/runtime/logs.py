"""Logging, set up once at start-up by whoever owns the process, never at import.

One event a line on standard error (standard output is for readings): a constant event name and fields, the trace's id
where there is one. Libraries that log by the standard library come out in the same form. Never log a frame, a
transcript or a secret.
"""

import logging
import sys

import structlog
from structlog.typing import Processor

from lipsol.runtime.settings import TelemetrySettings

QUIET = ("uvicorn.access",)  # a line a request tells nothing that the metrics don't


def set_up_logging(settings: TelemetrySettings) -> None:
    """Send structlog's and the standard library's events to standard error, as the settings ask."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if not console else _as_it_is,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(console=console)],
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderer(*, console: bool) -> Processor:
    return _console() if console else structlog.processors.JSONRenderer(ensure_ascii=False)


def _console() -> Processor:
    """For eyes; tracebacks without the local variables, which hold frames and transcripts."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _as_it_is(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event
