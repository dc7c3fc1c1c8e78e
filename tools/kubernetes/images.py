"""Images by name: the repository, the tag, and the version that people mean by it."""

import re
from dataclasses import dataclass

_VERSION = re.compile(r"[vV]?\d+(?:\.\d+){0,3}(?:-[0-9A-Za-z.-]{1,40})?")
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST_SHOWN = 12  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Image:
    """`registry:5000/shop/payments:2.3.9@sha256:...` in its parts."""

    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def of(cls, text: str) -> "Image":
        rest, _, digest = text.partition("@")
        repository, colon, tag = rest.rpartition(":")
        if not colon or "/" in tag:  # the colon of a port
            repository, tag = rest, ""
        return cls(repository, tag or None, digest or None)

    @property
    def version(self) -> str:
        """The tag without a leading v where it is a version; else the tag, or the start of the digest."""
        if self.tag is not None:
            return self.tag[1:] if self.tag[0] in "vV" and _VERSION.fullmatch(self.tag) else self.tag
        if self.digest is not None:
            return self.digest[: len("sha256:") + _DIGEST_SHOWN]
        return "latest"  # what a container runtime takes an image without a tag for

    def with_version(self, version: str, repository: str = "") -> "Image":
        """The image of another version, its tag written as this one's is (`v2.3.9` beside `v2.4.0`).

        Raises `ValueError` where a version cannot be a tag.
        """
        leading = self.tag[0] if self.tag and self.tag[0] in "vV" and _VERSION.fullmatch(self.tag) else ""
        tag = f"{leading}{version}"
        if not _TAG.fullmatch(tag):
            raise ValueError(f"{version!r} cannot be the tag of an image")
        return Image(repository or self.repository, tag)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"
