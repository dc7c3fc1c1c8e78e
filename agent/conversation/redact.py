"""Blacking out secrets before a text leaves the process for a model, a person, a log or the disk.

Two sets of rules. Those that know a secret by its shape (cloud keys, chat tokens, JWTs) are the detectors of
detect-secrets (https://github.com/Yelp/detect-secrets), used as a library. Ours know it by what stands around it:
connection strings, headers, `password=...`, whole private keys. Each rule has hints, short texts of which one must
occur before the rule is tried: an ordinary line costs microseconds, and the library is imported when a text needs it.
"""

import importlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tools.contract import File, Finding, Json

MASK = "[redacted]"

_NAMES = (
    r"passw(?:or)?d|passphrase|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token|"
    r"accesstoken|(?:access|refresh|session|bearer|id)[_-]token"
)
# Values that say something about a secret and are none: log lines about them stay readable.
_STATUS = (
    r"(?!(?:none|null|nil|true|false|yes|no|missing|invalid|expired|required|incorrect|wrong|empty|unset|not|is|was|"
    r"must|should|rotated|changed|rejected|denied|<[^>]*>|\*+|\$\{?\w+\}?)(?![\w-]))"
)
_VALUE = r"""\\?"[^"\n\\]+|\\?'[^'\n\\]+|[^\s'",;&\\]{4,}"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and the hints (in lower case) of which one stands in every text it can match.

    What the first group matched stays, so that a reader knows what was there; a pattern without groups goes whole.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def applied(self, text: str, folded: str) -> str:
        return self.pattern.sub(_masked, text) if hinted(self.hints, folded) else text


def hinted(hints: Sequence[str], folded: str) -> bool:
    """Whether some hint stands in the text. A loop: nothing in a turn runs more often, and `any` takes twice that."""
    for hint in hints:  # noqa: SIM110
        if hint in folded:
            return True
    return False


def _masked(found: re.Match[str]) -> str:
    if found.re.groups != 2:
        return MASK
    kept, value = found[1], found[2]
    quote = value[: len(value) - len(value.lstrip("\\'\""))]
    return f"{kept}{quote}{MASK}"


def _rule(hints: str, pattern: str) -> Rule:
    return Rule(tuple(hints.split()), re.compile(pattern, re.IGNORECASE))


# Every repetition that something must follow is bounded: these run over text that strangers write.
OURS = (
    _rule(
        "private", r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)([\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|[\s\S]*)"
    ),
    _rule(
        "://",
        r"(://[^\s:/@]{0,128}:)((?!\d{1,5}(?:[/?#\s]|$))[^\s'\"@]{1,256}(?:@[^\s'\"@/]{1,64}){0,4})(?=@[\w.\[-])",
    ),
    _rule(
        "authorization",
        r"(\bauthorization\\?['\"]?\s*[:=]\s*\\?['\"]?(?:bearer|basic|token)\s+)([^\s'\",;\\]+)",
    ),
    _rule("bearer", r"(\bbearer\s+)([a-z0-9._~+/-]{16,}=*)"),
    _rule("cookie", r"(\b(?:set-)?cookie\\?['\"]?\s*[:=]\s*\\?['\"]?)([^\s'\"\\=]{1,128}=[^\s'\"\\]+)"),
    _rule(
        "passw passphrase pwd secret apikey api_key api-key accesskey access_key access-key privatekey private_key "
        "private-key authtoken accesstoken _token -token",
        rf"((?:{_NAMES})\\?['\"]?\s*(?:[:=]|=>)\s*)({_STATUS}(?:{_VALUE}))",
    ),
    _rule("--pass --secret --token --api", rf"(--(?:{_NAMES}|token)[ =])({_STATUS}(?:{_VALUE}))"),
    # Shapes that detect-secrets 1.5 knows in part or not at all: JWT, OpenAI, Anthropic, GitHub, Google, Hugging Face.
    _rule("eyj", r"\beyJ[\w-]{8,2048}\.[\w-]+(?:\.[\w-]*)?"),
    _rule("_authtoken", r"(_authToken\s*=\s*)([^\s'\"]+)"),
    _rule("sk-", r"\bsk-[a-z0-9_-]{20,}"),
    _rule("github_pat_ aiza hf_", r"\bgithub_pat_\w{40,}|\bAIza[\w-]{35}|\bhf_[a-z0-9]{30,}"),
)
# Detectors of detect-secrets by module, with their hints. Left out on purpose: guesses from entropy or from a keyword
# nearby (they black out the hashes, versions and request ids that answers need), and what OURS does more gently or in
# bounded time.
_DETECTORS = {
    "aws": "a3t abia acca akia asia aws",
    "azure_storage_key": "accountkey=",
    "github_token": "ghp_ gho_ ghu_ ghs_ ghr_",
    "gitlab_token": "glpat- gldt- glft- glsoat- glrt- gr1348941 glcbt- glimt- glptt- glagent- gloas-",
    "mailchimp": "-us",
    "openai": "t3blbkfj",
    "pypi_token": "pypi-ag",
    "sendgrid": "sg.",
    "slack": "xox hooks.slack.com",
    "square_oauth": "sq0csp-",
    "stripe": "k_live_",
    "telegram_token": ":aa",
}
_KNOWN_HINTS = tuple(hint for hints in _DETECTORS.values() for hint in hints.split())
_ALL_HINTS = (*_KNOWN_HINTS, *(hint for rule in OURS for hint in rule.hints))
_EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+\b")


@lru_cache(maxsize=1)
def known() -> tuple[Rule, ...]:
    """The rules of detect-secrets, imported when a text first needs them."""
    from detect_secrets.plugins.base import RegexBasedDetector

    rules = []
    for name, hints in _DETECTORS.items():
        module = importlib.import_module(f"detect_secrets.plugins.{name}")
        for detector in vars(module).values():
            if (
                isinstance(detector, type)
                and issubclass(detector, RegexBasedDetector)
                and detector.__module__ == module.__name__
            ):
                rules += [Rule(tuple(hints.split()), _whole(pattern)) for pattern in detector().denylist]
    return tuple(rules)


def _whole(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The pattern with its groups made silent: what it matches goes whole."""
    return re.compile(re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern.pattern), pattern.flags)


class Redactor:
    """Blacks out secrets, and e-mail addresses where the settings say so."""

    def __init__(self, *, emails: bool = False) -> None:
        self._emails = emails

    def text(self, text: str) -> str:
        """The text with every secret replaced by `[redacted]`; a text without one comes back as it was."""
        folded = text.lower()
        if self._emails and "@" in folded:
            text = _EMAIL.sub(MASK, text)
        if not hinted(_ALL_HINTS, folded):
            return text
        for rule in OURS:
            text = rule.applied(text, folded)
        if hinted(_KNOWN_HINTS, folded):
            for rule in known():
                text = rule.applied(text, folded)
        return text

    def has_nothing(self, text: str) -> bool:
        """Whether no rule can touch this text or any part of it: no hint stands in it. Cheap."""
        folded = text.lower()
        return not hinted(_ALL_HINTS, folded) and not (self._emails and "@" in folded)

    def finding(self, finding: Finding) -> Finding:
        """The finding with every text in it redacted, its facts and its whole raw result too."""
        return replace(
            finding,
            title=self.text(finding.title),
            source=self.text(finding.source),
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

    def file(self, file: File) -> File:
        """The file with its text redacted, if it is one; pictures stay as they are."""
        if not file.media_type.startswith(("text/", "application/json")):
            return file
        return replace(file, content=self.text(file.content.decode(errors="replace")).encode())


class Stream:
    """Passes text on as it arrives, whole sentences and lines at a time, so that no secret slips by in two pieces."""

    def __init__(self, redactor: Redactor, onward: Callable[[str], Awaitable[None]]) -> None:
        self._redactor, self._onward, self._held = redactor, onward, ""

    async def take(self, piece: str) -> None:
        self._held += piece
        end = max(self._held.rfind("\n"), self._held.rfind(". ") + 1)
        if end > 0:
            await self._release(end)

    async def rest(self) -> None:
        """Passes on what is still held back."""
        await self._release(len(self._held))

    async def _release(self, end: int) -> None:
        ready, self._held = self._held[:end], self._held[end:]
        if ready:
            await self._onward(self._redactor.text(ready))
