"""The invented customers: who they are, how much they buy and how they pay.

Every name is made up and every address lies under `.example`, which nobody can own.
"""

import re
import unicodedata
from datetime import date
from typing import Final, Literal, TypeAlias

import msgspec

Habit: TypeAlias = Literal["early", "prompt", "slow", "late", "parts", "erratic", "debit"]
"""How a customer pays: early; on the day; a week or two late; a month late; in two parts;
anything at all; by direct debit on the due date."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One invented customer."""

    id: str
    name: str
    habit: Habit
    monthly: int
    """Invoices in a year of ten: 10 is about one a month."""
    size: int
    """Typical net amount in whole units of its currency."""
    terms: int = 30
    country: str = "GB"
    currency: str = "GBP"
    entity: str = "company"
    tags: tuple[str, ...] = ()
    parent: str = ""
    stops_on: date | None = None
    """From this day on it pays nothing any more."""
    has_email: bool = True
    uses_orders: bool = False
    """Its invoices carry its order number."""
    since: date = date(2025, 3, 1)

    @property
    def domain(self) -> str:
        """The domain of its addresses."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        words = re.findall(r"[a-z]{2,}", plain.lower())
        return "".join(word for word in words if word not in _FORMS)[:28] + ".example"


_FORMS: Final = frozenset(
    ["and", "as", "the", "trading", "ltd", "llp", "gmbh", "sarl", "bv", "kg", "srl", "cic"]
)

_ROWS: Final = """
C01|Brightwater Restaurants Ltd|slow|90|2600|60|vip|orders
C02|Northgate Hotels Group Ltd|prompt|0|0|30|group|
C03|Northgate Hotel Leeds|slow|12|900|30|group|orders parent=C02
C04|Northgate Hotel York|prompt|12|760|30|group|orders parent=C02
C05|Northgate Hotel Durham|late|11|680|30|group|orders parent=C02
C06|Northgate Hotel Harrogate|slow|9|820|30|group|orders parent=C02
C07|Fennel and Rye Cafes Ltd|early|6|540|14||
C08|Fennel and Rye Bath|early|8|310|14||parent=C07
C09|Fennel and Rye Frome|prompt|8|290|14||parent=C07
C10|Ashcombe District Council|late|7|1900|30|public|orders entity=public_body
C11|Wrenfield Hospital Trust|slow|8|2400|30|public|orders entity=public_body
C12|Oakmere Academy Schools|prompt|6|860|30|public|orders entity=public_body
C13|J Pemberton trading as The Copper Kettle|slow|6|220|14||entity=sole_trader
C14|S Okonjo-Hale trading as Corner Bakes|erratic|6|180|14||entity=sole_trader
C15|R Tillbrook Mobile Catering|late|5|260|14||entity=sole_trader
C16|D Asprey Street Food|late|5|210|14||entity=sole_trader stops=2026-05-20
C17|Hallam and Quince LLP|prompt|5|480|30||entity=partnership
C18|Pike and Larder Partnership|slow|5|390|30||entity=partnership
C19|Bellwether Brewing Ltd|early|8|1250|30||
C20|Saltmarsh Seafoods Ltd|prompt|8|980|30||
C21|Tamarisk Kitchens Ltd|late|8|1460|30||
C22|Ironbridge Canteens Ltd|slow|8|720|30||orders
C23|Larkspur Events Ltd|erratic|8|2100|30||
C24|Quayside Larder Ltd|prompt|7|430|30||
C25|Millrace Bakery Ltd|early|7|350|14||
C26|Dovecote Weddings Ltd|late|6|1650|30||stops=2026-04-10
C27|Harrier Airport Catering Ltd|slow|8|3100|60|vip|orders
C28|Goldfinch Nurseries Ltd|prompt|6|280|30||
C29|Rookery Pubs Ltd|parts|8|1180|30||
C30|Stonecrop Farm Shops Ltd|prompt|6|340|30||
C31|Thistledown Care Homes Ltd|slow|8|1340|30||orders
C32|Umbra Cinemas Ltd|late|7|890|30||
C33|Vellum Coffee Roasters Ltd|early|7|620|14||
C34|Wayfarer Rail Catering Ltd|slow|7|2750|60||orders
C35|Yarrow Leisure Centres Ltd|prompt|6|770|30||
C36|Zephyr Sailing Club|erratic|4|240|30||entity=unknown
C37|Amberley Golf Club|slow|5|410|30||entity=unknown
C38|Bramblewick Tearooms Ltd|parts|6|260|14||
C39|Cinder Grill Ltd|late|7|940|30||stops=2026-06-02
C40|Driftwood Beach Bars Ltd|erratic|6|1120|30||
C41|Elderflower Catering Ltd|prompt|7|830|30||
C42|Foxglove Hampers Ltd|slow|6|690|30||
C43|Gantry Food Halls Ltd|parts|8|1720|30||
C44|Hearth and Hound Inns Ltd|slow|7|640|30||
C45|Inkwell Conference Venues Ltd|prompt|6|1490|30||orders
C46|Juniper Street Market CIC|late|5|300|30||entity=unknown
C47|Kestrel Park Zoo Ltd|prompt|6|910|30||
C48|Lowtide Oyster House Ltd|erratic|6|580|30||
C49|Marigold Meals Direct Ltd|debit|10|450|14|autopay|
C50|Nettlefold Office Canteens Ltd|debit|8|700|30|autopay|
C51|Orchard Row Juices Ltd|early|6|330|30||
C52|Parsonage Retreats Ltd|slow|4|520|30||noemail
C53|Quillfeather Stationers Cafe Ltd|late|4|190|30||
C54|Rivet Works Social Club|slow|4|230|30||entity=unknown
C55|Saddlers Arms Pub Company Ltd|parts|7|1010|30||
C56|Tidewater Cruises Ltd|late|7|3900|60|vip|orders
C57|Upland Ski Lodges Ltd|erratic|4|1580|30||
C58|Verdigris Sculpture Park|prompt|4|270|30||entity=unknown
C59|Whitebeam Pantry Ltd|late|6|610|30||stops=2026-03-15
C60|Baeckerei Lindenhof GmbH|prompt|6|880|30||country=DE currency=EUR
C61|Maison Verdelet SARL|slow|6|1240|30||country=FR currency=EUR
C62|Oranjeplein Horeca BV|late|6|970|30||country=NL currency=EUR
C63|Clonbrack Fine Foods Ltd|erratic|6|760|30||country=IE currency=EUR
C64|Weinstube Rosenthal KG|late|5|540|30||country=DE currency=EUR entity=partnership
C65|Fjordlys Deli AS|prompt|5|690|30||country=NO currency=EUR
C66|Marchetti Gastronomia Srl|late|5|1130|30||country=IT currency=EUR stops=2026-06-15
C67|Pinecone Play Cafes Ltd|slow|10|380|30||since=2026-06-01
C68|Sundial Spa Resorts Ltd|late|10|1270|30||since=2026-05-01
"""


def _profile(line: str) -> Profile:
    id_, name, habit, monthly, size, terms, tags, rest = line.split("|")
    more = dict(part.partition("=")[::2] for part in rest.split())
    stops, since = more.get("stops"), more.get("since", "2025-03-01")
    return Profile(
        id=id_,
        name=name,
        habit=msgspec.convert(habit, Habit),
        monthly=int(monthly),
        size=int(size),
        terms=int(terms),
        country=more.get("country", "GB"),
        currency=more.get("currency", "GBP"),
        entity=more.get("entity", "company"),
        tags=tuple(tags.split()),
        parent=more.get("parent", ""),
        stops_on=date.fromisoformat(stops) if stops else None,
        has_email="noemail" not in more,
        uses_orders="orders" in more,
        since=date.fromisoformat(since),
    )


PROFILES: Final = tuple(_profile(line) for line in _ROWS.strip().splitlines())
