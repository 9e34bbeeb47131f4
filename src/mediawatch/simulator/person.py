"""Who is logged in, as a scenario may have it: the ``[person]`` table."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

#: What a person of the Facebook login is asked to grant for all that a publisher does.
SCOPES = (
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_insights",
    "pages_show_list",
    "pages_read_engagement",
    "business_management",
)


class Person(BaseModel):
    """``token_lasts`` and ``data_access_lasts``: seconds from now on; a token without an end has
    none. ``account_type``: BUSINESS, MEDIA_CREATOR or PERSONAL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scopes: tuple[str, ...] = SCOPES
    declined: tuple[str, ...] = ()
    token_lasts: float | None = Field(default=60 * 86_400.0, ge=0)
    data_access_lasts: float = Field(default=90 * 86_400.0, ge=0)
    account_type: str = "BUSINESS"
    page_linked: bool = True
