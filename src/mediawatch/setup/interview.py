"""The questions in their order; each answer is tried before the next one is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from mediawatch.config import FtpSettings, Settings
from mediawatch.config.values import parse_folder
from mediawatch.errors import Problem
from mediawatch.model.findings import Finding
from mediawatch.setup import guesses, trials
from mediawatch.setup import questions as q
from mediawatch.setup.answers import Answers
from mediawatch.setup.questions import Asker, Question, SetupProblem
from mediawatch.setup.trials import Trial

_GOOD = Trial([])


class Interview:
    """``given``: answers that need not be asked for, by question. ``test``: whether each answer is
    tried. ``data_dir``: where the journal will lie, if that is settled elsewhere."""

    def __init__(
        self,
        asker: Asker,
        start: Answers,
        given: Mapping[Question, str],
        *,
        test: bool = True,
        data_dir: Path | None = None,
    ) -> None:
        self.answers = start
        #: Folders that were made by trying them.
        self.made: list[Path] = []
        self._failed = 0
        self._asker = asker
        self._given = dict(given)
        self._test = test
        self._data_dir = data_dir
        self._home, self._roots = "/", tuple[str, ...]()
        self._let_in = False

    def run(self) -> Answers:
        """Ask for all. Raises SetupProblem if somebody leaves, if an answer is missing, or if one
        failed its test and nobody is there to give another."""
        self._asker.title("1. The folder")
        self._step(self._ask_folder, self._try_folder)
        self._asker.title("2. The web host, which Meta fetches from")
        self._step(self._ask_login, self._try_login)
        self._step(self._ask_upload_dir, lambda: self._try_host(trials.try_upload))
        self._step(self._ask_public_url, lambda: self._try_host(trials.try_public_url))
        self._asker.title("3. The Instagram account")
        self._step(self._ask_account, self._try_account)
        if self._failed:
            raise SetupProblem(
                f"{self._failed} of the answers did not pass the test; nothing was written.",
                remedy="Mend what is told above, or say --no-test to write it all the same.",
            )
        return self.answers

    def undo(self) -> None:
        """Take away the folders that were made for trying, if nothing lies in them by now."""
        for folder in reversed(self.made):
            with suppress(OSError):
                folder.rmdir()

    # One part: ask, try, and ask again.

    def _step(self, ask: Callable[[], None], attempt: Callable[[], Trial]) -> None:
        ask()
        while True:
            trial = self._tried(attempt)
            for finding in trial.findings:
                self._asker.show(finding)
            if trial.passed:
                return
            if not self._asker.attended:
                self._failed += 1
                return
            match self._asker.choose("What now?", _choices(trial)):
                case "keep":
                    return
                case "quit":
                    raise SetupProblem("You left; nothing was written.")
                case "trust":
                    self.answers = self.answers.but(tls_pin=trial.certificate)
                case _:
                    ask()

    def _tried(self, attempt: Callable[[], Trial]) -> Trial:
        problems = self.answers.problems(self._data_dir)
        if problems:
            return Trial([_finding(problem) for problem in problems])
        if not self._test:
            return _GOOD
        with self._asker.working("trying it"):
            return attempt()

    def _try_host(self, attempt: Callable[[Settings], Coroutine[Any, Any, Trial]]) -> Trial:
        """Nothing more is tried on a host that does not let us in: that was told already."""
        return asyncio.run(attempt(self.answers.settings())) if self._let_in else _GOOD

    def _ask(self, question: Question, default: str = "") -> str:
        if question in self._given:
            return self._given.pop(question)
        return self._asker.ask(question, default).strip()

    # The parts.

    def _ask_folder(self) -> None:
        told = self._ask(q.FOLDER, str(self.answers.folder))
        with suppress(ValueError):  # "~nobody" stays as it is, and is refused
            told = str(parse_folder(told))
        self.answers = self.answers.but(folder=Path(told).absolute())

    def _try_folder(self) -> Trial:
        return trials.try_folder(self.answers.folder, self.made)

    def _ask_login(self) -> None:
        told = self.answers
        host, port = guesses.host_and_port(self._ask(q.HOST, told.host))
        user = self._ask(q.USER, told.user)
        password = SecretStr(self._ask(q.PASSWORD))
        pin = told.tls_pin if host == told.host or not told.host else ""
        self.answers = told.but(
            host=host, port=port or told.port, user=user, password=password, tls_pin=pin
        )

    def _try_login(self) -> Trial:
        trial = asyncio.run(trials.try_login(self._ftp()))
        self._home, self._roots, self._let_in = trial.home, trial.roots, trial.passed
        return trial

    def _ask_upload_dir(self) -> None:
        likely = self.answers.upload_dir or guesses.upload_dir(self._roots, self._home)
        self.answers = self.answers.but(upload_dir=self._ask(q.UPLOAD_DIR, likely))

    def _ask_public_url(self) -> None:
        likely = self.answers.public_url
        if not likely and q.PUBLIC_URL not in self._given:
            likely = guesses.public_urls(self.answers.host, self.answers.upload_dir)[0]
            if self._let_in:
                with self._asker.working("looking for it on the web"):
                    likely = asyncio.run(trials.find_public_url(self._ftp())) or likely
        self.answers = self.answers.but(public_url=self._ask(q.PUBLIC_URL, likely))

    def _ask_account(self) -> None:
        token = self._ask(q.TOKEN)
        likely = self.answers.login or guesses.login(token)
        login = self._ask(q.LOGIN, likely).lower()
        self.answers = self.answers.but(token=SecretStr(token), login=login)
        user_id = self.answers.user_id
        if not user_id and q.USER_ID not in self._given:
            user_id = self._likely_account()
        self.answers = self.answers.but(user_id=self._ask(q.USER_ID, user_id))

    def _likely_account(self) -> str:
        if not self._test or self.answers.problems(self._data_dir):
            return ""
        with self._asker.working("asking Meta whose it is"):
            instagram = self.answers.settings().instagram
            found = asyncio.run(trials.find_accounts(instagram))
        for account in found:
            name = f"@{account.username}: " if account.username else ""
            self._asker.show(Finding("account", True, f"The token knows {name}{account.user_id}."))
        return found[0].user_id if len(found) == 1 else ""

    def _try_account(self) -> Trial:
        return asyncio.run(trials.try_account(self.answers.settings().instagram))

    def _ftp(self) -> FtpSettings:
        return self.answers.settings().ftp


def _choices(trial: Trial) -> dict[str, str]:
    choices = {"again": "answer again", "keep": "keep it anyway", "quit": "leave"}
    if trial.certificate:
        choices["trust"] = f"trust this one certificate, {trial.certificate}"
    return choices


def _finding(problem: Problem) -> Finding:
    shown = f" = {problem.value}" if problem.value else ""
    return Finding(problem.key, False, f"{problem.key}{shown}: {problem.message}", problem.remedy)
