"""A kubeconfig: the file in which people keep how they reach their clusters."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.kubernetes.access import Access, AccessRefused, Credentials, FixedToken, TokenFile
from tools.kubernetes.execplugin import ExecPlugin, Plugin, Programs
from tools.vocabulary import nearest


class _Part(BaseModel):
    """A part of the file; what newer clients write beside is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Cluster(_Part):
    server: str
    certificate_authority: str | None = Field(default=None, alias="certificate-authority")
    certificate_authority_data: str | None = Field(default=None, alias="certificate-authority-data")
    tls_server_name: str | None = Field(default=None, alias="tls-server-name")
    insecure: bool = Field(default=False, alias="insecure-skip-tls-verify")
    proxy_url: str | None = Field(default=None, alias="proxy-url")


class _User(_Part):
    token: str | None = None
    token_file: str | None = Field(default=None, alias="tokenFile")
    client_certificate: str | None = Field(default=None, alias="client-certificate")
    client_certificate_data: str | None = Field(default=None, alias="client-certificate-data")
    client_key: str | None = Field(default=None, alias="client-key")
    client_key_data: str | None = Field(default=None, alias="client-key-data")
    exec: Plugin | None = None
    username: str | None = None
    auth_provider: Mapping[str, object] | None = Field(default=None, alias="auth-provider")
    impersonate: str | None = Field(default=None, alias="as")


class _Context(_Part):
    cluster: str
    user: str


class _NamedCluster(_Part):
    name: str
    cluster: _Cluster


class _NamedUser(_Part):
    name: str
    user: _User


class _NamedContext(_Part):
    name: str
    context: _Context


class _File(_Part):
    clusters: tuple[_NamedCluster, ...] = ()
    users: tuple[_NamedUser, ...] = ()
    contexts: tuple[_NamedContext, ...] = ()
    current_context: str = Field(default="", alias="current-context")


P = TypeVar("P", bound=_Part)


def access(file: Path, context: str | None, programs: Programs | None = None) -> Access:
    """The access that a context of the file names, the current one if `context` is None.

    With `programs` a user's credentials may come from a program that the file names. Raises `AccessRefused` naming the
    file and what is wrong in it.
    """
    said = _read(file)
    wanted = context or said.current_context
    chosen = _named("context", wanted, {each.name: each.context for each in said.contexts}, file)
    cluster = _named("cluster", chosen.cluster, {each.name: each.cluster for each in said.clusters}, file)
    user = _named("user", chosen.user, {each.name: each.user for each in said.users}, file)
    where = f"{file}: context {wanted!r}"
    _only_what_is_safe(cluster, user, where)
    given = _Given(file.parent, where)
    return Access(
        name=f"the cluster {wanted!r}",
        server=cluster.server.rstrip("/"),
        credentials=_credentials(user, cluster, given, programs),
        authority=given.pem(cluster.certificate_authority, cluster.certificate_authority_data),
        certificate=given.pem(user.client_certificate, user.client_certificate_data),
        key=given.pem(user.client_key, user.client_key_data),
        server_name=cluster.tls_server_name,
    )


def _read(file: Path) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError) as error:
        raise AccessRefused(f"{file}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise AccessRefused(f"{file}: is no YAML") from error  # the text may hold a token: it is not repeated
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise AccessRefused(f"{file}: {name or 'the file'}: {first['msg']}") from error


def _named(what: str, name: str, known: Mapping[str, P], file: Path) -> P:
    if name not in known:
        near = ", ".join(nearest(name, known)) or "it has none"
        raise AccessRefused(f"{file}: there is no {what} {name!r}; nearest: {near}")
    return known[name]


def _only_what_is_safe(cluster: _Cluster, user: _User, where: str) -> None:
    """Raises `AccessRefused` for what kubectl may follow and we do not."""
    refused = {
        "insecure-skip-tls-verify: anybody between us and the cluster could read the token; give its certificate as "
        "certificate-authority-data": cluster.insecure,
        "proxy-url is not supported: reach the cluster without it": cluster.proxy_url,
        "username and password are not taken by any supported Kubernetes": user.username,
        "auth-provider was removed from Kubernetes 1.26; use an exec plugin or a token": user.auth_provider,
        "`as` is for a person at a keyboard; set tools.kubernetes.impersonate": user.impersonate,
    }
    for reason, found in refused.items():
        if found:
            raise AccessRefused(f"{where}: {reason}")


class _Given:
    """Texts that stand in the file, or in files beside it."""

    def __init__(self, folder: Path, where: str) -> None:
        self._folder, self._where = folder, where

    def path(self, named: str) -> Path:
        return self._folder / named  # an absolute one stays as it is

    def pem(self, named: str | None, data: str | None) -> str | None:
        """The text of a certificate or key: data win over a file, as with kubectl."""
        try:
            if data:
                return base64.b64decode(data, validate=True).decode("ascii")
            return self.path(named).read_text(encoding="ascii") if named else None
        except (binascii.Error, UnicodeDecodeError) as error:
            raise AccessRefused(f"{self._where}: a certificate or key is no base64 of PEM") from error
        except OSError as error:
            raise AccessRefused(f"{self._where}: {named}: {error.strerror}") from error


def _credentials(user: _User, cluster: _Cluster, given: _Given, programs: Programs | None) -> Credentials:
    if user.token:
        return FixedToken(user.token.strip())  # a block of YAML ends its line
    if user.token_file:
        return TokenFile(given.path(user.token_file))
    if user.exec is None:
        return FixedToken()
    if programs is None:
        raise AccessRefused(
            f"the credentials come from the program {user.exec.command!r}; set tools.kubernetes.exec_plugins: true to "
            "let sayso run it, or give a token"
        )
    info = {"server": cluster.server, "tls-server-name": cluster.tls_server_name or ""}
    if cluster.certificate_authority_data:
        info["certificate-authority-data"] = cluster.certificate_authority_data
    return ExecPlugin(user.exec, given.path("."), programs, info)
