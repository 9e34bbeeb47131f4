"""Whatever a web server answers to the fetch of our own address, and whatever robots.txt says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediawatch.errors import HostProblem
from mediawatch.hosts.reach import Reach
from mediawatch.hosts.robots import ruling
from tests.support.fuzzing import ANY_TEXT, Loop, answering, examples, mangled

PICTURE = b"\xff\xd8" + bytes(range(256))
GOOD = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Type: image/jpeg\r\n"
    b"Content-Range: bytes 0-257/258\r\nContent-Length: 258\r\nConnection: close\r\n\r\n" + PICTURE
)
ANSWERS = [
    GOOD,
    b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 258\r\n\r\n" + PICTURE,
    b"HTTP/1.1 302 Found\r\nLocation: /a.jpg\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: data:,x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabc",
    b"HTTP/1.1 999 \r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"",
]


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prepared") / "a.jpg"
    file.write_bytes(PICTURE)
    return file


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    return mangled(draw(st.sampled_from(ANSWERS)), draw)


@examples(0.7)
@example(answer=b"HTTP/1.1 206 x\r\nContent-Range: bytes 0-1/" + b"9" * 5000 + b"\r\n\r\n")
@given(answer=answers())
def test_any_answer_is_proof_or_a_problem_with_a_remedy(
    loop: Loop, picture: Path, answer: bytes
) -> None:
    """Nothing that a server may say raises anything else, or is waited for without end; and only
    an answer that holds the picture is proof."""

    async def look() -> None:
        async with answering(answer) as port, aiohttp.ClientSession() as session:
            reach = Reach(session, delays=(0,), limit=0.5)
            url = f"http://127.0.0.1:{port}/a.jpg"
            try:
                await reach.prove(url, picture, "image/jpeg")
            except HostProblem as problem:
                assert problem.remedy, problem  # noqa: PT017 - what is caught is what is looked at
                assert problem.message.endswith((".", ")")), problem  # noqa: PT017
            else:
                assert PICTURE in answer
            await reach.explain(url, "image/jpeg")

    loop(look())


LINES = st.lists(
    st.one_of(
        ANY_TEXT,
        st.sampled_from(
            [
                *("User-agent: *", "user-agent:facebookexternalhit/1.1", "User-Agent: Googlebot"),
                *(
                    "Disallow: /",
                    "Disallow:",
                    "Allow: /",
                    "Allow: /upload/*.jpg$",
                    "Disallow: /*a*",
                ),
                *("Disallow: /upload", "Disallow: *", "Disallow: $", "Sitemap: x", "# none", ""),
            ]
        ),
    ),
    max_size=12,
)
PATHS = st.sampled_from(["/upload/a.jpg", "/", "/a%20b/%ff.jpg", "/" + "a" * 5000])


@examples(2)
@example(lines=["User-agent: *", "Disallow: /" + "*a" * 2000 + "$"], path="/" + "a" * 5000)
@given(lines=LINES, path=PATHS)
def test_any_robots_txt_gives_a_ruling(lines: list[str], path: str) -> None:
    """Never an error, never long; only a line that forbids forbids, and only in a group that is
    meant for the fetcher or for all."""
    said = ruling("\n".join(lines), "facebookexternalhit", path)
    if not said.allowed:
        assert said.line.lower().startswith("disallow")
        assert said.line in {
            line.partition("#")[0].strip() for line in "\n".join(lines).splitlines()
        }
        assert any("*" in line or "facebookexternalhit" in line.lower() for line in lines)


RFC_9309 = """\
User-agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-agent: foobot
Disallow: /
Allow: /example/page.html
Allow: /example/allowed.gif

User-agent: barbot
User-agent: bazbot
Disallow: /example/page.html

User-agent: quxbot
"""


@pytest.mark.parametrize(
    ("fetcher", "path", "allowed"),
    [
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/other.html", False),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/other.html", True),
        ("quxbot", "/example/page.html", True),
        ("somebot", "/a.gif", False),
        ("somebot", "/a.gif?x", True),
        ("somebot", "/example/", False),
        ("FooBot", "/", False),
    ],
)
def test_the_example_of_the_standard(fetcher: str, path: str, allowed: bool) -> None:
    """RFC 9309, 5.1: groups, the longest match, wildcards, the end of a path."""
    assert allowed == ruling(RFC_9309, fetcher, path).allowed
