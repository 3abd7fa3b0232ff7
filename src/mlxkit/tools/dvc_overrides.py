"""DVC's way of changing parameter files from the command line: Hydra's grammar, DVC's writers."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import UsageError


class Override(NamedTuple):
    """One change as Hydra reads it; `values` is how many, `value` None where there are several."""

    key: str
    value: Any
    values: int
    deletes: bool


def group(texts: Iterable[str]) -> dict[str, list[str]]:
    """Sort `[FILE:]KEY=VALUE` by file, as DVC does; `params.yaml` where none is named."""
    from dvc.utils.cli_parse import to_path_overrides

    return dict(to_path_overrides(texts))


def parse(texts: Sequence[str]) -> list[Override]:
    """Read changes; raises UsageError for one that is not in Hydra's grammar."""
    return [_described(one) for one in _parsed(texts)]


def expand(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield, for each combination of the values that sweeps name, changes with one value each."""
    from itertools import product

    choices: dict[str, list[str]] = {}
    for one in _parsed(texts):
        key = one.get_key_element()
        if one.is_sweep_override():
            choices[key] = [f"{key}={value}" for value in one.sweep_string_iterator()]
        else:
            choices[key] = [one.input_line]
    for chosen in product(*choices.values()):
        yield list(chosen)


def apply(path: str, texts: Sequence[str], shown: str) -> None:
    """Change the parameter file at `path` as `dvc exp run --set-param` does.

    Comments and layout stay as far as DVC keeps them. Raises UsageError, naming `shown`.
    """
    from dvc.exceptions import DvcException
    from dvc.utils.hydra import apply_overrides
    from dvc.utils.serialize import ParseError

    try:
        apply_overrides(path, list(texts))
    except (ParseError, OSError) as error:
        said = _one_line(error).replace(os.path.relpath(path), shown)
        raise UsageError(f"{shown}: {said}", hint=f"correct {shown}") from None
    except (DvcException, ValueError, TypeError, AssertionError, KeyError) as error:
        raise _refused(shown, texts, error) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("omegaconf", "hydra", "antlr4"):
            raise
        raise _refused(shown, texts, error) from None


def compose(path: str, root: str, config: Mapping[str, Any], texts: Sequence[str]) -> None:
    """Write the parameters that Hydra composes for a project at `root`; `config` is DVC's of it.

    Raises UsageError.
    """
    from dvc.utils.hydra import compose_and_dump

    module = config.get("config_module")
    folder = None if module else os.path.join(root, config.get("config_dir") or "conf")
    try:
        compose_and_dump(
            path,
            folder,
            module,
            config.get("config_name") or "config",
            os.path.join(root, config.get("plugins_path") or ""),
            list(texts),
        )
    except Exception as error:
        raise _refused("Hydra's configuration", texts, error) from None


def _parsed(texts: Sequence[str]) -> list[Any]:
    from dvc.utils.hydra import to_hydra_overrides
    from hydra.core.override_parser.types import ValueType
    from hydra.errors import HydraException

    try:
        found: list[Any] = to_hydra_overrides(list(texts))
    except HydraException as error:
        said = _one_line(error).removeprefix("Error parsing override ")
        raise UsageError(
            f"no change of a parameter: {said.partition(' See https')[0]}",
            hint="write KEY=VALUE, FILE:KEY=VALUE, +NEW=VALUE or ~KEY",
        ) from None
    for one in found:
        if one.value_type is ValueType.GLOB_CHOICE_SWEEP:
            raise UsageError(f"glob() names no parameters: {one.input_line}", hint="list values")
        if one.value_type is ValueType.INTERVAL_SWEEP:
            raise UsageError(
                f"interval() has no end of values: {one.input_line}", hint="give values, or a range"
            )
    return found


def _described(one: Any) -> Override:
    from hydra.core.override_parser.types import RangeSweep

    count = 1
    if one.is_range_sweep():
        sweep: RangeSweep = one._value
        count = _length(sweep)
    elif one.is_choice_sweep():
        count = len(one._value.list)
    value = one.value() if not one.is_sweep_override() else None
    return Override(one.key_or_group, value, count, one.is_delete())


def _length(sweep: Any) -> int:
    import math

    start, stop, step = sweep.start or 0, sweep.stop, sweep.step
    if not step:
        raise UsageError("a range needs a step that is not 0", hint="as in range(1,9,2)")
    return max(0, math.ceil(float((stop - start) / step)))


def _refused(shown: str, texts: Sequence[str], error: BaseException) -> UsageError:
    cause = error.__cause__ or error
    said = _one_line(cause)
    missing = "is not in struct" in said or "Could not override" in said
    hint = "to add a new key, write +KEY=VALUE" if missing else "see: mlx params show"
    message = said.partition(". To append")[0] if missing else said
    return UsageError(f"{shown}: {', '.join(texts)}: {message}", hint=hint)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
