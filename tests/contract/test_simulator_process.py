"""The simulator in a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from mediawatch.simulator.__main__ import main


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_tells_its_address_and_leaves_when_asked(
    tmp_path: Path, number: signal.Signals
) -> None:
    """One line with the address, the port in the file, exit code 0 after SIGTERM or SIGINT."""
    port_file = tmp_path / "port"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mediawatch.simulator", "--port", "0", "--token", "secret", "--quota", "3"),
        *("--port-file", str(port_file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        address = line.split()[-1]
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer secret"}) as session,
            session.get(f"{address}/me/content_publishing_limit?fields=config") as answer,
        ):
            total = (await answer.json())["data"][0]["config"]["quota_total"]
        process.send_signal(number)
        rest, errors = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert 3 == total
    assert address.endswith(f":{port_file.read_text('utf-8').strip()}")
    assert (0, b"", b"") == (process.returncode, rest, errors)


def test_a_taken_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a sentence, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert 1 == main(["--port", str(taken.getsockname()[1])])
    assert capsys.readouterr().err.startswith("The simulator cannot start: ")


def test_a_bad_scenario_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the reason."""
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"rules": [{"on": "moon", "do": "error"}]}), "utf-8")
    with pytest.raises(SystemExit) as leaving:
        main(["--scenario", str(path)])
    assert 2 == leaving.value.code
    assert "rules.0.on" in capsys.readouterr().err
