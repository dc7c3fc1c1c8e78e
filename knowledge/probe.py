"""Tries a record of vectors in a process of its own: `python probe.py FOLDER COLLECTION`.

Chroma checks little of what it reads, and files that a kill has torn may end the process that opens them. Then it is
this one; it ends with 0 only when the record can be counted, searched and changed.
"""

import sys


def tried(folder: str, name: str) -> None:
    """Everything a writer does to a record, without a change."""
    from chromadb.api.client import Client
    from chromadb.config import Settings

    client = Client(
        settings=Settings(is_persistent=True, persist_directory=folder, anonymized_telemetry=False)
    )
    held = client.get_collection(name, embedding_function=None)
    count = held.count()
    if count:
        some = held.get(limit=1, include=["embeddings"])["embeddings"]
        if some is None:
            raise SystemExit("a vector is missing")
        held.query(query_embeddings=some[:1], n_results=1, include=[])
    held.delete(ids=["no chunk has this id"])
    client.close()


if __name__ == "__main__":
    tried(*sys.argv[1:])
