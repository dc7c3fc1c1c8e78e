"""What never leaves the client: values of environment variables and arguments that look secret, in any object."""

import re
from collections.abc import Mapping

from tools.contract import Json

HIDDEN = "(hidden)"
_NAME = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|dsn|private|cert|cookie|salt|signature|session|webhook|conn(ection)?_?str",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"://[^/\s:@]+:[^/\s@]+@"  # a user and a password in an address
    r"|-----BEGIN"
    r"|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:gh[opsu]_|github_pat_|glpat-|xox[abprs]-|sk-)[\w-]{10,}"
)
_LONG = 32  # characters that nobody would type
_RUN = re.compile(rf"(?<![A-Za-z0-9+/_-])(?P<run>[A-Za-z0-9+/_-]{{{_LONG},}}+)={{0,2}}(?!\S)")
_WORD = re.compile(r"\w+")
_TELLTALE = r"(?:pass|pwd|secret|token|key|cred|auth)"
_ARGUMENT = re.compile(
    rf"(?<![\w.-])(?P<name>--?[\w.-]{{0,80}}?{_TELLTALE}[\w.-]{{0,80}}|\w{{0,80}}?{_TELLTALE}\w{{0,80}}(?==))"
    r"(?P<between>[=\s])(?P<value>'[^']*'|\"[^\"]*\"|\S+)",
    re.IGNORECASE,
)
_NOTES = "kubectl.kubernetes.io/last-applied-configuration"  # holds the whole object again, as text


def scrubbed(value: Json) -> Json:
    """The same object with what looks secret hidden: names stay, values go."""
    if isinstance(value, Mapping):
        return {name: _field(name, each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(each) for each in value]
    return value


def _field(name: str, value: Json) -> Json:
    if name in {"env", "httpHeaders"} and isinstance(value, list):
        return [_variable(each) for each in value]
    if name in {"args", "command"} and isinstance(value, list):
        return _arguments(value)
    if name == "managedFields" and isinstance(value, list):
        return [_manager(each) for each in value]
    if name == "annotations" and isinstance(value, Mapping):
        return {key: text for key, text in value.items() if key != _NOTES}
    if name in {"data", "binaryData", "stringData"} and isinstance(value, Mapping):
        return dict.fromkeys(value, HIDDEN)  # of config maps: the names alone
    return scrubbed(value)


def _manager(entry: Json) -> Json:
    """Who wrote something and when; the list of fields is long and tells nobody anything."""
    if not isinstance(entry, Mapping):
        return entry
    return {name: value for name, value in entry.items() if name in {"manager", "operation", "time"}}


def _variable(variable: Json) -> Json:
    """One variable: `valueFrom` says where its value is kept and not what it is, so it stays."""
    if not isinstance(variable, Mapping) or not isinstance(text := variable.get("value"), str):
        return variable
    secret = _NAME.search(str(variable.get("name", ""))) or looks_secret(text)
    return {**variable, "value": HIDDEN} if secret else variable


def _arguments(words: list[Json]) -> list[Json]:
    told: list[Json] = []
    hide = False
    for word in words:
        text = word if isinstance(word, str) else ""
        told.append(
            HIDDEN if hide or looks_secret(text) else _ARGUMENT.sub(rf"\g<name>\g<between>{HIDDEN}", text)
        )
        hide = text.startswith("-") and "=" not in text and bool(_NAME.search(text)) and " " not in text
    return told


def looks_secret(text: str) -> bool:
    """Whether a text looks like a credential. The time it takes grows with the text, and no faster."""
    return bool(_VALUE.search(text)) or any(map(_is_mixed, _RUN.finditer(text)))


def _is_mixed(found: re.Match[str]) -> bool:
    """Whether a long run has a word of both letters and digits far enough from its end."""
    run = found["run"]
    return any(
        any(map(str.isdigit, word[0])) and any(map(str.isalpha, word[0]))
        for word in _WORD.finditer(run)
        if len(run) - word.start() >= _LONG
    )
