"""Blacking out secrets before a text leaves the process for a model, a person, a log or the disk.

The rules are those of detect-secrets (https://github.com/Yelp/detect-secrets), used as a library, and a few of ours for
what it does not know: connection strings, bearer tokens, `password=...` in running text, whole private keys.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from tools.contract import Finding, Json

MASK = "[redacted]"

_NAMES = "password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|auth[_-]?token|client[_-]?secret"

# Ours. Each hides its last group; what stands before it stays, so that a reader knows what was there.
_OURS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)([\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|[\s\S]*)",
        r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)([^\s@/]+)(?=@)",
        r"(\b(?:authorization|proxy-authorization)\b['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|token)\s+)([^\s'\",;]+)",
        r"(\bbearer\s+)([A-Za-z0-9._~+/-]{16,}=*)",
        rf"(\b[\w.-]*(?:{_NAMES})['\"]?\s*[:=]\s*['\"]?)([^\s'\",;&]{{4,}})",
    )
)
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
# A text without any of these cannot hold a secret that the rules know; most small texts stop here.
_SUSPECT = re.compile(
    r"key|token|secret|passw|passp|bearer|basic|authori|://|AKIA|ASIA|gh[pousr]_|glpat|sk[-_]|xox|ey[JI]|npm_|pypi-|SG\.|"
    r"[A-Za-z0-9+/_-]{24,}",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def _known() -> tuple[re.Pattern[str], ...]:
    """The patterns of detect-secrets' detectors that match a secret by its shape."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    # Guesses from entropy or from a keyword nearby black out hashes, versions and request ids that answers need.
    skipped = {"KeywordDetector", "IPPublicDetector", "BasicAuthDetector", "PrivateKeyDetector"}
    detectors: list[type] = list(get_mapping_from_secret_type_to_class().values())
    return tuple(
        pattern
        for detector in detectors
        if issubclass(detector, RegexBasedDetector) and detector.__name__ not in skipped
        for pattern in detector().denylist
    )


class Redactor:
    """Blacks out secrets, and e-mail addresses where the settings say so."""

    def __init__(self, *, emails: bool = False) -> None:
        self._emails = emails

    def text(self, text: str) -> str:
        """The text with every secret replaced by `[redacted]`; a text without one comes back as it was."""
        if self._emails:
            text = _EMAIL.sub(MASK, text)
        if not _SUSPECT.search(text):
            return text
        for ours in _OURS:
            text = ours.sub(lambda found: found[1] + MASK, text)
        for known in _known():
            text = known.sub(MASK, text)
        return text

    def finding(self, finding: Finding) -> Finding:
        """The finding with every text in it redacted, its facts and its whole raw result too."""
        return replace(
            finding,
            title=self.text(finding.title),
            query=self.text(finding.query),
            text=self.text(finding.text),
            link=None if finding.link is None else self.text(finding.link),
            raw=None if finding.raw is None else self.text(finding.raw),
            facts={name: self.value(value) for name, value in finding.facts.items()},
        )

    def value(self, value: Json) -> Json:
        """A JSON value with the texts in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(inner) for name, inner in value.items()}
        if isinstance(value, Sequence):
            return [self.value(inner) for inner in value]
        return value
