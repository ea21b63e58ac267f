"""The version, once: `pyproject.toml` and `Cargo.toml` agree with it (a test compares them)."""

__version__ = "0.1.0"
