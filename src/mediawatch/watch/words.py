"""The caption of a post, out of what is wished for and what the settings say."""

from __future__ import annotations

from datetime import datetime

from mediawatch.config import PublishSettings
from mediawatch.model import captions
from mediawatch.model.wishes import Wishes


class Words:
    """``publish`` has the template, and the hashtags behind it."""

    def __init__(self, publish: PublishSettings) -> None:
        self._template, self._hashtags = publish.caption, publish.hashtags

    def caption(
        self, name: str, wishes: Wishes, when: datetime, *, folder: bool = False, count: int = 1
    ) -> str:
        """The words that were wished for, as they are; else those of the template.

        ``name``: of the file, or of the ``folder`` that a carousel is; ``when``: the owner's time.
        """
        if wishes.caption is not None:
            return wishes.caption
        return captions.render(
            self._template,
            name,
            when,
            self._hashtags,
            given_title=wishes.title,
            folder=folder,
            count=count,
        )
