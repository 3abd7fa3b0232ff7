"""An S3 server in memory, in a process of its own; `python -m benchmarks.s3` is that process."""

import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

BUCKET = "bench"
ROOT = Path(__file__).resolve().parent.parent


class S3Server:
    """Runs while it is entered; has one bucket."""

    env: ClassVar = {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def __init__(self, folder: Path) -> None:
        self._log = folder / "s3.log"
        self._endpoint = ""

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.s3"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout
        port = self._process.stdout.readline().strip()
        if not port:
            raise SystemExit(f"the S3 server did not start:\n{self._log.read_text()}")
        self._endpoint = f"http://127.0.0.1:{port}"
        request = urllib.request.Request(f"{self._endpoint}/{BUCKET}", method="PUT")
        urllib.request.urlopen(request).close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # closes its stdin: it ends
        self._process.wait()

    def url(self, name: str) -> str:
        """The URL of a remote."""
        return f"s3://{BUCKET}/{name}"

    @property
    def options(self) -> tuple[str, ...]:
        """Lines of the remote's section in the configuration."""
        return (f"endpointurl = {self._endpoint}",)


def main() -> None:
    """Serve until stdin is closed."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    print(port, flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
