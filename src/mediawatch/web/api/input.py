"""What a request has in its body: checked whole, and refused with the field that is wrong."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from mediawatch.errors import MediawatchError


class BadInput(MediawatchError):
    """The body of a request is not what the address takes."""

    code = "bad-input"


class Body(BaseModel):
    """Of a request: nothing unknown in it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True
    )


B = TypeVar("B", bound=Body)


async def read(request: web.Request, model: type[B]) -> B:
    """The JSON body as what it means. Raises BadInput that names the fields."""
    try:
        return model.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        found = {
            ".".join(str(part) for part in each["loc"]) or "body": each["msg"]
            for each in error.errors(include_input=False, include_url=False)
        }
        told = "; ".join(f"{name}: {why}" for name, why in found.items())
        raise BadInput(
            f"The body cannot be used: {told}.",
            remedy="Send JSON with the fields of docs/reference/http-api.md.",
            fields=found,
        ) from None
