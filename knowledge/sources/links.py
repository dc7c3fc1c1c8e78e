"""Links to a file, made from a template with `{path}`, `{anchor}`, `{line}`, `{page}` and perhaps `{commit}`."""

import re
from string import Formatter

FIELDS = frozenset({"path", "anchor", "line", "page"})
_UNSAFE = re.compile(r'[ #?%"<>]')


class LinkTemplate:
    """A template such as `https://git.example.com/docs/blob/{commit}/{path}#{anchor}`.

    What follows the `#` is left out where a field in it has no value. Raises `ValueError` for an unknown field.
    """

    def __init__(self, template: str, fields: frozenset[str] = FIELDS) -> None:
        used = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        if not used <= fields:
            raise ValueError(
                f"a link may have {', '.join(f'{{{field}}}' for field in sorted(fields))}, "
                f"not {', '.join(repr(field) for field in sorted(used - fields))}: {template!r}"
            )
        self.template = template
        self._page, _, self._fragment = template.partition("#")
        self._needed = {name for _, name, _, _ in Formatter().parse(self._fragment) if name is not None}

    def to(self, path: str, **fields: str | int | None) -> str:
        """The link to one place of a file."""
        given = {key: "" if value is None else str(value) for key, value in fields.items()}
        values = dict.fromkeys(("anchor", "line", "page", "commit"), "") | given
        values["path"] = _UNSAFE.sub(lambda found: f"%{ord(found.group()):02X}", path)
        link = self._page.format(**values)
        if self._fragment and all(values[name] for name in self._needed):
            link += "#" + self._fragment.format(**values)
        return link
