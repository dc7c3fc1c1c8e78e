"""Flags in files as flagd (OpenFeature) reads them: JSON, one file for each environment."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.contract import BadArguments, Json, ToolFailed, ToolUnavailable
from tools.flags.port import Flag

DISABLED = "disabled"  # said for `state: DISABLED`, where the code's own default counts


class _Flag(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    state: str
    variants: Mapping[str, object]
    default: str | None = Field(default=None, alias="defaultVariant")
    targeting: Mapping[str, object] = Field(default_factory=dict)


class FlagdFiles:
    """A value is the name of the default variant. The file is replaced whole, at once; flagd sees it change."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)

    @property
    def name(self) -> str:
        return "flagd files"

    async def get(self, flag: str, environment: str) -> Flag | None:
        file = self._files.get(environment)
        if file is None:
            return None
        flags = _flags(await asyncio.to_thread(_read, file), file)
        if flag not in flags:
            return None
        found = _understood(flags[flag], flag, file)
        on = found.state == "ENABLED"
        return Flag(
            name=flag,
            environment=environment,
            value=(found.default or DISABLED) if on else DISABLED,
            values=(*found.variants, DISABLED),
            rules=("targeting decides first",) if found.targeting else (),
        )

    async def set(self, flag: str, environment: str, value: str) -> None:
        file = self._files.get(environment)
        if file is None:
            raise BadArguments(
                f"no file of flags is declared for {environment!r}", field="environment", value=environment
            )
        await asyncio.to_thread(_set, file, flag, value)


def _read(file: Path) -> dict[str, Json]:
    try:
        said: object = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ToolUnavailable(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ToolFailed(f"{file} is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise ToolFailed(f"{file} should be an object with `flags`")
    return said


def _flags(content: Mapping[str, Json], file: Path) -> dict[str, Json]:
    flags = content.get("flags")
    if not isinstance(flags, dict):
        raise ToolFailed(f"{file} has no `flags`; it should be as flagd reads it")
    return flags


def _understood(said: Json, flag: str, file: Path) -> _Flag:
    try:
        return _Flag.model_validate(said)
    except ValidationError as error:
        raise ToolFailed(
            f"{file}: {flag} is no flag as flagd reads it: {error.errors()[0]['msg']}"
        ) from error


def _set(file: Path, flag: str, value: str) -> None:
    """Changes `defaultVariant` and `state` and nothing else."""
    content = _read(file)
    flags = _flags(content, file)
    before = flags.get(flag)
    if not isinstance(before, dict):
        raise BadArguments(f"{file} has no flag {flag!r}", field="flag", value=flag)
    known = _understood(before, flag, file)
    if value not in {*known.variants, DISABLED}:
        raise BadArguments(
            f"value = {value!r}: {flag} has {', '.join(known.variants)}", field="value", value=value
        )
    off = value == DISABLED
    changed = {"state": "DISABLED"} if off else {"state": "ENABLED", "defaultVariant": value}
    flags[flag] = {**before, **changed}
    _replace(file, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _replace(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(file.stat().st_mode & 0o777)
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        fresh.replace(file)
    except OSError as error:
        raise ToolFailed(f"{file} cannot be written: {error.strerror}; nothing was changed") from error
