"""``python -m mediawatch.simulator``: the simulator in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from .faults import Scenario, ScenarioError
from .options import Republish, SimulatorOptions
from .server import Simulator, serve


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mediawatch.simulator", description="A local Instagram Graph API for tests and demos."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument("--token", help="the one access token to accept; any, if left out")
    parser.add_argument(
        "--granted-only", action="store_true", help="accept only tokens that a login here gave"
    )
    parser.add_argument("--user", action="append", help="Instagram user id; may be repeated")
    parser.add_argument("--quota", type=int, default=100, help="posts in 24 hours (%(default)s)")
    parser.add_argument(
        "--processing", type=float, default=0.0, help="seconds a container is IN_PROGRESS"
    )
    parser.add_argument(
        "--video-processing", type=float, help="the same for videos; as pictures, if left out"
    )
    parser.add_argument(
        "--listing-lag", type=float, default=0.0, help="seconds until a post is listed"
    )
    parser.add_argument(
        "--republish",
        type=Republish,
        choices=list(Republish),
        default=Republish.STRICT,
        help="what publishing a published container does (%(default)s)",
    )
    parser.add_argument("--scenario", type=Path, help="faults to play, TOML or JSON")
    parser.add_argument("--log", type=Path, help="append one JSON line for each publication")
    parser.add_argument("--port-file", type=Path, help="write the port here once it answers")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. Gives the exit code: 0, 1 if it cannot start, 2 wrong usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        scenario = Scenario.load(given.scenario) if given.scenario else Scenario()
    except ScenarioError as error:
        parser.error(str(error))
    options = SimulatorOptions(
        token=given.token,
        granted_only=given.granted_only,
        users=tuple(given.user or SimulatorOptions().users),
        quota_total=given.quota,
        processing_seconds=given.processing,
        video_processing_seconds=given.video_processing,
        listing_lag=given.listing_lag,
        republish=given.republish,
        scenario=scenario,
        log_file=given.log,
    )

    def ready(simulator: Simulator) -> None:
        print(f"Graph API simulator at {simulator.url}", flush=True)  # noqa: T201
        if given.port_file:
            part = given.port_file.with_suffix(".part")
            part.write_text(f"{simulator.port}\n", "utf-8")
            part.replace(given.port_file)

    try:
        asyncio.run(serve(options, given.host, given.port, ready=ready))
    except OSError as error:
        print(f"The simulator cannot start: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
