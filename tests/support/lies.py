"""What a server may answer instead of an object's bytes."""

from .serve_http import Handler, Lie

ENDLESS = 256 << 20  # far more than any object here, and little enough for a disk
_CHUNK = b"10000\r\n" + bytes(1 << 16) + b"\r\n"


class Endless:
    """Bytes that do not end, as far as a client may tell; counts what went out at most at once."""

    def __init__(self) -> None:
        self.most = 0

    def __call__(self, handler: Handler, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for sent in range(0, ENDLESS, 1 << 16):
            handler.wfile.write(_CHUNK)
            self.most = max(self.most, sent)
        handler.close_connection = True


def _cut_short(handler: Handler, body: bytes) -> None:
    handler.answer(200, body[: len(body) // 2], length=len(body))
    handler.close_connection = True


LIES: dict[str, Lie] = {
    "other bytes of the same length": lambda to, body: to.answer(200, bytes(len(body))),
    "half, announced as half": lambda to, body: to.answer(200, body[: len(body) // 2]),
    "half, announced as whole": _cut_short,
    "longer than it can be": lambda to, body: to.answer(200, body + bytes(1 << 20)),
    "nothing": lambda to, _body: to.answer(200),
    "a fault of the server": lambda to, _body: to.answer(500),
    "a page for people": lambda to, _body: to.answer(200, b"<html>Please log in</html>"),
    "not found": lambda to, _body: to.answer(404),
}
