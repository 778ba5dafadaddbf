"""What a look at the company finds, all at once, and what it advises."""

from datetime import date
from typing import Any

import pytest

from ar_bridge.cli.failures import known_failure
from ar_bridge.company_facts import can_charge, company_of
from connectors.errors import AuthorizationError
from connectors.lookup import LedgerName
from connectors.port import CompanyCheck, Finding
from tests.connectors.quickbooks.canned import CannedCompany, an_invoice, connected, fault

FEE_LINE = {
    "Amount": 15,
    "Description": "Late fee",
    "DetailType": "SalesItemLineDetail",
    "SalesItemLineDetail": {"ItemRef": {"value": "44", "name": "Late fee"}},
}


def an_item(**fields: Any) -> dict[str, Any]:
    account = {"value": "80", "name": "Sales"}
    return {
        "Id": "21",
        "Name": "Late fee",
        "Type": "Service",
        "IncomeAccountRef": account,
        **fields,
    }


def a_company(item: dict[str, Any] | None = None, **lists: list[Any]) -> CannedCompany:
    company = CannedCompany(
        Item=[item or an_item()],
        Account=[{"Id": "80", "Name": "Sales"}, *lists.pop("Account", [])],
        **lists,
    )

    def keep(entity: str, where: str, row: Any) -> bool:
        if entity != "Account":
            return True
        return f"'{row['Id']}'" in where or f"'{row['Name']}'" in where

    company.keep = keep
    return company


def checked(company: CannedCompany, **options: Any) -> CompanyCheck:
    return connected(company, **{"fee_account": "Late fee", **options}).check()


def trouble(check: CompanyCheck) -> list[Finding]:
    return [finding for finding in check.findings if finding.level != "ok"]


def test_a_company_in_order() -> None:
    check = checked(a_company())
    assert trouble(check) == []
    assert check.findings[0].text == "nothing stands in the way"
    assert check.company.native_late_fees is False and check.company.native_reminders is None


def test_facts_that_are_good_to_know() -> None:
    company = a_company()
    company.preferences["AccountingInfoPrefs"] = {"BookCloseDate": "2025-12-31"}
    company.preferences["CurrencyPrefs"]["MultiCurrencyEnabled"] = False
    texts = {finding.subject: finding.text for finding in checked(company).findings}
    assert "2025-12-31" in texts["closing date"] and texts["currencies"].endswith("off")
    assert checked(company).company.locked_through == date(2025, 12, 31)


@pytest.mark.parametrize(
    ("item", "subject", "words"),
    [
        (an_item(Type="Inventory"), "fee item", "type Inventory"),
        (an_item(IncomeAccountRef=None), "fee item", "no income account"),
        (an_item(IncomeAccountRef={"value": "99"}), "fee item", "inactive or gone"),
        (an_item(Active=False), "fee account", "no active product or service"),
        (an_item(Name="Goods"), "fee account", "no active product or service"),
    ],
)
def test_a_fee_item_that_will_not_do(item: dict[str, Any], subject: str, words: str) -> None:
    check = checked(a_company(item), fee_tax="NON")
    (finding,) = trouble(check)
    assert finding.subject == subject and words in finding.text
    stops = finding.level == "error"
    seen = company_of(check, "Late fee", "NON")
    assert can_charge(seen, "Late fee", "NON") is not stops


CODES = [
    {"Id": "5", "Name": "No VAT"},
    {"Id": "6", "Name": "20% S", "Active": True},
    {"Id": "7", "Name": "17.5% S", "Active": False},
]


@pytest.mark.parametrize("code", ["NON", "TAX", "tax"])
def test_words_of_united_states_companies_are_no_tax_codes_elsewhere(code: str) -> None:
    company = a_company(TaxCode=CODES)
    company.info["Country"] = "GBR"
    check = checked(company, fee_tax=code)
    (finding,) = trouble(check)
    assert (finding.level, finding.subject) == ("error", "fee tax")
    assert "20% S, No VAT" in finding.text and "17.5%" not in finding.text
    assert not can_charge(company_of(check, "Late fee", code), "Late fee", code)
    company.info["Country"] = "US"
    assert not trouble(checked(company, fee_tax=code))
    # A company that keeps no tax codes at all has none to name.
    company.info["Country"] = "GBR"
    company.lists["TaxCode"] = []
    assert not trouble(checked(company, fee_tax="NON"))


@pytest.mark.parametrize(
    ("code", "words"),
    [("6", ""), ("no vat", ""), ("8", "no tax code"), ("7", "inactive"), ("17.5% s", "inactive")],
)
def test_a_tax_code_is_there_and_active(code: str, words: str) -> None:
    company = a_company(TaxCode=CODES)
    company.info["Country"] = "GBR"
    found = trouble(checked(company, fee_tax=code))
    assert [(each.level, each.subject) for each in found] == [("error", "fee tax")] * bool(words)
    assert all(words in each.text for each in found)


def test_names_that_credits_are_booked_under() -> None:
    company = a_company(TaxCode=CODES)
    company.lists["Item"].append(an_item(Id="22", Name="Bad debts", Active=False))
    company.info["Country"] = "GBR"
    names = [LedgerName("account", name, "") for name in ("Late fee", "21", "Bad debts", "None")]
    taxes = [LedgerName("tax", name, "") for name in ("20% S", "17.5% S")]
    item, by_id, inactive, absent, tax, old = connected(company).trouble_with([*names, *taxes])
    assert (item, by_id, tax) == ("", "", "")
    assert "no active product or service" in inactive and absent.endswith("it has Late fee")
    assert "is inactive" in old


def test_item_and_tax_are_both_named() -> None:
    found = trouble(checked(a_company(an_item(Active=False)), fee_tax="VAT"))
    assert [finding.subject for finding in found] == ["fee account", "fee tax"]


def test_fee_lines_of_others_say_that_fees_are_charged_already() -> None:
    company = a_company(
        Invoice=[
            an_invoice(1),
            an_invoice(2, Line=[FEE_LINE]),
            an_invoice(3, Line=[FEE_LINE], PrivateNote="arb1 inv=1 fee=late"),
            {"Id": "4"},
        ]
    )
    check = checked(company)
    assert check.company.native_late_fees is True
    (finding,) = trouble(check)
    assert "102" in finding.text and "switch them off" in finding.remedy
    asked = [query for query in company.queries if "from Invoice" in query]
    assert len(asked) == 1 and "'2025-12-02T" in asked[0]


def test_a_renamed_fee_item_is_known_by_its_account() -> None:
    line = {**FEE_LINE, "Description": "Penalty"}
    line["SalesItemLineDetail"] = {"ItemRef": {"value": "44", "name": "Penalty"}}
    company = a_company(
        Account=[{"Id": "90", "Name": "Late fee income"}], Invoice=[an_invoice(1, Line=[line])]
    )
    company.lists["Item"].append(
        {"Id": "44", "Name": "Penalty", "IncomeAccountRef": {"value": "90"}}
    )
    assert checked(company).company.native_late_fees is True


def test_the_account_alone_leaves_it_open() -> None:
    company = a_company(Account=[{"Id": "90", "Name": "Late fee income"}])
    check = checked(company)
    assert check.company.native_late_fees is None
    (finding,) = trouble(check)
    assert "customers may be charged twice" in finding.text


def test_our_own_fees_may_go_to_that_account() -> None:
    item = an_item(IncomeAccountRef={"value": "90", "name": "Late fee income"})
    company = a_company(item, Account=[{"Id": "90", "Name": "Late fee income"}])
    check = checked(company)
    assert check.company.native_late_fees is False and trouble(check) == []


def test_more_invoices_than_were_seen_leave_it_open() -> None:
    company = a_company(Invoice=[an_invoice(n) for n in range(1500)])
    assert checked(company).company.native_late_fees is None


def test_a_time_zone_and_a_country_that_are_missing() -> None:
    company = a_company()
    company.info = {"CompanyName": "Acme"}
    zone, country = trouble(checked(company))
    assert zone.subject == "time zone" and "`timezone`" in zone.remedy
    assert country.subject == "country" and "United States" in country.text
    company.info = {"CompanyName": "Acme", "Country": "Narnia", "DefaultTimeZone": "Europe/Paris"}
    (country,) = trouble(checked(company))
    assert "Narnia" in country.text and "United States" not in country.text


def test_a_subscription_that_ended_is_said_with_what_to_do() -> None:
    company = a_company()
    company.next = [fault("6190", "Invalid Company Status", status=400)]
    with pytest.raises(
        AuthorizationError, match="renew it in QuickBooks, then run again"
    ) as caught:
        checked(company)
    assert "tid-9" in str(caught.value)
    failure = known_failure(caught.value)
    assert failure is not None
    assert "renew" in failure.remedy and "connect" not in str(caught.value) + failure.remedy
