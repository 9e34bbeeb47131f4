"""Title and description out of an XMP packet (ISO 16684-1), without trust.

A packet is XML from a stranger. It is read as a stream, with no document type and so with no
entities: what could grow, or read another file, is refused before it does.
"""

from __future__ import annotations

from xml.parsers import expat

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
TITLE, DESCRIPTION, HEADLINE = f"{_DC} title", f"{_DC} description", f"{_PHOTOSHOP} Headline"
_WANTED = frozenset({TITLE, DESCRIPTION, HEADLINE})
_ABOUT = [f"{_RDF} RDF", f"{_RDF} Description"]
_ITEM = f"{_RDF} li"
_MAX_DEPTH = 64
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class _RefusedError(Exception):
    """The packet holds what no XMP needs."""


def properties(packet: bytes) -> dict[str, str]:
    """The texts of ``TITLE``, ``DESCRIPTION`` and ``HEADLINE``, as far as they are there.

    Of several languages the default counts (``x-default``), else the first. A packet that is
    broken, or holds a document type, gives nothing.
    """
    if not packet.startswith(_UTF16):
        packet = packet.strip(b"\0 \t\r\n")  # nothing else may stand around it in XML
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, _RefusedError, ValueError, LookupError):
        return {}
    return reader.found()


def _refuse(*_: object) -> None:
    raise _RefusedError


class _Reader:
    """Follows the stream; ``_path`` are the open elements, without what wraps ``rdf:RDF``."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._depth = 0
        self._texts: dict[str, dict[str, list[str]]] = {}
        self._into: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _RefusedError
        if not self._path and name != _ABOUT[0]:
            return
        self._path.append(name)
        # Pictures that went into this one have titles too, but deeper down: these are not meant.
        if self._path == _ABOUT:
            for key in _WANTED & attributes.keys():
                self._place(key, "").append(attributes[key])
        elif len(self._path) == 3 and self._path[:2] == _ABOUT and name in _WANTED:
            self._into = self._place(name, "")
        elif len(self._path) == 5 and self._path[2] in _WANTED and name == _ITEM:
            self._into = self._place(self._path[2], attributes.get(_LANGUAGE, ""))

    def end(self, _name: str) -> None:
        self._depth -= 1
        if self._path:
            self._path.pop()
            self._into = None

    def text(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)

    def found(self) -> dict[str, str]:
        chosen = {name: _choose(texts) for name, texts in self._texts.items()}
        return {name: text for name, text in chosen.items() if text}

    def _place(self, name: str, language: str) -> list[str]:
        return self._texts.setdefault(name, {}).setdefault(language, [])


def _choose(texts: dict[str, list[str]]) -> str:
    joined = {language: "".join(parts).strip() for language, parts in texts.items()}
    return joined.get("x-default") or next((text for text in joined.values() if text), "")
