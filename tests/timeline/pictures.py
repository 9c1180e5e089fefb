"""The golden pictures, one an example: ``python -m tests.timeline.pictures`` draws them again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ivpush import Engine

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"


def drawn() -> Iterator[tuple[Path, str]]:
    """The file of each picture, and what it is to hold."""
    engine = Engine()
    for example in sorted((ROOT / "examples").glob("*.json")):
        timeline = engine.check(example.read_bytes()).timeline()
        yield PICTURES / f"{example.stem}.svg", timeline.svg() + "\n"


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for file, text in drawn():
        file.write_text(text, "utf-8")
