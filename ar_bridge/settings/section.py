"""What the sections of `config.toml` have in common."""

from pydantic import BaseModel, ConfigDict, model_validator


class Problems(ValueError):
    """Several things that do not go together in one section: (key, sentence)."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self.found = found
        super().__init__("; ".join(text for _, text in found))


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _goes_together(self) -> "Section":
        found = list(self.contradictions())
        if found:
            raise Problems(found)
        return self

    def contradictions(self) -> list[tuple[str, str]]:
        """Keys that are right by themselves and wrong together."""
        return []
