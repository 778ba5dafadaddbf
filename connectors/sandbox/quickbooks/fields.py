"""What the contract of QuickBooks has: property names by type, and fields that can be queried.

Property names are those of Intuit's published schemas, for the types that the sandbox knows.
A name that is missing here is refused with 2010, as the service does. Queryable fields are those
of the API reference, whose pages are newer than the schemas' annotations.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.sandbox.quickbooks.query import Fields
from connectors.sandbox.rows import Row
from rules.model.money import currency_digits

_BASE = "Id SyncToken MetaData CustomField AttachableRef:*AttachableRef domain sparse status"

_TRANSACTION = (
    "DocNumber TxnDate DepartmentRef:Reference CurrencyRef:Reference ExchangeRate PrivateNote "
    "TxnStatus LinkedTxn:*LinkedTxn Line:*Line TxnTaxDetail:TxnTaxDetail TxnSource TaxFormType "
    "TaxFormNum TransactionLocationType Tag TxnApprovalInfo RecurDataRef:Reference RecurringInfo "
    "ProjectRef:Reference TotalCostAmount HomeTotalCostAmount CustomerRef:Reference "
    "RemitToRef:Reference TotalAmt PaymentMethodRef:Reference PaymentRefNum PaymentType "
    "CheckPayment CreditCardPayment DepositToAccountRef:Reference ARAccountRef:Reference"
)

_SALE = (
    "AutoDocNumber CustomerMemo:Memo BillAddr:Address ShipAddr:Address FreeFormAddress "
    "ShipFromAddr:Address ClassRef:Reference SalesTermRef:Reference DueDate SalesRepRef:Reference "
    "PONumber FOB ShipMethodRef:Reference ShipDate TrackingNum GlobalTaxCalculation HomeTotalAmt "
    "ApplyTaxAfterDiscount ShippingTaxIncludedInTotalTax TemplateRef:Reference PrintStatus "
    "EmailStatus BillEmail:Email BillEmailCc:Email BillEmailBcc:Email Balance HomeBalance "
    "FinanceCharge DeliveryInfo DiscountRate DiscountAmt GovtTxnRefIdentifier "
    "TaxExemptionRef:Reference"
)

_SHAPES = {
    "Invoice": f"{_BASE} {_TRANSACTION} {_SALE} Deposit AllowIPNPayment AllowOnlinePayment "
    "AllowOnlineCreditCardPayment AllowOnlineACHPayment AllowOnlinePayPalPayment EInvoiceStatus "
    "ECloudStatusTimeStamp CfdiUse Exportation GlobalInfo invoiceStatus callToAction "
    "invoiceStatusLog InvoiceEx LessCIS InvoiceLink PaymentDetailsMessage ConvenienceFeeDetail "
    "EnabledSurchargeInfo InvoiceLinkSecurityCode InvoiceLinkExpiryDate AutoPayEligible "
    "SchedulePayEligible ScheduledPaymentId GratuityEnabled FinancingProductType "
    "SubscriptionPaymentsSetting",
    "CreditMemo": f"{_BASE} {_TRANSACTION} {_SALE} RemainingCredit InvoiceRef:Reference "
    "CreditMemoEx",
    "Payment": f"{_BASE} {_TRANSACTION} UnappliedAmt ProcessPayment PaymentExtendedType PaymentEx",
    "Customer": f"{_BASE} IntuitId Organization Title GivenName MiddleName FamilyName Suffix "
    "FullyQualifiedName CompanyName DisplayName PrintOnCheckName UserId Active V4IDPseudonym "
    "PrimaryPhone:Phone AlternatePhone:Phone Mobile:Phone Fax:Phone PrimaryEmailAddr:Email "
    "WebAddr OtherContactInfo DefaultTaxCodeRef:Reference Taxable BillAddr:Address "
    "ShipAddr:Address OtherAddr ContactName AltContactName Notes Job BillWithParent "
    "RootCustomerRef:Reference ParentRef:Reference Level CustomerTypeRef:Reference "
    "SalesTermRef:Reference SalesRepRef:Reference TaxGroupCodeRef:Reference TaxRateRef:Reference "
    "PaymentMethodRef:Reference CCDetail PriceLevelRef:Reference Balance OpenBalanceDate "
    "BalanceWithJobs CreditLimit AcctNum CurrencyRef:Reference OverDueBalance TotalRevenue "
    "TotalExpense PreferredDeliveryMethod ResaleNum JobInfo TDSEnabled CustomerEx "
    "SecondaryTaxIdentifier ARAccountRef:Reference PrimaryTaxIdentifier TaxExemptionReasonId "
    "IsProject BusinessNumber GSTIN GSTRegistrationType IsCISContractor ClientCompanyId "
    "ClientEntityId Source TaxRegime",
    "Attachable": f"{_BASE} FileName FileAccessUri TempDownloadUri Size ContentType Category Lat "
    "Long PlaceName Note Tag ThumbnailFileAccessUri ThumbnailTempDownloadUri AttachableEx "
    "documentId",
    "Line": "Id LineNum Description Amount Received LinkedTxn:*LinkedTxn DetailType "
    "PaymentLineDetail DiscountLineDetail TaxLineDetail SalesItemLineDetail:SalesItem "
    "DescriptionLineDetail SubTotalLineDetail GroupLineDetail DepositLineDetail CustomField "
    "LineEx ProjectRef:Reference CostAmount HomeCostAmount Tag TDSLineDetail "
    "JournalEntryLineDetail ItemBasedExpenseLineDetail AccountBasedExpenseLineDetail",
    "SalesItem": "ItemRef:Reference ClassRef:Reference UnitPrice UnitCostPrice RatePercent "
    "PriceLevelRef:Reference MarkupInfo Qty UOMRef ItemAccountRef:Reference "
    "InventorySiteRef:Reference TaxCodeRef:Reference TaxClassificationRef:Reference ServiceDate "
    "TaxInclusiveAmt DiscountRate DiscountAmt DeferredRevenue SalesItemLineDetailEx",
    "LinkedTxn": "TxnId TxnType TxnLineId",
    "TxnTaxDetail": "DefaultTaxCodeRef:Reference TxnTaxCodeRef:Reference TotalTax TaxReviewStatus "
    "TaxLine UseAutomatedSalesTax",
    "Reference": "value name type",
    "Memo": "value id",
    "Email": "Id Address Default Tag",
    "Phone": "Id DeviceType CountryCode AreaCode ExchangeCode Extension FreeFormNumber Default Tag",
    "Address": "Id Line1 Line2 Line3 Line4 Line5 City Country CountryCode County "
    "CountrySubDivisionCode PostalCode PostalCodeSuffix Lat Long Tag Note",
    "AttachableRef": "EntityRef:Reference LineInfo IncludeOnSend Inactive NoRefOnly CustomField "
    "AttachableRefEx",
}


def _shape(text: str) -> dict[str, tuple[str, bool]]:
    """Property name to (nested type or empty, whether it is a list)."""
    found: dict[str, tuple[str, bool]] = {}
    for word in text.split():
        name, _, nested = word.partition(":")
        found[name] = (nested.removeprefix("*"), nested.startswith("*"))
    return found


PROPERTIES: Mapping[str, Mapping[str, tuple[str, bool]]] = {
    name: _shape(text) for name, text in _SHAPES.items()
}


def unknown_properties(value: Any, shape: str, path: str = "") -> list[str]:
    """Paths that the contract does not have, or whose shape is wrong."""
    if not isinstance(value, dict):
        return [path or shape]
    wrong: list[str] = []
    for name, inner in value.items():
        where = f"{path}.{name}" if path else name
        known = PROPERTIES[shape].get(name)
        if known is None:
            wrong.append(where)
            continue
        nested, is_list = known
        if not nested or inner is None:
            continue
        if not is_list:
            wrong.extend(unknown_properties(inner, nested, where))
        elif not isinstance(inner, list):
            wrong.append(where)
        else:
            for position, one in enumerate(inner):
                wrong.extend(unknown_properties(one, nested, f"{where}[{position}]"))
    return wrong


def _major(field: str) -> Any:
    def read(row: Any) -> Decimal:
        return Decimal(getattr(row, field)).scaleb(-currency_digits(row.currency))

    return read


def _time(field: str) -> Any:
    def read(row: Row) -> float:
        at: datetime = getattr(row, field)
        return float(int(at.timestamp()))

    return read


def _plain(field: str) -> Any:
    return lambda row: getattr(row, field)


_META: Fields = {
    "id": ("id", _plain("id")),
    "metadata.createtime": ("time", _time("created_at")),
    "metadata.lastupdatedtime": ("time", _time("updated_at")),
}

_LIST: Fields = {**_META, "name": ("text", _plain("name")), "active": ("flag", _plain("is_active"))}

ESTIMATE_STATUS = {
    # An estimate that ran out stays Pending, with its ExpirationDate in the past.
    "open": "Pending",
    "expired": "Pending",
    "accepted": "Accepted",
    "declined": "Rejected",
    "invoiced": "Closed",
    "void": "Closed",
}

_ENTITY_TYPE = {
    "customer": "Customer",
    "invoice": "Invoice",
    "payment": "Payment",
    "credit_note": "CreditMemo",
}

QUERYABLE: Mapping[str, Fields] = {
    "Invoice": {
        **_META,
        "docnumber": ("text", _plain("number")),
        "txndate": ("date", _plain("issued_on")),
        "duedate": ("date", _plain("due_on")),
        "balance": ("number", _major("balance")),
        "customerref": ("id", _plain("customer")),
        "salestermref": ("text", lambda row: (row.extra.get("SalesTermRef") or {}).get("value")),
    },
    "Payment": {
        **_META,
        "totalamt": ("number", _major("amount")),
        "customerref": ("id", _plain("customer")),
        "txndate": ("date", _plain("on")),
        "paymentrefnum": ("text", lambda row: row.extra.get("PaymentRefNum")),
    },
    "CreditMemo": {
        **_META,
        "docnumber": ("text", _plain("number")),
        "txndate": ("date", _plain("on")),
        "totalamt": ("number", _major("total")),
        "customerref": ("id", _plain("customer")),
    },
    "Estimate": {
        **_META,
        "docnumber": ("text", _plain("number")),
        "txndate": ("date", _plain("on")),
        "expirationdate": ("date", _plain("expires_on")),
        "txnstatus": ("text", lambda row: ESTIMATE_STATUS[row.status]),
        "totalamt": ("number", _major("total")),
        "customerref": ("id", _plain("customer")),
    },
    "Customer": {
        **_META,
        "displayname": ("text", _plain("name")),
        "fullyqualifiedname": ("text", _plain("name")),
        "active": ("flag", _plain("is_active")),
    },
    "Attachable": {
        **_META,
        "note": ("text", _plain("text")),
        "filename": ("text", lambda row: row.extra.get("FileName")),
        "category": ("text", lambda row: row.extra.get("Category")),
        "contenttype": ("text", lambda row: row.extra.get("ContentType")),
        "tag": ("text", lambda row: row.extra.get("Tag")),
        "attachableref.entityref.type": (
            "text",
            lambda row: tuple(_ENTITY_TYPE.get(kind, kind) for kind, _ in row.targets),
        ),
        "attachableref.entityref.value": ("text", lambda row: tuple(key for _, key in row.targets)),
    },
    "Item": {**_LIST, "type": ("text", lambda row: row.extra.get("Type"))},
    "Account": {
        **_LIST,
        "accounttype": ("text", lambda row: row.extra.get("AccountType")),
        "classification": ("text", lambda row: row.extra.get("Classification")),
    },
    "Term": _LIST,
    "TaxCode": {**_LIST, "id": ("text", _plain("id"))},
    "CustomerType": _LIST,
    "CompanyInfo": _META,
    "Preferences": _META,
}
