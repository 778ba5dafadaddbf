"""What stands in the way of working with an organisation is said with its remedy."""

from typing import Any

from connectors.port import Finding
from connectors.xero import wire
from connectors.xero.checks import SetUp, findings

ORG = wire.XeroOrganisation(
    id="o", name="Acme", base_currency="GBP", timezone="GMTSTANDARDTIME", plan="PREMIUM"
)
FEE = wire.XeroAccount(code="270", name="Late fees", status="ACTIVE", account_class="REVENUE")
NO_TAX = wire.XeroTaxRate(tax_type="NONE", name="No tax", status="ACTIVE")


def found(**changes: Any) -> dict[str, Finding]:
    good: dict[str, Any] = {
        "organisation": ORG,
        "reminders": [wire.XeroReminders(enabled=False)],
        "actions": [],
        "accounts": [FEE],
        "tax_rates": [NO_TAX],
        "fee_account": "270",
        "fee_tax": "NONE",
    }
    return {
        finding.subject: finding
        for finding in findings(SetUp(**{**good, **changes}))
        if finding.level != "ok"
    }


def test_a_good_set_up_has_nothing_to_say() -> None:
    assert found() == {}


def test_xero_s_own_reminders_would_be_double() -> None:
    finding = found(reminders=[wire.XeroReminders(enabled=True)])["invoice reminders"]
    assert finding.level == "warning" and "twice" in finding.text and finding.remedy


def test_what_may_not_be_read_is_said() -> None:
    unread = found(reminders=None, accounts=None, tax_rates=None)
    assert set(unread) == {"invoice reminders", "fee account", "fee tax"}


def test_small_plans_and_the_demo_company_are_named() -> None:
    org = wire.XeroOrganisation(id="o", timezone="UTC", plan="STARTER", is_demo_company=True)
    assert set(found(organisation=org)) == {"plan", "organisation"}


def test_an_unknown_time_zone_is_said() -> None:
    org = wire.XeroOrganisation(id="o", timezone="MARSSTANDARDTIME")
    assert "MARSSTANDARDTIME" in found(organisation=org)["time zone"].text


def test_a_fee_account_that_is_not_there() -> None:
    missing = found(fee_account="999")["fee account"]
    assert missing.level == "error" and "270 Late fees" in missing.remedy
    archived = wire.XeroAccount(code="270", status="ARCHIVED")
    assert found(accounts=[archived])["fee account"].level == "error"
    assert found(fee_account="")["fee account"].level == "warning"


def test_a_tax_type_that_cannot_be_used() -> None:
    assert "NONE" in found(fee_tax="OUTPUT9")["fee tax"].remedy
    costs = wire.XeroTaxRate(tax_type="INPUT", status="ACTIVE", can_apply_to_revenue=False)
    assert found(tax_rates=[costs], fee_tax="INPUT")["fee tax"].level == "error"
    assert found(tax_rates=[], fee_tax="NONE") == {}


def test_missing_permissions() -> None:
    action = wire.XeroAction(name="CreateApprovedInvoice", status="NOT-ALLOWED")
    assert "CreateApprovedInvoice" in found(actions=[action])["permissions"].text
