"""One version everywhere."""

import tomllib
from pathlib import Path

import tunesmith

ROOT = Path(__file__).parents[1]


def test_versions_agree() -> None:
    python = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    rust = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    assert tunesmith.__version__ == python == rust
