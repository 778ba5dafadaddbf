"""Countries as QuickBooks writes them, in two letters.

They come in words, two letters or, since October 2025, three letters (ISO 3166-1 alpha-3). What
is not certain stays empty: a wrong country is worse than none.
"""

import re
from typing import Final

_BY_THREE: Final = dict(
    re.findall(
        r"(\w{3})=(\w{2})",
        """
    AFG=AF ALB=AL DZA=DZ AND=AD AGO=AO ATG=AG ARG=AR ARM=AM ABW=AW AUS=AU AUT=AT AZE=AZ BHS=BS
    BHR=BH BGD=BD BRB=BB BLR=BY BEL=BE BLZ=BZ BEN=BJ BMU=BM BTN=BT BOL=BO BIH=BA BWA=BW BRA=BR
    BRN=BN BGR=BG BFA=BF BDI=BI KHM=KH CMR=CM CAN=CA CPV=CV CYM=KY CAF=CF TCD=TD CHL=CL CHN=CN
    COL=CO COM=KM COG=CG COD=CD CRI=CR CIV=CI HRV=HR CUB=CU CUW=CW CYP=CY CZE=CZ DNK=DK DJI=DJ
    DMA=DM DOM=DO ECU=EC EGY=EG SLV=SV GNQ=GQ ERI=ER EST=EE SWZ=SZ ETH=ET FJI=FJ FIN=FI FRA=FR
    GAB=GA GMB=GM GEO=GE DEU=DE GHA=GH GIB=GI GRC=GR GRL=GL GRD=GD GTM=GT GGY=GG GIN=GN GNB=GW
    GUY=GY HTI=HT HND=HN HKG=HK HUN=HU ISL=IS IND=IN IDN=ID IRN=IR IRQ=IQ IRL=IE IMN=IM ISR=IL
    ITA=IT JAM=JM JPN=JP JEY=JE JOR=JO KAZ=KZ KEN=KE KIR=KI PRK=KP KOR=KR KWT=KW KGZ=KG LAO=LA
    LVA=LV LBN=LB LSO=LS LBR=LR LBY=LY LIE=LI LTU=LT LUX=LU MAC=MO MDG=MG MWI=MW MYS=MY MDV=MV
    MLI=ML MLT=MT MHL=MH MRT=MR MUS=MU MEX=MX FSM=FM MDA=MD MCO=MC MNG=MN MNE=ME MAR=MA MOZ=MZ
    MMR=MM NAM=NA NRU=NR NPL=NP NLD=NL NZL=NZ NIC=NI NER=NE NGA=NG MKD=MK NOR=NO OMN=OM PAK=PK
    PLW=PW PAN=PA PNG=PG PRY=PY PER=PE PHL=PH POL=PL PRT=PT PRI=PR QAT=QA ROU=RO RUS=RU RWA=RW
    KNA=KN LCA=LC VCT=VC WSM=WS SMR=SM STP=ST SAU=SA SEN=SN SRB=RS SYC=SC SLE=SL SGP=SG SXM=SX
    SVK=SK SVN=SI SLB=SB SOM=SO ZAF=ZA SSD=SS ESP=ES LKA=LK SDN=SD SUR=SR SWE=SE CHE=CH SYR=SY
    TWN=TW TJK=TJ TZA=TZ THA=TH TLS=TL TGO=TG TON=TO TTO=TT TUN=TN TUR=TR TKM=TM TUV=TV UGA=UG
    UKR=UA ARE=AE GBR=GB USA=US URY=UY UZB=UZ VUT=VU VEN=VE VNM=VN YEM=YE ZMB=ZM ZWE=ZW
    """,
    )
)

_BY_NAME: Final = {
    "australia": "AU", "austria": "AT", "belgium": "BE", "brazil": "BR", "bulgaria": "BG",
    "canada": "CA", "china": "CN", "croatia": "HR", "cyprus": "CY", "czech republic": "CZ",
    "czechia": "CZ", "denmark": "DK", "deutschland": "DE", "england": "GB", "espana": "ES",
    "estonia": "EE", "finland": "FI", "france": "FR", "germany": "DE", "great britain": "GB",
    "greece": "GR", "hong kong": "HK", "hungary": "HU", "iceland": "IS", "india": "IN",
    "indonesia": "ID", "ireland": "IE", "israel": "IL", "italia": "IT", "italy": "IT",
    "japan": "JP", "kenya": "KE", "latvia": "LV", "lithuania": "LT", "luxembourg": "LU",
    "malaysia": "MY", "malta": "MT", "mexico": "MX", "nederland": "NL", "netherlands": "NL",
    "new zealand": "NZ", "nigeria": "NG", "northern ireland": "GB", "norway": "NO",
    "pakistan": "PK", "philippines": "PH", "poland": "PL", "portugal": "PT",
    "republic of ireland": "IE", "romania": "RO", "saudi arabia": "SA", "scotland": "GB",
    "singapore": "SG", "slovakia": "SK", "slovenia": "SI", "south africa": "ZA",
    "south korea": "KR", "spain": "ES", "sweden": "SE", "switzerland": "CH", "taiwan": "TW",
    "thailand": "TH", "the netherlands": "NL", "turkey": "TR", "u.k.": "GB", "u.s.": "US",
    "u.s.a.": "US", "uk": "GB", "ukraine": "UA", "united arab emirates": "AE",
    "united kingdom": "GB", "united states": "US", "united states of america": "US",
    "vietnam": "VN", "wales": "GB",
}  # fmt: skip

_TWO_LETTERS: Final = frozenset(_BY_THREE.values())


def country_code(text: str | None) -> str:
    """Two letters (ISO 3166-1 alpha-2); empty where the text is none or not certain."""
    words = (text or "").strip()
    short = words.upper()
    if short in _TWO_LETTERS:
        return short
    return _BY_THREE.get(short) or _BY_NAME.get(words.casefold(), "")
