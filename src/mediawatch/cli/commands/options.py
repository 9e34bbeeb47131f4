"""Options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The settings file. Default: $MEDIAWATCH_CONFIG, ./config.toml, the user's own.",
        show_default=False,
    ),
]
Post = Annotated[str, typer.Argument(help="The post's id, or its first digits.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON, for machines.")]
