"""FTP servers that answer anything to anything: half replies, endless ones, words of others."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediawatch.clock import SystemClock
from mediawatch.errors import HostProblem
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.ftp_errors import Scene, Stage, from_reply
from tests.support.fuzzing import Loop, examples, mangled
from tests.support.scripted_ftp import HANG_UP, PASSWORD, SILENCE, Answer, scripted_ftp

PICTURE = b"\xff\xd8" + bytes(range(256)) * 8
#: Seconds for the longest of these talks: three tries, a few commands each, all of them silent.
LIMIT = 20.0
VERBS = [
    *("greeting", "AUTH", "USER", "PASS", "TYPE", "EPSV", "PASV", "STOR", "after STOR", "SIZE"),
    *("RNFR", "RNTO", "DELE", "MKD", "QUIT", "FEAT"),
]
REPLIES = [
    *(b"220 ready\r\n", b"230 welcome\r\n", b"250 OK\r\n", b"150 send\r\n", b"226 done\r\n"),
    *(b"421 too many\r\n", b"425 no\r\n", b"426 cut\r\n", b"451 local\r\n", b"452 full\r\n"),
    *(b"500 OOPS: x\r\n", b"530 no\r\n", b"550 no\r\n", b"553 no\r\n", b"522 reuse\r\n"),
    *(b"000 nothing\r\n", b"999 all\r\n", b"-12 x\r\n", b"2 50\r\n", b"\r\n", b"\n", b"250\r\n"),
    *(b"220-begun\r\n", b"220-a\r\n220 b\r\n", b"220-a\r\n221 b\r\n", b"220-" + b"a" * 70000),
    *(b"220 a\r\n230 b\r\n", b"250 OK\r\n530 other\r\n", b"\xff\xfe\xfd\r\n", b"25"),
    *(b"213 99999999999999999999\r\n", b"213 -1\r\n", b"213 " + b"9" * 5000 + b"\r\n", b"213\r\n"),
    *(b"229 (|||0|)\r\n", b"229 (|||99999|)\r\n", b"229 x\r\n", b"229 (|||1|)\r\n"),
    *(b"227 (127,0,0,1,0,1)\r\n", b"227 (1,2,3)\r\n", b"227 (999,999,0,0,999,999)\r\n"),
    *(f"530 {PASSWORD} is wrong\r\n".encode(), b"331 password?\r\n", b"332 account?\r\n"),
    *(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01\x00\x05", b"SSH-2.0-x\r\n"),
    *(
        b"120 wait\r\n",
        b"120 wait\r\n220 now\r\n",
        b"\0" * 100 + b"\r\n",
        b"\xd9\xa2\xd9\xa2\xd9\xa0 x\r\n",
    ),
]


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # see LOST_BY_ASYNCIO: not to be blamed on a later test


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prepared") / "a.jpg"
    file.write_bytes(PICTURE)
    return file


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([HANG_UP, SILENCE]))
    reply = draw(st.sampled_from(REPLIES))
    return mangled(reply, draw) if draw(st.booleans()) else reply


SCRIPTS = st.dictionaries(
    st.sampled_from(VERBS), st.lists(answers(), min_size=1, max_size=3), min_size=1, max_size=4
)


#: Python 3.11 forgets the socket of a connect with happy eyeballs that is cancelled (by our time
#: limit) as it succeeds; it is closed when it is collected.
LOST_BY_ASYNCIO = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning",
)


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


@LOST_BY_ASYNCIO
@examples(0.5)
@example(script={"SIZE": [b"213 " + b"9" * 5000 + b"\r\n"]})
@example(script={"EPSV": [b"229 (|||99999|)\r\n"]})
@example(script={"greeting": [b"220-" + b"a" * 70000]})
@given(script=SCRIPTS)
def test_any_replies_end_in_an_upload_or_in_a_problem_with_a_remedy(
    loop: Loop, picture: Path, script: dict[str, list[Answer]]
) -> None:
    """Within the time limits; never another exception, never the password in the words; and what
    is said to be stored is stored whole."""

    async def talk() -> None:
        async with scripted_ftp() as fake, asyncio.timeout(LIMIT):
            for verb, replies in script.items():
                fake.script[verb] += replies
            short = {"connect_timeout": 0.1, "io_timeout": 0.1, "reply_timeout": 0.1}
            host = FtpHost(fake.settings(**short), clock=SystemClock(), sleep=_at_once)
            try:
                await host.put(picture, "a.jpg")
            except HostProblem as problem:
                told = f"{problem.message} {problem.remedy} {problem.details}"
                assert problem.remedy, problem  # noqa: PT017 - what is caught is what is looked at
                assert PASSWORD not in told
            else:
                lied = any(verb in script for verb in ("SIZE", "STOR", "after STOR", "RNTO"))
                assert lied or PICTURE == fake.files["/a.jpg"]
            findings = await host.check()
            assert findings
            assert all(found.detail and (found.ok or found.remedy) for found in findings)
            assert PASSWORD not in repr(findings)
            await host.close()

    loop(talk())


@examples(3)
@given(
    code=st.one_of(
        st.sampled_from(["", "5", "999", "55O", "٢٢٠"]), st.integers(0, 999).map("{:03}".format)
    ),
    text=st.one_of(
        st.text(max_size=300),
        st.sampled_from(
            ["no space left", "quota", "TLS required", "OOPS: x", PASSWORD, "too many users"]
        ),
    ),
    stage=st.sampled_from(Stage),
    others=st.integers(0, 3),
    encrypted=st.booleans(),
)
def test_any_reply_has_a_meaning(
    code: str, text: str, stage: Stage, others: int, encrypted: bool
) -> None:
    """The table has no gap: one line of printable words, a remedy, no secret."""
    problem = from_reply(
        code, text, Scene("h", stage, others=others, encrypted=encrypted, secret=PASSWORD)
    )
    assert problem.message.isprintable()
    assert problem.remedy
    assert problem.code
    assert PASSWORD not in problem.message
    assert len(problem.message) < 400
