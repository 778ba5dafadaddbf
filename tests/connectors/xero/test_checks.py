"""What stands in the way of working with an organisation is said with its remedy."""

from typing import Any

import httpx

from connectors.port import Finding
from connectors.xero import wire
from connectors.xero.checks import SetUp, account_trouble, findings, tax_trouble
from tests.connectors.xero.wires import Wire

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


def test_a_small_plan_says_how_many_invoices_are_left() -> None:
    for plan in ("STARTER", "EARLY", "IGNITE"):
        org = wire.XeroOrganisation(id="o", timezone="UTC", plan=plan)
        assert "6 are left" in found(organisation=org, invoices_this_month=14)["plan"].text
        assert "0 are left" in found(organisation=org, invoices_this_month=23)["plan"].text
    assert "plan" not in found(invoices_this_month=14)


def test_calls_that_run_out_are_said_in_time() -> None:
    for left, is_short in ((4900, False), (1700, False), (1600, True), (900, False), (300, True)):
        assert ("calls" in found(calls_left=left)) == is_short
    assert "300 calls" in found(calls_left=300)["calls"].text


def test_an_unknown_time_zone_is_said() -> None:
    org = wire.XeroOrganisation(id="o", timezone="MARSSTANDARDTIME")
    assert "MARSSTANDARDTIME" in found(organisation=org)["time zone"].text


def test_a_fee_account_that_is_not_there() -> None:
    missing = found(fee_account="999")["fee account"]
    assert missing.level == "error" and "270 Late fees" in missing.remedy
    archived = wire.XeroAccount(code="270", status="ARCHIVED")
    assert found(accounts=[archived])["fee account"].level == "error"
    assert found(fee_account="")["fee account"].level == "warning"


def test_a_fee_account_that_is_no_revenue_is_doubted() -> None:
    bank = wire.XeroAccount(code="270", status="ACTIVE", account_class="ASSET", type="BANK")
    assert found(accounts=[bank])["fee account"].level == "warning"
    for kind in ("REVENUE", "SALES", "OTHERINCOME"):
        income = wire.XeroAccount(code="270", status="ACTIVE", account_class="REVENUE", type=kind)
        assert found(accounts=[income]) == {}


def test_a_tax_type_that_cannot_be_used() -> None:
    assert "NONE" in found(fee_tax="OUTPUT9")["fee tax"].remedy
    costs = wire.XeroTaxRate(tax_type="INPUT", status="ACTIVE", can_apply_to_revenue=False)
    assert found(tax_rates=[costs], fee_tax="INPUT")["fee tax"].level == "error"
    assert found(tax_rates=[], fee_tax="NONE") == {}


def test_missing_permissions() -> None:
    action = wire.XeroAction(name="CreateApprovedInvoice", status="NOT-ALLOWED")
    assert "CreateApprovedInvoice" in found(actions=[action])["permissions"].text
    files = wire.XeroAction(name="AttachFilesIntoInvoice", status="NOT-ALLOWED")
    assert "letters" in found(actions=[files])["permissions"].text
    assert found(actions=None)["permissions"].level == "warning"


def test_names_that_lines_are_booked_under() -> None:
    bank = wire.XeroAccount(code="090", name="Current", status="ACTIVE", type="BANK")
    old = wire.XeroAccount(code="280", name="Old", status="ARCHIVED")
    accounts = [FEE, bank, old]
    assert account_trouble("270", accounts) == "" == account_trouble("999", None)
    assert account_trouble("late fees", accounts).endswith("Late fees has the code 270")
    assert "bank account" in account_trouble("090", accounts)
    assert "ARCHIVED" in account_trouble("280", accounts)
    gone = wire.XeroTaxRate(tax_type="OLD", status="DELETED")
    assert [tax_trouble(one, [gone]) for one in ("NONE", "OLD", "X")] == [
        "",
        "the tax type OLD is DELETED",
        "Xero has no tax type X; there are: OLD",
    ]
    assert tax_trouble("X", None) == ""


class TestTheWholeCheck:
    def check(self, plan: str = "PREMIUM", reminders: Any = True, left: str = "4711") -> Any:
        def script(request: httpx.Request) -> httpx.Response:
            name = request.url.path.rpartition("/")[2]
            answers = {
                "Settings": {"InvoiceReminders": [{"Enabled": reminders}]},
                "Actions": {"Actions": []},
                "Accounts": {"Accounts": [{"Code": "270", "Status": "ACTIVE"}]},
                "TaxRates": {"TaxRates": [{"TaxType": "NONE", "Status": "ACTIVE"}]},
                "Invoices": {"Invoices": [{}] * 3, "pagination": {"itemCount": 17}},
            }
            if name == "Settings" and reminders is None:
                return httpx.Response(403)
            return httpx.Response(200, json=answers[name], headers={"X-DayLimit-Remaining": left})

        self.wire = Wire(script, Class=plan, Timezone="NEWZEALANDSTANDARDTIME")
        return self.wire.connector(fee_account="270", fee_tax="NONE").check()

    def test_native_features_are_told(self) -> None:
        for enabled in (True, False, None):
            company = self.check(reminders=enabled).company
            assert (company.native_reminders, company.native_late_fees) == (enabled, False)

    def test_what_is_left_of_the_day_s_calls(self) -> None:
        findings = {each.subject: each for each in self.check().findings}
        assert findings["calls"].level == "ok" and "4711" in findings["calls"].text

    def test_a_small_plan_costs_one_call_to_count_this_month_s_invoices(self) -> None:
        findings = {each.subject: each for each in self.check(plan="IGNITE").findings}
        assert "3 are left" in findings["plan"].text
        (count,) = [each for each in self.wire.requests if each.url.path.endswith("/Invoices")]
        where = 'Type=="ACCREC" AND Date>=DateTime(2026,07,01) AND Date<DateTime(2026,08,01)'
        assert count.url.params["where"] == where
        self.check(plan="PREMIUM")
        assert not any(each.url.path.endswith("/Invoices") for each in self.wire.requests)
