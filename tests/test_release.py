"""The release workflow: what it runs, on which machines, and that the wheel it makes serves every Python."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
WHOLE: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
JOBS: dict[str, dict[str, Any]] = WHOLE["jobs"]
RUNNERS = {"linux": {"ubuntu-24.04", "ubuntu-24.04-arm"}, "macos": {"macos-15", "macos-15-intel"}}
BUILD = ("linux", "macos")


def steps(job: str) -> list[str]:
    """The commands of a job, in order."""
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_it_runs_for_a_tag() -> None:
    assert WHOLE[True]["push"] == {"tags": ["v*"]}  # yaml reads the key `on` as true
    assert JOBS["publish"]["if"] == "startsWith(github.ref, 'refs/tags/v')"


@pytest.mark.parametrize("job", JOBS)
def test_every_job_has_a_runner_and_steps(job: str) -> None:
    assert JOBS[job]["runs-on"]
    assert JOBS[job]["steps"]
    for step in JOBS[job]["steps"]:
        assert ("run" in step) != ("uses" in step)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[\w./-]+", step.get("uses", "a/b@c"))


@pytest.mark.parametrize("job", BUILD)
def test_machines(job: str) -> None:
    machines = JOBS[job]["strategy"]["matrix"]["include"]
    assert {machine["runner"] for machine in machines} == RUNNERS[job]
    assert JOBS[job]["runs-on"] == "${{ matrix.runner }}"
    used = set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", yaml.safe_dump(JOBS[job])))
    assert all(used <= set(machine) for machine in machines), "a step names what a machine of the matrix lacks"


def test_linux_steps_are_plain_commands() -> None:
    """So that they can be run here, as they stand: no expression of the workflow's language, no shell of its own."""
    commands = steps("linux")
    assert len(commands) >= 4
    for command in commands:
        assert "${{" not in command
        assert "\n" not in command.strip()
    for step in JOBS["linux"]["steps"]:
        assert not {"shell", "env", "working-directory"} & set(step)


def test_abi3() -> None:
    """One wheel a platform serves every Python from the oldest on."""
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"].removeprefix(">=")
    assert f"abi3-py{oldest.replace('.', '')}" in str(cargo["dependencies"]["pyo3"]) + str(cargo["features"])
    for job in BUILD:
        python = next(step["with"]["python-version"] for step in JOBS[job]["steps"] if "setup-python" in step.get("uses", ""))
        assert python == oldest


@pytest.mark.parametrize("job", BUILD)
def test_a_wheel_is_tried_before_it_is_kept(job: str) -> None:
    runs = [step.get("run", step.get("uses", "")) for step in JOBS[job]["steps"]]
    build = next(k for k, run in enumerate(runs) if "maturin build --release" in run)
    tried = next(k for k, run in enumerate(runs) if "tunesmith check" in run)
    kept = next(k for k, run in enumerate(runs) if "upload-artifact" in run)
    assert build < tried < kept
    assert JOBS["publish"]["needs"] == [*BUILD, "source"]
    source = re.search(r"tunesmith check (\S+)", runs[tried])
    assert source is not None
    assert (ROOT / source[1]).is_file()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cargo") is None, reason="building a wheel needs Rust")
def test_a_wheel_holds_what_the_package_needs(tmp_path: Path) -> None:
    """Built without release optimizations: what is in it, not how fast it is."""
    command = [sys.executable, "-m", "maturin", "build", "--profile", "fast", "--out", str(tmp_path)]
    environment = {**os.environ, "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert "-cp311-abi3-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in ("core/_native.abi3.so", "py.typed", "reports/page.css", "reports/page.html.j2", "cli/demo/workshop/rows.json"):
        assert f"tunesmith/{wanted}" in names
    assert not [name for name in names if "test" in name or name.endswith((".rs", ".pyc"))]
