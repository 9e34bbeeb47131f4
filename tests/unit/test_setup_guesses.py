"""What the first set-up guesses from the answers before."""

from __future__ import annotations

import pytest

from mediawatch.setup import guesses


@pytest.mark.parametrize(
    ("answer", "host", "port"),
    [
        ("ftp.example.org", "ftp.example.org", None),
        (" ftp://ftp.example.org/ ", "ftp.example.org", None),
        ("ftps://me@ftp.example.org:990/www", "ftp.example.org", 990),
        ("127.0.0.1:2121", "127.0.0.1", 2121),
        ("[::1]:21", "::1", 21),
        ("two words", "two words", None),
    ],
)
def test_a_host_is_taken_as_it_is_told(answer: str, host: str, port: int | None) -> None:
    """People paste what their web host wrote to them."""
    assert (host, port) == guesses.host_and_port(answer)


@pytest.mark.parametrize(
    ("roots", "home", "expected"),
    [
        ([], "/", "/mediawatch"),
        (["public_html", "www"], "/", "/public_html/mediawatch"),
        (["www"], "/home/me", "/home/me/www/mediawatch"),
    ],
)
def test_uploads_go_below_what_the_web_shows(roots: list[str], home: str, expected: str) -> None:
    """Beside the site's own files, not among them."""
    assert expected == guesses.upload_dir(roots, home)


@pytest.mark.parametrize(
    ("host", "upload", "first"),
    [
        ("ftp.example.org", "/public_html/mediawatch", "https://example.org/mediawatch/"),
        ("example.org", "/", "https://example.org/"),
        ("127.0.0.1", "/upload", "https://127.0.0.1/upload/"),
    ],
)
def test_the_likeliest_address_comes_first(host: str, upload: str, first: str) -> None:
    """The host without "ftp.", and the folder below the one that the web shows."""
    found = guesses.public_urls(host, upload)

    assert first == found[0]
    assert len(found) == len(set(found))
    assert found.index(first) < found.index(first.replace("https", "http"))


def test_the_login_is_told_by_the_token() -> None:
    """Tokens of Instagram's own login begin with IG."""
    assert "instagram" == guesses.login("IGAAx")
    assert "facebook" == guesses.login("EAAx")
