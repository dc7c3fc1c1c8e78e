"""How a service is an application of Argo CD, as an operator declares it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class By(Enum):
    """Which part of an application's source names the version."""

    REVISION = "revision"  # targetRevision is a tag
    IMAGE = "image"  # a kustomize image
    HELM = "helm"  # a helm parameter


class Misdeclared(Exception):
    """A declaration that cannot work; the message names the field, the value and what would be right."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One service: its application in each environment, and where its version stands.

    `target` is the image (`by: image`) or the parameter (`by: helm`); `tags_of` is a Git repository known to Argo CD
    whose tags are the versions there are, the application's own if unset.
    """

    name: str
    applications: Mapping[str, str]  # environment -> application
    by: By = By.REVISION
    target: str = ""
    tag: str = "v{version}"  # of Git
    image_tag: str = "{version}"  # of an image, or the value of a helm parameter
    tags_of: str = ""
    prune: bool = False
    project: str = ""
    namespace: str = ""  # of the applications, where they are not in Argo CD's own

    def __post_init__(self) -> None:
        for name, text in (("tag", self.tag), ("image_tag", self.image_tag)):
            if text.count("{version}") != 1:
                raise Misdeclared(f"{name} = {text!r} should hold {{version}} once")
        if self.by is not By.REVISION and not self.target:
            what = (
                "an image, such as registry.example/payments"
                if self.by is By.IMAGE
                else "a parameter of helm"
            )
            raise Misdeclared(f"target is missing: by = {self.by.value!r} should name {what}")

    @property
    def shape(self) -> str:
        return self.tag if self.by is By.REVISION else self.image_tag

    def written(self, version: str) -> str:
        """The version as it stands in the source."""
        return self.shape.replace("{version}", version)

    def query(self) -> dict[str, str]:
        """What tells applications of one name apart."""
        asked = {"project": self.project, "appNamespace": self.namespace}
        return {name: value for name, value in asked.items() if value}


def read(shape: str, text: str) -> str | None:
    """The version in a tag or a value of this shape; `None` for another one."""
    before, _, after = shape.partition("{version}")
    found = re.fullmatch(f"{re.escape(before)}(\\d[0-9A-Za-z.+-]*){re.escape(after)}", text)
    return found[1] if found else None
