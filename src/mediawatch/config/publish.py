"""What is said with a post, when it goes out, and how patient mediawatch is."""

from __future__ import annotations

from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from mediawatch.config.table import Table
from mediawatch.config.values import Duration, Durations, parse_items, refusal
from mediawatch.model import captions, schedule

_TEMPLATE_FIELDS = ", ".join(f"{{{name}}}" for name in captions.FIELDS)


def _known_fields(value: str) -> str:
    try:
        fields = [part[1:] for part in Formatter().parse(value) if part[1] is not None]
    except ValueError as error:
        raise refusal(f"cannot be read: {error}.", "Write a brace itself twice.") from error
    for name, form, conversion in fields:
        if name not in captions.FIELDS or form or conversion:
            raise refusal(
                f"has a field that cannot be filled: {{{name}}}.",
                f"Use {_TEMPLATE_FIELDS}; write a brace itself twice.",
            )
    return value


#: The caption of posts that have none of their own.
Template = Annotated[str, AfterValidator(_known_fields)]
Hashtags = Annotated[
    tuple[str, ...], BeforeValidator(parse_items, json_schema_input_type=list[str] | str)
]


class PublishSettings(Table):
    """What is said with a post, and how patient mediawatch is."""

    caption: Template = "{title}"
    hashtags: Hashtags = ()
    approval: bool = False
    min_gap: Duration = 0.0
    late: schedule.Late = "publish"
    late_after: Duration = 600.0
    retry_delays: Durations = (60.0, 300.0, 1800.0, 7200.0, 21600.0)
    poll_delays: Durations = (0.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0)
    publish_timeout: Duration = Field(default=60.0, gt=0)
    quiet_window: Duration = 120.0

    @property
    def doubtful_for(self) -> float:
        """Seconds after the asking until which the call may still take effect."""
        return self.publish_timeout + self.quiet_window
