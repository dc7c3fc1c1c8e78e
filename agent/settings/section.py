"""What every section of the settings is made of: types as people write them, and the base that refuses unknown keys."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


class SettingsError(Exception):
    """`sayso.yaml` or a variable is wrong; the message has a line for each problem."""


DURATION = re.compile(r"^(\d+)\s*(s|m|h|d|w)$")


POSTGRES = re.compile(r"^postgresql(\+psycopg)?://[^\s]+$")


ADDRESS = re.compile(r"[^\s:]+:(\d{1,5})")


LAST_PORT = 65_535


UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(value: object) -> object:
    """A length of time as people write it: `30s`, `15m`, `2h`, `7d`. Everything else is left to pydantic."""
    if isinstance(value, str) and (found := DURATION.match(value.strip())):
        return timedelta(**{UNITS[found[2]]: int(found[1])})
    if isinstance(value, str | int | float):
        raise ValueError("should be a length of time such as 30s, 15m, 2h or 7d")  # noqa: TRY004 - pydantic turns ValueError into its own
    return value


def time_zone(value: object) -> object:
    """A name that this machine's time zone database knows."""
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("should be a time zone such as Europe/Paris or UTC") from error
    return value


def postgres_url(value: SecretStr) -> SecretStr:
    """The address of a PostgreSQL database, as SQLAlchemy writes it."""
    if not POSTGRES.match(value.get_secret_value()):
        raise ValueError(
            "should be the URL of a PostgreSQL database: postgresql+psycopg://user@host/database"
        )
    return value


def address(value: object) -> str:
    """A host and a port to listen at. Raises `ValueError`."""
    found = ADDRESS.fullmatch(str(value))
    if found is None or int(found[1]) > LAST_PORT:
        raise ValueError(
            f"should be HOST:PORT with a port up to {LAST_PORT}, such as 127.0.0.1:8470, or 0.0.0.0:8470 to be "
            "reached from other machines"
        )
    return str(value)


Duration = Annotated[timedelta, BeforeValidator(duration)]


TimeZone = Annotated[str, BeforeValidator(time_zone)]


Address = Annotated[str, BeforeValidator(address)]


Language = Literal["en", "fr"]


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]


Member = Annotated[str, Field(pattern=r"^(person:)?[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=71)]


Moment = datetime | date | str  # a text is a moment of the week or a date


class Section(BaseModel):
    """Base of every section: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
