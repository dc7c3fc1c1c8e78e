"""The version that an application's source names, and the patch that makes it name another."""

from collections.abc import Sequence

from tools.contract import Json
from tools.deploy.argocd.application import Source
from tools.deploy.argocd.declared import By, Declared, read


def version_in(declared: Declared, source: Source | None) -> str:
    """The version that a source names, or what it names instead; empty where it names none."""
    if source is None:
        return ""
    match declared.by:
        case By.REVISION:
            named = source.revision
        case By.IMAGE:
            images = source.kustomize.images if source.kustomize else ()
            named = next(
                (tag for each in images if (tag := image_tag(each, declared.target)) is not None), ""
            )
        case By.HELM:
            parameters = source.helm.parameters if source.helm else ()
            named = next((each.value for each in parameters if each.name == declared.target), "")
    return read(declared.shape, named) or named


def image_tag(image: str, target: str) -> str | None:
    """The tag of a kustomize image `[old=]name[:tag]`, where it is about `target`; `None` where it is not."""
    old, separator, new = image.rpartition("=")
    name, colon, tag = new.rpartition(":")
    if not colon or "/" in tag:
        name, tag = new, ""
    return tag if target in {name, old if separator else name} else None


def patched(declared: Declared, source: Source, version: str) -> dict[str, Json]:
    """The part of a source that a merge patch has to change: lists are replaced whole, so they are told whole."""
    written = declared.written(version)
    match declared.by:
        case By.REVISION:
            return {"targetRevision": written}
        case By.IMAGE:
            images = list(source.kustomize.images if source.kustomize else ())
            return {"kustomize": {"images": _with_image(images, declared.target, written)}}
        case By.HELM:
            parameters = [
                each.model_dump(exclude_none=True)
                for each in (source.helm.parameters if source.helm else ())
                if each.name != declared.target
            ]
            return {"helm": {"parameters": [*parameters, {"name": declared.target, "value": written}]}}


def _with_image(images: Sequence[str], target: str, tag: str) -> list[Json]:
    kept: list[Json] = [each for each in images if image_tag(each, target) is None]
    old = next((each for each in images if image_tag(each, target) is not None), target)
    before, separator, new = old.rpartition("=")
    name = new.rpartition(":")[0] if image_tag(old, target) else new
    return [*kept, f"{before}{separator}{name}:{tag}"]
