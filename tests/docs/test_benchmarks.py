"""The benchmark page is what the measured figures and the scripts' own words make."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def _writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmarks_write", ROOT / "benchmarks" / "write.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write = _writer()
RESULTS = json.loads(write.RESULTS.read_text(encoding="utf-8"))


def test_the_page_is_of_the_results() -> None:
    assert set(RESULTS) <= {path.stem for path in (ROOT / "benchmarks").glob("*.py") if write.is_script(path)}
    assert write.PAGE.read_text(encoding="utf-8") == write.page(RESULTS), "run: python benchmarks/write.py --page"


def test_every_script_says_what_it_measures() -> None:
    scripts = [path for path in (ROOT / "benchmarks").glob("*.py") if write.is_script(path)]
    assert len(scripts) > 5
    for script in scripts:
        assert f"python benchmarks/{script.name}" in script.read_text().partition("\n\n")[0]
        assert len(write.words(script)) > 40


def test_a_script_and_its_page(tmp_path: Path) -> None:
    figure = {
        "side": "ours",
        "version": None,
        "part": 1,
        "wall": 0.5,
        "cpu": 0.25,
        "rate": 4.0,
        "ratio": 1.0,
        "peak": 90.0,
        "added": 7.0,
        "said": "a|b",
    }
    absent = {"side": "theirs", "version": None, "part": 10, "failed": "theirs is not installed"}
    run = {"title": "A job", "size": 1.0, "unit": "MB", "threads": 1, "repeat": 2, "real": False, "sides": [figure, absent]}
    result = {"one": run, "all": {**run, "threads": 8}, "date": "2026-11-30", "load": 1.5, "machine": {}}
    script = tmp_path / "job.py"
    script.write_text('"""A job: python benchmarks/job.py\n\nWhat it does.\n"""\n')
    page = write.section(script, result)
    assert "What it does.\n\nA job: 1 MB; best of 2; 2026-11-30; load average 1.5. Made-up data.\n" in page
    assert "| ours | 0.500 | 0.250 | 4.00 MB | 1 | 0.500 | 0.250 | 90 (+7) | a/b |" in page
    assert "| theirs (1/10 of the work) | - | - | - | - | - | - | - | theirs is not installed |" in page
