"""Strategic merge patches and selectors, as the documentation of the Kubernetes API describes them."""

import copy
import re
from collections.abc import Mapping
from typing import Any

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}  # the merge keys of the lists that have one; all others are replaced


def merged(now: Any, patch: Any, name: str = "") -> Any:
    """The value after a strategic merge patch."""
    if isinstance(patch, Mapping):
        if patch.get("$patch") == "replace":
            return {key: value for key, value in patch.items() if key != "$patch"}
        after: dict[str, Any] = copy.deepcopy(dict(now)) if isinstance(now, Mapping) else {}
        for key, value in patch.items():
            if key.startswith("$"):
                continue
            if value is None:
                after.pop(key, None)
            else:
                after[key] = merged(after.get(key), value, key)
        return after
    if isinstance(patch, list) and name in _KEYS and isinstance(now, list):
        merge_key, members = _KEYS[name], copy.deepcopy(now)
        for each in patch:
            wanted = each.get(merge_key)
            place = next((at for at, one in enumerate(members) if one.get(merge_key) == wanted), None)
            if place is None:
                members.append(each)
            else:
                members[place] = merged(members[place], each)
        return members
    return copy.deepcopy(patch)


def replaced(now: Any, operations: Any) -> Any:
    """The value after a JSON patch whose operations all replace something."""
    after = copy.deepcopy(now)
    for each in operations:
        if each["op"] != "replace":
            raise ValueError(f"{each['op']} is not spoken here")
        *parents, last = [
            piece.replace("~1", "/").replace("~0", "~") for piece in each["path"].split("/")[1:]
        ]
        place = after
        for piece in parents:
            place = place[piece]
        place[last] = each["value"]
    return after


_IN = re.compile(r"(?P<key>[\w./-]+) (?P<how>in|notin) \((?P<values>[^)]*)\)")


def selects(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels fit a selector of equalities, sets and existence."""
    sets = list(_IN.finditer(selector))
    for each in sets:
        inside = labels.get(each["key"]) in each["values"].split(",")
        if inside != (each["how"] == "in"):
            return False
    for part in filter(None, _IN.sub("", selector).split(",")):
        key, equal, value = part.partition("=")
        if equal and labels.get(key) != value:
            return False
        if not equal and (part.lstrip("!") in labels) == part.startswith("!"):
            return False
    return True


def fields_fit(selector: str, value: Mapping[str, Any]) -> bool:
    """Whether an object fits a selector of fields."""
    for part in filter(None, selector.split(",")):
        path, _, wanted = part.partition("=")
        found: Any = value
        for piece in path.split("."):
            found = found.get(piece, {}) if isinstance(found, Mapping) else {}
        if found != wanted:
            return False
    return True
