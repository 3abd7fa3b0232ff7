"""One process at a time has a claim; it goes with its holder, whatever happens to that."""

import os
import queue
import signal
from pathlib import Path

from mlxkit.pipeline.claims import Claim, Claims

KEY = "ab" * 32


def _claims(folder: Path) -> Claims:
    return Claims(str(folder), shared=False)


def test_a_claim_is_for_one_until_it_is_released(tmp_path: Path) -> None:
    one, other = _claims(tmp_path), _claims(tmp_path)
    claim = one.take(KEY)
    assert claim is not None
    assert other.take(KEY) is None
    assert other.take("cd" * 32) is not None
    claim.release()
    again = other.take(KEY)
    assert again is not None
    again.release()
    again.release()
    assert not list((tmp_path / "claims" / "ab").iterdir())


def test_those_who_wait_get_it_one_after_the_other(tmp_path: Path) -> None:
    claims = _claims(tmp_path)
    first = claims.take(KEY)
    assert first is not None
    got: queue.Queue[Claim] = queue.Queue()
    for _ in range(5):
        claims.wait(KEY, got.put)
    held = first
    for _ in range(5):
        assert got.empty()
        held.release()
        held = got.get(timeout=60)
        assert claims.take(KEY) is None
    held.release()
    last = claims.take(KEY)
    assert last is not None
    last.release()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _claims(tmp_path).take(KEY)
        os.write(writing, b"x")
        signal.pause()
        os._exit(1)
    os.read(reading, 1)
    claims = _claims(tmp_path)
    assert claims.take(KEY) is None
    got: queue.Queue[Claim] = queue.Queue()
    claims.wait(KEY, got.put)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    got.get(timeout=60).release()
    os.close(reading)
    os.close(writing)


def test_where_nothing_can_be_written_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "claims").write_text("in the way")
    first, second = _claims(tmp_path).take(KEY), _claims(tmp_path).take(KEY)
    assert first is not None
    assert second is not None
    first.release()
    second.release()
