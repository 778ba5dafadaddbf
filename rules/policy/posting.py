"""When an accrued fee becomes a document: at once, monthly, every so often, with a stage, never."""

from typing import Any, Literal, TypeAlias

from rules.policy.reading import Misread, Value, did_you_mean, shown, whole_number
from rules.policy.values import Duration

PostingKind: TypeAlias = Literal["when_due", "month", "every", "with_stage", "claim_only"]

_EXAMPLE = 'write "when_due" or { every = "month", on = "last_business_day" }'


class PostingSchedule(Value, frozen=True):
    """The days on which a fee is posted.

    `month`: each month on `day` (a number that is clamped to the month's length, None meaning
    the last business day). `every`: each `every` after the due date. `with_stage`: on the day
    on which `stage` is served. `claim_only`: claimed in letters, never posted.
    """

    kind: PostingKind
    day: int | None = None
    every: Duration | None = None
    stage: str = ""

    @classmethod
    def parse(cls, value: object) -> "PostingSchedule":
        if value == "when_due":
            return cls("when_due")
        if value == "claim_only":
            return cls("claim_only")
        if not isinstance(value, dict):
            hint = did_you_mean(value, ("when_due", "claim_only"))
            raise Misread(f"{shown(value)} is not a posting schedule", f"{hint}; or {_EXAMPLE}")
        for key in value:
            if key not in ("every", "on", "with_stage"):
                raise Misread(
                    f'unknown key "{key}"', did_you_mean(key, ("every", "on", "with_stage")), (key,)
                )
        if "with_stage" in value:
            return cls._with_stage(value)
        if "every" not in value:
            raise Misread("a posting schedule needs to say every what", _EXAMPLE)
        if value["every"] == "month":
            return cls("month", day=_day_of_month(value.get("on", "last_business_day")))
        every = Duration.parse(value["every"])
        if every.unit != "d" or every.count < 1:
            raise Misread(
                f"every {every} is not a posting rhythm",
                'write "month" or days such as "30d"',
                ("every",),
            )
        if "on" in value:
            raise Misread('"on" goes with every = "month" only', "leave it out", ("on",))
        return cls("every", every=every)

    @classmethod
    def _with_stage(cls, value: dict[str, Any]) -> "PostingSchedule":
        if len(value) > 1:
            raise Misread('"with_stage" stands alone', "leave the other keys out")
        stage = value["with_stage"]
        if not isinstance(stage, str) or not stage:
            raise Misread(f"{shown(stage)} is not a stage id", 'write "final-notice"')
        return cls("with_stage", stage=stage)

    @property
    def word(self) -> str:
        return self.kind

    def plain(self) -> Any:
        if self.kind == "month":
            return {"every": "month", "on": self.day or "last_business_day"}
        if self.kind == "every":
            return {"every": str(self.every)}
        return {"with_stage": self.stage} if self.kind == "with_stage" else self.kind


def _day_of_month(value: object) -> int | None:
    if value == "last_business_day":
        return None
    if isinstance(value, str) and not value.strip().isdigit():
        raise Misread(
            f"{shown(value)} is not a day of the month",
            did_you_mean(value, ("last_business_day",)) + " or a day such as 28",
            ("on",),
        )
    day = whole_number(value)
    if not 1 <= day <= 31:
        raise Misread(f"{day} is not a day of the month", "write 1 to 31", ("on",))
    return day
