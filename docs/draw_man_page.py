#!/usr/bin/env python3
"""Writes docs/man/mediawatch.1 out of the commands themselves: ``python docs/draw_man_page.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mediawatch.cli.main import app

PAGE = Path(__file__).with_name("man") / "mediawatch.1"

_HEAD = r""".TH MEDIAWATCH 1 "" "mediawatch" "User Commands"
.SH NAME
mediawatch \- publish on Instagram what is dropped into a folder
.SH SYNOPSIS
.B mediawatch
.I command
.RI [ options ]
.SH DESCRIPTION
mediawatch watches a folder. A picture, a video or a folder of them that is dropped there is
converted to what Instagram takes, uploaded to your web host by FTP, published once, and its
original is filed beside the folder. What cannot be published is held or filed with the reason and
the remedy.
.SH COMMANDS
"""
_TAIL = r""".SH EXIT STATUS
.TP
0
All is well.
.TP
1
Something failed or is held, or the daemon does not run or is not well.
.TP
2
Wrong usage.
.TP
78
The settings cannot be used.
.SH ENVIRONMENT
.TP
.B MEDIAWATCH_CONFIG
The settings file, unless \-\-config names one.
.TP
.BI MEDIAWATCH_ TABLE __ KEY
Wins over the settings file, for example MEDIAWATCH_WATCH__FOLDER.
.TP
.B CREDENTIALS_DIRECTORY
Where systemd lays the secrets.
.SH FILES
.TP
.I ./config.toml
.TQ
.I ~/.config/mediawatch/config.toml
.TQ
.I /etc/mediawatch/config.toml
The settings; the last one is that of the service.
.SH SEE ALSO
The documentation in docs/, with every setting, address, error and metric.
"""


def draw() -> str:
    """The page, in the language of man."""
    commands = "".join(
        f".TP\n.B mediawatch {_safe(name)}{_arguments(command)}\n{_safe(_told(command))}\n"
        f"{_options(command)}"
        for name, command in _leaves(typer.main.get_command(app), "")
    )
    return _HEAD + commands + _TAIL


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
    for word, inner in (below or {}).items():
        yield from _leaves(inner, f"{name} {word}".strip())


def _arguments(command: Any) -> str:
    names = [p.name.upper() for p in command.params if p.param_type_name == "argument"]
    return "".join(f" \\fI{_safe(name)}\\fR" for name in names)


def _options(command: Any) -> str:
    lines = []
    for option in command.params:
        if option.param_type_name == "option" and option.help:
            names = ", ".join(option.opts)
            lines.append(f".RS\n.TP\n.B {_safe(names)}\n{_safe(option.help)}\n.RE\n")
    return "".join(lines)


def _told(command: Any) -> str:
    return " ".join((command.help or "").split())


def _safe(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("…", "...")
    return f"\\&{text}" if text[:1] in {".", "'"} else text


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
