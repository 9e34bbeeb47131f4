"""The files for Docker: what they name is what mediawatch knows, and what the page about them says.
Nothing is built here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from mediawatch.config.sources import from_environment
from mediawatch.setup.files import SECRETS
from tests.docs import inventory
from tests.docs.inventory import ROOT

_NAMED = re.compile(r"\bMEDIAWATCH_[A-Z]+__[A-Z_]+")


def _compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return document


def _daemon() -> dict[str, Any]:
    (service,) = _compose()["services"].values()
    assert isinstance(service, dict)
    return service


def test_every_variable_is_a_setting() -> None:
    """A name with a mistake would stop every start."""
    known = inventory.settings()
    for file in ("Dockerfile", "compose.yaml", "docs/how-to/docker.md"):
        named = dict.fromkeys(_NAMED.findall((ROOT / file).read_text("utf-8")), "value")
        assert named
        for table, values in from_environment(named).items():
            assert set() == values.keys() - set(known[table]), file


def test_the_secrets_are_those_that_init_writes() -> None:
    """Whoever lets `init` write the settings has what Compose mounts, where a setting names it."""
    files = {name: Path(secret["file"]) for name, secret in _compose()["secrets"].items()}
    service = _daemon()

    assert {f"{SECRETS}/ftp.password", f"{SECRETS}/instagram.access_token"} == {
        file.as_posix() for file in files.values()
    }
    assert files.keys() == set(service["secrets"])
    assert {f"/run/secrets/{name}" for name in files} == set(service["environment"].values())


def test_the_page_tells_what_is_mounted() -> None:
    """Each mount with both its ends, each secret, and how to get it started."""
    page, service = inventory.page("how-to/docker.md"), _daemon()
    for mount in service["volumes"]:
        outside, inside = mount.split(":")[:2]
        assert re.search(rf"`{re.escape(outside)}` \| `{re.escape(inside)}`", page), mount
    for name, secret in _compose()["secrets"].items():
        assert f"| `{secret['file']}` | `/run/secrets/{name}` |" in page
    (name,) = _compose()["services"]
    assert f"docker compose exec {name} mediawatch" in page
    assert f'docker run --rm -it -v "$PWD:/set-up" {service["image"]} init' in page


def test_it_has_time_to_end() -> None:
    """What must not be cut off takes up to 42 s after the first signal."""
    assert "45s" == _daemon()["stop_grace_period"]
