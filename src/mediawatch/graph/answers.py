"""How Meta's answers are read: what is not needed is left aside, what is needed must be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mediawatch.graph.errors import GraphUnreachable


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("is no id")  # noqa: TRY004 - pydantic makes its own error of it
    return str(value)


#: Ids are decimal text; some are larger than a float can hold. ``null`` is none: a publication
#: counts as one only with the id of its media.
Id = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
#: A text that may be null where there is none.
Told = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class Answer(BaseModel):
    """What of an answer, or of a part of one, is used."""

    # Without the input: a page's token may stand beside what is wrong.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


_Model = TypeVar("_Model", bound=Answer)


def read(kind: type[_Model], answer: Mapping[str, Any]) -> _Model:
    """The answer as such a model. Raises GraphUnreachable, for it is as good as none."""
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        raise GraphUnreachable(
            f"Meta's answer cannot be understood ({error.errors()[0]['loc']}).",
            remedy="mediawatch asks again by itself.",
        ) from error
