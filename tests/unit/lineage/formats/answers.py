"""Answers to draw: of any size, and with text that wants out of its place."""

from mlxkit.lineage.answer import Answer, Edge, Node

PARAMS = {"params.yaml": {"train.lr": 0.1, "layers": [1, 2]}}
METRICS = {"metrics.json": {"accuracy": 0.93}}

HOSTILE = [
    "</script><script>alert(1)</script>", "<!--<script>", "]]>' onload=alert(1) x='",
    "a & b &lt;",
    '"quoted" \\N \\" \\', "new\nline\r\ttab\x1b[2J\u2028", "{curly} %%{init: x}%% #quot;",
    "`back`", "end", 'a]b["x', "--> n1", "日本 größe", "lone\ud800", "graph", "{title} {0}", "",
]  # fmt: skip


def name(number: int) -> str:
    """A digest."""
    return f"{number:032x}"


def chain(count: int, *, kind: str = "output") -> Answer:
    """An artifact in the middle of a chain; every third node on each side hangs on one before."""
    nodes = []
    edges = []
    for number in range(count):
        up = number % 2 == 1
        side = "artifact" if number == 0 else "upstream" if up else "downstream"
        made = kind == "output" and number % 3 != 1
        nodes.append(
            Node(
                name(number),
                f"folder/file-{number}.csv",
                (f"folder/file-{number}.csv", f"copy-{number}"),
                1000 + number,
                "output" if made else "data",
                side,
                (number + 1) // 2,
                f"stage{number}" if made else f"file-{number}.csv.dvc",
                f"python make.py {number}" if made else None,
                f"{number:040x}",
                "2026-01-02T03:04:05+01:00",
                f"commit {number}",
                PARAMS if made else {},
                METRICS if made else {},
                None,
                1,
            )
        )
        if number:
            inner = name(max(number - (6 if number % 6 > 4 else 2), 0))
            edges.append(Edge(name(number), inner) if up else Edge(inner, name(number)))
    return Answer(nodes[0], (), tuple(nodes), tuple(edges))


def hostile() -> Answer:
    """Every text is one of those that want out, in every field."""
    nodes = [
        Node(
            name(number), text, (text, f"{text}2"), 1, "output",
            "upstream" if number else "artifact",
            min(number, 1), text, text, text, text, text, {text: {text: text}},
            {text: {text: float("nan")}}, {"id": text, "started": text, "mlx": text}, 2,
        )
        for number, text in enumerate(HOSTILE)
    ]  # fmt: skip
    edges = [Edge(node.md5, name(0), "part") for node in nodes]  # the first one with itself
    edges += [Edge(name(0), name(1)), Edge("f" * 32, name(0))]  # a circle, and from nowhere
    return Answer(nodes[0], (), tuple(nodes), tuple(edges), tuple(HOSTILE))
