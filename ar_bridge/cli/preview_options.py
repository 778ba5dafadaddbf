"""Options that only go with a book file."""

from ar_bridge.errors import UsageError


def require_stored(policy: str | None, on: str | None) -> None:
    """A connected book is planned for today under its own policy. Raises UsageError."""
    given = [name for name, value in (("--policy", policy), ("--on", on)) if value is not None]
    if given:
        raise UsageError(
            f"{' and '.join(given)} only {'works' if len(given) == 1 else 'work'} "
            "with --book-file.",
            remedy="a connected book is planned for today, under the policy of its configuration",
        )
