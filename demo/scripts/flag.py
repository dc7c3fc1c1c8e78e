"""A feature flag of the shop: `python -m demo.scripts.flag show|plan|set|check FLAGS_FILE NAME [on|off]`."""

import json
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    what, file, name, *rest = arguments
    path = Path(file)
    flags = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    now, wanted = flags.get(name, "off"), rest[0] if rest else ""
    match what:
        case "show":
            print(f"{name} is {now}")
        case "plan":
            print(json.dumps({"flag": name, "now": now, "wanted": wanted}))
        case "set":
            aside = path.with_suffix(".new")
            aside.write_text(json.dumps({**flags, name: wanted}), encoding="utf-8")
            aside.replace(path)
            print(f"{name} is {wanted} now (was {now})")
        case "check":
            print(f"{name} is {now}")
            return 0 if now == wanted else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
