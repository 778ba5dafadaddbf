"""Triggers of revision 0004: the database itself refuses to change the audit, whoever asks.

Entries are added at the end, and of a payload nothing is possible but to erase it.
"""

from collections.abc import Iterator

_APPENDS_ONLY = "audit entries are only ever added"
_ERASES_ONLY = "of an audit entry only the payload can be erased"


def statements(dialect: str) -> Iterator[str]:
    """What makes the triggers, in order, for sqlite or postgresql."""
    return _on_postgresql() if dialect == "postgresql" else _on_sqlite()


def _on_sqlite() -> Iterator[str]:
    for name, moment, when, said in (
        ("audit_is_not_changed", "UPDATE ON audit", "", _APPENDS_ONLY),
        ("audit_is_not_removed", "DELETE ON audit", "", _APPENDS_ONLY),
        (
            # Else INSERT OR REPLACE would change an entry without any UPDATE.
            "audit_is_added_at_the_end",
            "INSERT ON audit",
            "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)",
            _APPENDS_ONLY,
        ),
        ("audit_payloads_are_not_removed", "DELETE ON audit_payloads", "", _ERASES_ONLY),
        (
            "audit_payloads_are_added_once",
            "INSERT ON audit_payloads",
            "EXISTS (SELECT 1 FROM audit_payloads WHERE seq = NEW.seq)",
            _ERASES_ONLY,
        ),
        (
            "audit_payloads_are_only_erased",
            "UPDATE ON audit_payloads",
            "NEW.seq <> OLD.seq OR NEW.body IS NOT NULL OR NOT NEW.erased",
            _ERASES_ONLY,
        ),
    ):
        condition = f"WHEN {when} " if when else ""
        yield (
            f"CREATE TRIGGER {name} BEFORE {moment} {condition}"
            f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def _on_postgresql() -> Iterator[str]:
    refuse = "BEGIN RAISE EXCEPTION '{said}'; END"
    at_the_end = (
        "BEGIN IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) "
        f"THEN RAISE EXCEPTION '{_APPENDS_ONLY}'; END IF; RETURN NEW; END"
    )
    erasing = (
        "BEGIN IF NEW.seq <> OLD.seq OR NEW.body IS NOT NULL OR NOT NEW.erased "
        f"THEN RAISE EXCEPTION '{_ERASES_ONLY}'; END IF; RETURN NEW; END"
    )
    for name, body in (
        ("audit_refuses", refuse.format(said=_APPENDS_ONLY)),
        ("audit_payloads_refuse", refuse.format(said=_ERASES_ONLY)),
        ("audit_at_the_end", at_the_end),
        ("audit_payloads_erasing", erasing),
    ):
        yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
    for name, moment, each, function in (
        ("audit_is_not_changed", "UPDATE OR DELETE ON audit", "ROW", "audit_refuses"),
        ("audit_is_not_emptied", "TRUNCATE ON audit", "STATEMENT", "audit_refuses"),
        ("audit_is_added_at_the_end", "INSERT ON audit", "ROW", "audit_at_the_end"),
        (
            "audit_payloads_are_not_removed",
            "DELETE ON audit_payloads",
            "ROW",
            "audit_payloads_refuse",
        ),
        (
            "audit_payloads_are_not_emptied",
            "TRUNCATE ON audit_payloads",
            "STATEMENT",
            "audit_payloads_refuse",
        ),
        (
            "audit_payloads_are_only_erased",
            "UPDATE ON audit_payloads",
            "ROW",
            "audit_payloads_erasing",
        ),
    ):
        yield (
            f"CREATE TRIGGER {name} BEFORE {moment} FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
