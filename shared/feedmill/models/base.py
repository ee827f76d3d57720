from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Data inside the fleet: frozen, and blind to fields it does not know yet.

    Old and new workers overlap in every rollout, so a model that crosses Temporal gives each new
    field a default.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class BrowserModel(Model):
    """Data that browsers and API clients see: camelCase JSON, snake_case in Python."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class RequestBody(BrowserModel):
    """What an API client sends us: a field we do not know is the client's mistake."""

    model_config = ConfigDict(extra="forbid")
