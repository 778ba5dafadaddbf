"""A policy with one mistake a line, and what each of them has to be told."""

TEXT = """\
schema = 1
name = "broken"
modee = "auto"

[calendar]
send_window = "16:30-09:00"
closures = [
  "2026-12-24..2027-01-01",
  "2026-06-31",
]

[contact]
min_gap = "5 days"
consolidate = "per_costumer"

[do_not_chase]
balance_below = "5,00"

[[segment]]
name = "vip"
when = { tagz = "vip" }

[[stage]]
id = "first"
at = "due + 3d"
do = ["remid"]
skip = ["vipp"]
graec = "3d"

[[stage]]
id = "first"
at = "deadline(final) + 1d"
do = ["remind"]
requires = ["frst"]
template = "overdue_1"
formal = "yes"

[stage.when]
invoice_balance = "=> 20"

[[stage]]
id = "final"
at = "deu + 35d"
do = ["note"]

[[fee]]
id = "late-fee"
type = "flat"
grace = "-3d"
cap = { percent_of_original = -25 }

[[fee]]
id = "tiered-fee"
type = "teired"
tiers = [{ from_day = 8, percent = 1 }]

[[fee]]
id = "interest"
type = "intrest"
annual_rate = 12
post = { every = "month", on = "last_bussiness_day" }

[[test]]
name = "late"
on = 2026-01-05
events = []
skips = [{ cod = "disputed" }]
"""

# (text on the line, part of the message, part of the hint)
MISTAKES = (
    ("modee =", 'unknown key "modee"', 'did you mean "mode"?'),
    ("send_window =", "ends before it starts", 'did you mean "09:00-16:30"?'),
    ('"2026-06-31"', "not a day", "2026-12-24"),
    ("min_gap =", "not a length of time", 'did you mean "5d"?'),
    ("consolidate =", "per_costumer", 'did you mean "per_customer"?'),
    ("balance_below =", "not a number", "write 5.00"),
    ("tagz", 'unknown fact "tagz"', 'did you mean "tags"?'),
    ('do = ["remid"]', '"remid"', 'did you mean "remind"?'),
    ("skip =", 'unknown segment "vipp"', 'did you mean "vip"?'),
    ("graec", 'unknown key "graec"', 'did you mean "grace"? it belongs to [[fee]]'),
    ("deadline(final)", 'deadline of "final", which has none', 'deadline = "14d"'),
    ("requires =", 'unknown stage "frst"', 'did you mean "first"?'),
    ("formal =", "yes or no", "true or false"),
    ("invoice_balance =", '"=>" is not a comparison', 'did you mean ">= 20"?'),
    ("deu + 35d", '"deu"', 'did you mean "due"?'),
    ("grace =", "not a length of time", 'did you mean "3d"?'),
    ("cap =", "percent_of_original = -25 must be more than 0", ""),
    ('type = "teired"', "cannot be", 'did you mean "tiered"?'),
    ('type = "intrest"', "cannot be", 'did you mean "interest"?'),
    ("skips =", 'unknown key "cod"', 'did you mean "code"?'),
    ("post =", "last_bussiness_day", 'did you mean "last_business_day"?'),
)

# These stand on a line that appears twice in the text, or on a header.
PLACED = (
    (31, 'the stage id "first" is used twice; it is also in line 24', "an id of its own"),
    (46, "a fee of type flat needs amount", "amount ="),
)
