"""What is asked, and by whom it is answered: a person at a terminal, or flags alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from mediawatch.errors import MediawatchError
from mediawatch.model.findings import Finding


class SetupProblem(MediawatchError):
    """The set-up cannot be finished. Nothing was written."""

    code = "setup"


class MissingAnswer(SetupProblem):
    """A question has no answer, and nobody is there to be asked."""


@dataclass(frozen=True, slots=True)
class Question:
    """``flag``: how the command line answers it. ``secret``: what is typed is not shown."""

    words: str
    flag: str
    secret: bool = False


FOLDER = Question("Folder to watch", "--folder")
HOST = Question("FTP host", "--ftp-host")
USER = Question("FTP user", "--ftp-user")
PASSWORD = Question("FTP password", "--ftp-password-file", secret=True)
UPLOAD_DIR = Question("Folder for uploads, as FTP sees it", "--upload-dir")
PUBLIC_URL = Question("Web address of that folder", "--public-url")
TOKEN = Question("Access token", "--token-file", secret=True)
LOGIN = Question("Which login made it: facebook or instagram", "--login")
USER_ID = Question("Id of the Instagram account", "--user-id")


class Asker(Protocol):
    """Who answers. ``attended``: somebody is there who can be asked again."""

    attended: bool

    def ask(self, question: Question, default: str = "") -> str:
        """The answer, never empty. Raises MissingAnswer if there is none and no default."""
        ...

    def choose(self, words: str, choices: Mapping[str, str]) -> str:
        """One of the keys of ``choices``; the first one is the default."""
        ...

    def title(self, words: str) -> None:
        """A new part begins."""
        ...

    def show(self, finding: Finding) -> None:
        """A tick or a cross, with its remedy."""
        ...

    def working(self, words: str) -> AbstractContextManager[object]:
        """Show that something is being tried, while the context lasts."""
        ...
