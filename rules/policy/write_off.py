"""`[write_off]`: debts that are not worth chasing, for a person to let go."""

from rules.policy.reading import Count
from rules.policy.section import Section, key
from rules.policy.stage import Days
from rules.policy.values import Duration, MoneyTable


class WriteOffRules(Section):
    """Residues that are proposed for writing off, once a month. A person always decides."""

    small_balance: MoneyTable | None = key(
        None, "Balances up to this are proposed, or `{ GBP = 2, EUR = 2 }`."
    )
    older_than: Days = key(
        Duration(90, "d"), "Only of invoices that are overdue for longer than this."
    )
    on: Count = key(
        1, "Day of the month from which the batch of the month is proposed.", ge=1, le=28
    )
    owner: str = key("", "Who decides: the id or a role of a person.")
    remark: str = key(
        "",
        "What the proposal says about tax, such as the rule for reclaiming VAT on bad debts; "
        "left out: to ask the accountant.",
        max_length=300,
    )
