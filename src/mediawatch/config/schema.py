"""The settings as a JSON schema (draft 2020-12), for editors that complete and check TOML."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel

from mediawatch.config import example
from mediawatch.config.tables import Settings

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SECRET_FILE = "A file that holds only the secret, in place of the secret itself."


def schema() -> dict[str, Any]:
    """Every table and key, with type, limits, default and explanation.

    Nothing is required: what is not in the file may come from the environment.
    """
    made = Settings.model_json_schema()
    said = example.explanations()
    models = dict(_models(Settings, ""))
    definitions = made.get("$defs", {})
    for table, model in models.items():
        found = definitions[model.__name__]
        found.pop("required", None)
        keys = found["properties"]
        for secret in getattr(model, "secrets", ()):
            keys[f"{secret}_file"] = {"type": "string", "format": "path", "default": ""}
            said.setdefault((table, f"{secret}_file"), _SECRET_FILE)
        for key, told in keys.items():
            told.pop("title", None)
            if (table, key) in said:
                told["description"] = said[table, key]
    made.pop("required", None)
    return {"$schema": _DRAFT, **made, "title": "Settings of mediawatch"}


def of_list(annotation: Any) -> type[BaseModel] | None:
    """The table of which a setting holds any number (``[[watch.inboxes]]``), if it is such."""
    for inner in get_args(annotation):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return None


def _models(model: type[BaseModel], above: str) -> list[tuple[str, type[BaseModel]]]:
    """Every table by its name; a table in a table is named by both."""
    found: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        inner = of_list(field.annotation) or field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found.append((f"{above}{name}", inner))
            found += _models(inner, f"{above}{name}.")
    return found
