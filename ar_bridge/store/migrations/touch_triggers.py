"""Triggers of revision 0004: the database notes whose account a change is about, whoever makes
it."""

from collections.abc import Iterator
from functools import partial

_OF_WAIVER = (
    "SELECT customer FROM invoices WHERE book_id = {row}.book_id "
    "AND (number = {row}.document OR id = {row}.invoice) "
    "UNION SELECT customer FROM actions WHERE book_id = {row}.book_id "
    "AND number = {row}.document"
)
_OF_RESULT = "SELECT customer FROM actions WHERE id = {row}.action_id"


def statements(dialect: str) -> Iterator[str]:
    """What makes the triggers, in order, for sqlite or postgresql."""
    touch = partial(_touch, dialect)
    both = ("NEW.customer", "OLD.customer")
    yield from touch("customers", "INSERT", "NEW.id", "NEW.parent")
    yield from touch("customers", "UPDATE OF body, parent", "NEW.id", "OLD.parent", "NEW.parent")
    yield from touch("customers", "DELETE", "OLD.id", "OLD.parent")
    for table, columns in (
        ("invoices", "body, customer, status, closed_on"),
        ("payments", "body, customer"),
        ("credits", "body, customer"),
        ("estimates", "body, customer"),
        ("commitments", "body, customer, ended_on"),
        ("inbound_mails", "body, customer, state, kind"),
    ):
        yield from touch(table, "INSERT", "NEW.customer")
        yield from touch(table, f"UPDATE OF {columns}", *both)
        yield from touch(table, "DELETE", "OLD.customer")
    yield from touch(
        "invoices",
        "UPDATE OF next_on",
        "NEW.customer",
        when="NEW.next_on IS NULL AND OLD.next_on IS NOT NULL",
        name="again",
    )
    yield from touch("actions", "INSERT", "NEW.customer", when="NEW.state <> 'planned'")
    yield from touch(
        "actions",
        "UPDATE OF state, ended_at",
        "NEW.customer",
        when="NEW.state <> OLD.state AND NOT (NEW.state IN ('approved', 'leased') "
        "AND OLD.state IN ('approved', 'leased'))",
    )
    yield from touch("waivers", "INSERT", _OF_WAIVER.format(row="NEW"))
    yield from touch("task_results", "INSERT", _OF_RESULT.format(row="NEW"))


def _touch(
    dialect: str, table: str, moment: str, *whose: str, when: str = "", name: str = ""
) -> Iterator[str]:
    name = f"{table}_{name or moment.split()[0].lower()}_touches"
    row = "OLD" if moment == "DELETE" else "NEW"
    changes: list[str] = []
    for who in whose:
        ids = who if who.startswith("SELECT") else f"SELECT {who} AS customer"
        changes += [
            f"DELETE FROM touched_customers WHERE book_id = {row}.book_id AND customer IN ({ids});",
            "INSERT INTO touched_customers (book_id, customer) "
            f"SELECT {row}.book_id, one.customer FROM ({ids}) AS one "
            f"WHERE one.customer IS NOT NULL AND {row}.book_id IS NOT NULL;",
        ]
    body = " ".join(changes)
    condition = f"WHEN ({when}) " if when else ""
    each = f"CREATE TRIGGER {name} AFTER {moment} ON {table} FOR EACH ROW {condition}"
    if dialect != "postgresql":
        yield f"{each}BEGIN {body} END"
        return
    yield (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body} RETURN NULL; END $$"
    )
    yield f"{each}EXECUTE FUNCTION {name}()"
