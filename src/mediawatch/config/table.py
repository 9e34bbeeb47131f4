"""What every table of the settings has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from mediawatch.config.values import parse_folder, refusal


class Table(BaseModel):
    """One table of the settings file. A ``<secret>_file`` beside a secret names a file with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    secrets: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        for name in cls.secrets:
            path = data.pop(f"{name}_file", None)
            if path and not data.get(name):
                try:
                    data[name] = parse_folder(str(path)).read_text(encoding="utf-8").strip()
                except (OSError, ValueError) as error:
                    reason = getattr(error, "strerror", None) or "not a text file"
                    raise refusal(
                        f"{name}_file = {path} cannot be read: {reason}.",
                        "Name a readable text file that holds only the secret.",
                    ) from error
        return data
