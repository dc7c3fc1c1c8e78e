"""Which tools serve a request: the ranking by words, and by meaning where a model is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.models.router import ToolRouter
from knowledge.port import EmbedderUnavailable
from tools.contract import Arguments, Effect, Example, Spec

if TYPE_CHECKING:
    from knowledge.port import Vectors


class Where(Arguments):
    namespace: str = ""


class HowMany(Arguments):
    replicas: int = 1


TOOLS = (
    Spec("pods_delete", "Deletes a pod", Where, Effect.WRITE),
    Spec("nodes_top", "CPU and memory of the nodes", Where, Effect.READ),
    Spec("set_size", "Changes a workload", HowMany, Effect.WRITE),
    Spec("query_logs", "Searches lines", Where, Effect.READ, examples=(Example("tail {service}"),)),
    Spec("docs", "Searches runbooks", Where, Effect.READ),
)


async def test_words_of_the_name_the_description_the_examples_and_the_arguments_count() -> None:
    router = ToolRouter(TOOLS)

    assert (await router.rank("please delete that pod"))[0] == "pods_delete"
    assert (await router.rank("how much memory do they take"))[0] == "nodes_top"
    assert (await router.rank("four replicas, please"))[0] == "set_size"
    assert (await router.rank("tail payments"))[0] == "query_logs"


async def test_french_words_count_for_the_english_ones_they_stand_for() -> None:
    assert (await ToolRouter(TOOLS).rank("combien de mémoire prennent les nœuds ?"))[0] == "nodes_top"


async def test_a_follow_up_is_read_with_the_request_before_it() -> None:
    router = ToolRouter(TOOLS)

    assert (await router.rank("and yesterday?", "tail payments"))[0] == "query_logs"
    assert (await router.rank("delete the pod", "tail payments"))[0] == "pods_delete"


async def test_every_tool_is_ranked_whatever_is_asked() -> None:
    for request in ("", "   ", "?!", "zzz", "🚒" * 400):
        assert sorted(await ToolRouter(TOOLS).rank(request)) == sorted(tool.name for tool in TOOLS)


class BrokenEmbedder:
    """An embedding model whose package is there and whose weights are not."""

    name, dims, floor = "broken", 3, 0.5

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        raise EmbedderUnavailable("no weights", embedder=self.name)

    embed_passages = embed_queries


class OneSense(BrokenEmbedder):
    """Knows one meaning: what is gone, and what deletes."""

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        return np.array(
            [[1.0, 0, 0] if "gone" in text or "Delete" in text else [0, 1.0, 0] for text in texts],
            dtype=np.float32,
        )

    embed_passages = embed_queries


async def test_meaning_finds_what_shares_no_word() -> None:
    router = ToolRouter(TOOLS, OneSense())

    assert (await router.rank("I want it gone"))[0] == "pods_delete"


async def test_without_a_model_that_works_words_alone_decide() -> None:
    assert (await ToolRouter(TOOLS, BrokenEmbedder()).rank("delete that pod"))[0] == "pods_delete"
