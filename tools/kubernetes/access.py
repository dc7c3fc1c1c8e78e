"""How a cluster is reached: its address, whom we trust there, and who we say we are."""

import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tools.contract import ToolFailed

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
INSIDE = "https://kubernetes.default.svc"  # the API as every pod may name it
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class AccessRefused(Exception):
    """The settings or the kubeconfig ask for something that cannot be, or may not be; the message says what."""


class Credentials(Protocol):
    """What proves who we are, beside a client certificate."""

    async def token(self, *, anew: bool) -> str | None:
        """The bearer token now, or `None`. `anew` after the cluster refused the last one. Raises `ToolFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token that never changes; none at all where a certificate is enough."""

    value: str | None = field(default=None, repr=False)

    async def token(self, *, anew: bool) -> str | None:  # noqa: ARG002 - there is no other one
        return self.value


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token in a file that is written anew before it expires, as service accounts have it: read for each request."""

    path: Path

    async def token(self, *, anew: bool) -> str | None:  # noqa: ARG002 - it is read each time
        try:
            return self.path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ToolFailed(f"the token of the cluster in {self.path} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Access:
    """One way into one cluster. `name` is what people are told; PEM texts are kept out of every `repr`."""

    name: str
    server: str
    credentials: Credentials
    authority: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        """Raises `AccessRefused` for an address that would show our token to whoever listens."""
        parts = urlsplit(self.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise AccessRefused(
                f"{self.name}: server = {self.server!r} should be an address such as https://..."
            )
        if parts.scheme == "http" and parts.hostname not in _HERE:
            raise AccessRefused(
                f"{self.name}: server = {self.server!r} should be https: only a proxy on this machine may do without"
            )

    def tls(self) -> ssl.SSLContext | None:
        """What a connection is secured with; `None` for a proxy on this machine. Raises `AccessRefused`."""
        if not self.server.startswith("https://"):
            return None
        try:
            context = ssl.create_default_context(cadata=self.authority)
            if self.certificate and self.key:
                _load(context, self.certificate, self.key)
        except (ssl.SSLError, ValueError) as error:
            raise AccessRefused(
                f"{self.name}: its certificates or key are no PEM that fits: {error}"
            ) from error
        return context


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Python takes a client certificate from files alone: they exist, for us only, while it reads them."""
    with tempfile.TemporaryDirectory(prefix="sayso-") as folder:
        chain, secret = Path(folder, "chain.pem"), Path(folder, "key.pem")
        for file, text in ((chain, certificate), (secret, key)):
            file.touch(mode=0o600)
            file.write_text(text, encoding="ascii")
        context.load_cert_chain(chain, secret)


def inside(folder: Path = ACCOUNT, server: str = INSIDE) -> Access:
    """Access with the service account of the pod we run in. Raises `AccessRefused` where we run in none."""
    token, authority = folder / "token", folder / "ca.crt"
    if not token.exists():
        raise AccessRefused(
            f"no kubeconfig is named, and there is no service account in {folder}: name a kubeconfig, or run in a pod"
        )
    try:
        trusted = authority.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise AccessRefused(f"the cluster's certificate in {authority} cannot be read: {error}") from error
    return Access("the cluster", server, TokenFile(token), trusted)


@dataclass(frozen=True, slots=True)
class Persona:
    """Whom a request is made for, by the cluster's impersonation."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Who an asker is in the cluster: a name of their own or the pattern, and the groups of their roles."""

    pattern: str = "{person}"
    people: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def persona(self, person: str, roles: frozenset[str]) -> Persona:
        groups = {group for role in roles for group in self.groups.get(role, ())}
        return Persona(
            self.people.get(person) or self.pattern.replace("{person}", person), tuple(sorted(groups))
        )
