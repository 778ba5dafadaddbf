"""One log file of JSON lines under the home directory, with secrets taken out.

Our own events and those of the libraries go the same way. Nothing is printed: what a person has
to know is said by the command.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Literal

import structlog

from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.log_file import SharedLogFile
from connectors.redaction import HIDDEN, without_known_secrets

_SECRET_KEYS: Final = re.compile(
    r"(password|passwd|secret|token|authorization|api_?key|vault_?key|cookie|assertion|verifier)",
    re.I,
)
_SECRET_TEXT: Final = (
    re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"),
    re.compile(
        r"(?i)(?P<name>(?:[\w-]*(?:password|secret|token|api_?key)[\"']?\s*[=:]\s*[\"']?)|[?&]code=)"
        r"(?P<value>[^\s\"'&,;}]+)"
    ),
    re.compile(r"(?P<name>://[^/\s:@]*:)(?P<value>[^@\s/]+)(?=@)"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?"),
)


def without_secrets(text: str) -> str:
    """The text without the secrets that this process holds, and without everything that reads
    like a credential."""
    text = without_known_secrets(text)
    bearer, assignment, address, web_token = _SECRET_TEXT
    text = bearer.sub(lambda found: f"{found[1]} {HIDDEN}", text)
    text = assignment.sub(lambda found: found["name"] + HIDDEN, text)
    text = address.sub(lambda found: found["name"] + HIDDEN, text)
    return web_token.sub(HIDDEN, text)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The step of structlog that takes secrets out, by the name of a field and by its look."""
    for name, value in event.items():
        event[name] = HIDDEN if _SECRET_KEYS.search(name) else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {
            name: HIDDEN if _SECRET_KEYS.search(str(name)) else _clean(part)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    return value


def configure_logging(
    home: Home, *, is_debug: bool = False, console: Literal["json", "text", "file"] = "file"
) -> None:
    """Send every log event to the file of `home`; `is_debug` also keeps the small ones.

    `console` says them on standard error too, as json lines or as text, for whoever collects
    what a service says. Raises SetupError where the file cannot be written.
    """
    home.folder(home.logs)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    try:
        file = SharedLogFile(home.log)
    except OSError as error:
        raise SetupError(
            f"the log {home.log} cannot be written ({error.strerror})",
            remedy="check who owns the folder, and that there is room on the disk",
        ) from error
    file.setFormatter(_formatter(shared, structlog.processors.JSONRenderer()))
    handlers: list[logging.Handler] = [file]
    if console != "file":
        said = logging.StreamHandler(sys.stderr)
        renderer: Any = structlog.processors.JSONRenderer()
        if console == "text":
            renderer = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
        said.setFormatter(_formatter(shared, renderer))
        handlers.append(said)
    root = logging.getLogger()
    for old in _ours:
        root.removeHandler(old)
        old.close()
    _ours[:] = handlers
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(logging.DEBUG if is_debug else logging.INFO)
    # Every request is in our own log already; the library would add its full address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    # One line for every look at the timetable is one too many; what the others say in good days
    # is about themselves.
    for talkative in ("apscheduler", "uvicorn", "alembic.runtime.plugins"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


_ours: Final[list[logging.Handler]] = []
"""What this module hung onto the root of all loggers."""


def _formatter(shared: list[Any], renderer: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            renderer,
        ],
    )
