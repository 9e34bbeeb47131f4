"""What is wrong with the settings, in sentences with a remedy. Secrets are never shown."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import ErrorDetails

from mediawatch.errors import Problem

_PLACEHOLDER = re.compile(
    r"^(votre|your|changeme|change-me|xxx|<|\.\.\.)|(_ici|_here|replace.?me)$", re.IGNORECASE
)

_SECRET_KEYS = {
    "password",
    "access_token",
    "app_secret",
    "facebook_app_secret",
    "instagram_app_secret",
    "encryption_key",
    "fernet_key",
    "urls",
}
_MISSING = {
    ("ftp", "host"): 'Name your web host, like "ftp.example.org".',
    ("ftp", "user"): "Give the FTP user name that your web host gave you.",
    ("ftp", "password"): "Give the FTP password, or password_file = a file that holds it.",
    ("ftp", "public_url"): "Give the web address under which upload_dir is seen by the world.",
    ("instagram", "user_id"): "Give the id of the professional account (17 digits, 17841…).",
    ("instagram", "access_token"): (
        "Give a token with instagram_content_publish, or access_token_file = a file with it."
    ),
}
_REMEDIES = {
    "extra_forbidden": "Remove it, or check its spelling against config.example.toml.",
    "literal_error": "Choose one of the values named.",
    "string_pattern_mismatch": "See config.example.toml for the form it must have.",
}


def explain(detail: ErrorDetails) -> Problem:
    """One finding of the validation as a problem with table, key, value and remedy."""
    location = [str(part) for part in detail["loc"]]
    if location[:2] == ["media", "limits"] and len(location) > 2:
        location = ["media.limits", *location[2:]]
    if location[:2] == ["watch", "inboxes"] and len(location) > 2 and location[2].isdecimal():
        location = [f"watch.inboxes {int(location[2]) + 1}", *location[3:]]
    table = location[0] if location else ""
    key = location[1] if len(location) > 1 else ""
    kind, context = detail["type"], detail.get("ctx", {})
    shown = "" if kind in {"missing", "model_type"} else str(detail["input"])
    if key in _SECRET_KEYS and shown:
        shown = "(hidden)"
    if isinstance(detail["input"], dict):
        shown = ""
    if kind == "missing":
        return Problem(table, key, "", "is missing.", _MISSING.get((table, key), "Set it."))
    if kind == "setting":
        return Problem(table, key, shown, str(context["message"]), str(context["remedy"]))
    if kind == "extra_forbidden":
        what = "is not a setting that mediawatch knows." if key else "is not a table."
        # Without its value: a misspelt name may hold a secret.
        return Problem(table, key, "", what, _REMEDIES[kind])
    message = detail["msg"][:1].lower() + detail["msg"][1:] + "."
    return Problem(
        table, key, shown, message, _REMEDIES.get(kind, "See config.example.toml for its meaning.")
    )


def is_placeholder(value: Any) -> bool:
    """Whether a value is the text of an example, left in place."""
    return isinstance(value, str) and bool(_PLACEHOLDER.search(value))


def placeholders(merged: dict[str, Any]) -> list[Problem]:
    """Settings that still hold the text of an example, told before they are tried."""
    return [
        Problem(
            table,
            key,
            "(hidden)" if key in _SECRET_KEYS else str(merged[table][key]),
            "still holds the text of an example.",
            "Put your own value there.",
        )
        for table, key in _MISSING
        if isinstance(merged.get(table), dict) and is_placeholder(merged[table].get(key))
    ]
