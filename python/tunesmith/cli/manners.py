"""What every command does alike: `--json`, `--config`, `--set`, `--threads`, errors, exit codes, progress.

A verb is a function of its options that returns an `Outcome`:

    @verb("check", example="tunesmith check alpaca.json")
    @click.argument("source")
    def command(session: Session, source: str) -> Outcome: ...
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.ending import FAILED, FINE, plainly, printed
from tunesmith.cli.terminal import progress_for
from tunesmith.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.progress import Progress

__all__ = ["FAILED", "FINE", "Outcome", "Session", "require", "rows_per_file", "verb"]


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a verb gets besides its own options.

    Attributes:
        progress: Where long work reports; silent with `--json`.
        seed: The seed of everything random.
    """

    progress: Progress
    seed: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a verb returns.

    Attributes:
        data: The `--json` object.
        show: Draws the result on a terminal.
        code: 0, or 1 when the check failed.
    """

    data: Mapping[str, Any]
    show: Callable[[Console], None]
    code: int = FINE


def verb(
    name: str, *, example: str, section: str | None = None, resumes: bool = False, remote: tuple[str, ...] = ()
) -> Callable[[Callable[..., Outcome]], click.Command]:
    """Turn a function of (session, options) into a command with the common manners.

    Args:
        name: The verb as typed.
        example: Shell lines for the help page.
        section: The section of `tunesmith.yaml` that `--config` reads; the verb's own name unless said.
        resumes: Whether the same command goes on after an interruption, rather than starting over.
        remote: Parameters that may be the address of a store (s3://bucket/v1); what is read as a source of rows may always.
    """

    def decorate(function: Callable[..., Outcome]) -> click.Command:
        @functools.wraps(function)
        def run(*, as_json: bool, threads: int | None, seed: int, **options: Any) -> None:
            _set_threads(threads)
            _refuse_addresses({*_SOURCES, *remote}, options)
            with plainly(resumes=resumes):
                with progress_for(silent=as_json) as progress:
                    outcome = function(Session(progress=progress, seed=seed), **options)
                printed(outcome, as_json=as_json)
            sys.exit(outcome.code)

        lines = "\n".join(f"  {line}" for line in example.strip().splitlines())
        run.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n\b\nExample:\n{lines}\n"
        return click.command(name)(_common(section or name)(run))

    return decorate


def _common(section: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    options = (
        click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else there."),
        click.option("--threads", type=click.IntRange(min=1), help="Threads to use (default: all cores). Never changes a result."),
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of everything random."),
        click.option("--set", "_set", multiple=True, metavar="KEY=VALUE", is_eager=True, expose_value=False,
                     callback=_take_settings, help="Set one option of this verb by name."),
        click.option("--config", "_config", type=click.Path(dir_okay=False), is_eager=True, expose_value=False,
                     callback=functools.partial(_take_config, section),
                     help=f"A tunesmith.yaml; its section `{section}` gives this verb's options."),
    )  # fmt: skip

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in options:
            function = option(function)
        return function

    return decorate


rows_per_file = click.option(
    "--rows-per-file", type=click.IntRange(min=1), metavar="N",
    help="Cut every table into files of N rows.  [default: one file, several where it takes more than 1 GiB in memory]",
)  # fmt: skip
"""The option of every verb that writes a version."""


def _take_config(section: str, ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    import yaml

    try:
        with open(value, encoding="utf-8") as file:  # noqa: PTH123
            whole = yaml.safe_load(file) or {}
    except OSError as error:
        raise click.UsageError(f"--config {value}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"--config {value}: expected YAML, found: {error}; save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise click.UsageError(f"--config {value}{line}: expected YAML, found: {getattr(error, 'problem', None) or error}") from error
    from tunesmith.cli import COMMANDS  # which imports no verb

    sections = COMMANDS
    if not isinstance(whole, dict):
        raise click.UsageError(f"--config {value}: expected sections ({', '.join(sections)}), found {type(whole).__name__}")
    for key in whole:
        if key not in sections:
            raise click.UsageError(f'--config {value}: unknown section "{key}"; {did_you_mean(str(key), sections)}')
    where, given = f"--config {value}, section {section}", whole.get(section) or {}
    if not isinstance(given, dict):
        raise click.UsageError(f"{where}: expected options (`name: value`), found {type(given).__name__}")
    _set_defaults(ctx, given, where, keep=True)


def _take_settings(ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> None:
    given = {}
    for pair in values:
        key, sign, value = pair.partition("=")
        if not sign:
            raise click.UsageError(f"--set {pair}: expected KEY=VALUE")
        given[key] = value
    _set_defaults(ctx, given, "--set", keep=False)


def _set_defaults(ctx: click.Context, given: Mapping[str, Any], where: str, *, keep: bool) -> None:
    """Make `given` the verb's defaults; what is typed as an option still wins, and `--set` wins over `--config`."""
    names = {
        name.lstrip("-").replace("-", "_"): p
        for p in ctx.command.params
        for name in p.opts
        if p.name and p.expose_value and (len(name.lstrip("-")) > 1 or len(p.opts) == 1)
    }
    found = {}
    for key, value in given.items():
        parameter = names.get(str(key).replace("-", "_"))
        if parameter is None:
            raise click.UsageError(f'{where}: unknown option "{key}"; {did_you_mean(str(key), {n.replace("_", "-") for n in names})}')
        found[str(parameter.name)] = _several(value, f"{where}, {key}") if parameter.multiple or parameter.nargs < 0 else value
    old = dict(ctx.default_map or {})
    ctx.default_map = {**found, **old} if keep else {**old, **found}


def _several(value: Any, where: str) -> list[Any]:
    """Read the value of an option that may be repeated: a list, as YAML writes it, or one value."""
    if isinstance(value, str) and value.startswith("["):
        import yaml

        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise click.UsageError(f"{where}: expected a list ([a, b]), found {value}") from error
    return value if isinstance(value, list) else [value]


_SOURCES = frozenset({"source", "sources", "data", "against"})
_STORES = ("s3://", "s3a://", "gs://", "gcs://", "az://", "abfs://", "abfss://")


def _refuse_addresses(allowed: set[str], options: Mapping[str, Any]) -> None:
    """Refuse the address of a store where a path is meant, before a folder of that name is made here."""
    for name, value in options.items():
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, str) and each.lower().startswith(_STORES) and name not in allowed:
                where = f"--{name.rstrip('_').replace('_', '-')}" if name not in ("file", "folder", "version", "patch") else name.upper()
                raise click.UsageError(f"{where}: expected a path of this machine, found {each}; this command takes no address there")


def _set_threads(threads: int | None) -> None:
    """Bound every library's threads before it is imported; launcher variables, never a result."""
    if threads is not None:
        for name in ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(threads)


def require(condition: object, message: str) -> None:
    """Refuse a combination of options.

    Raises:
        OptionError: With `message`, if `condition` does not hold.
    """
    if not condition:
        raise OptionError(message)
