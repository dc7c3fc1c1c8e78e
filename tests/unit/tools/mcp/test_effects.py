"""Suggested effects: a write where anything hints at one, and no hint of a server makes it a read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.contract import Effect, Json
from tools.mcp.effects import leading, suggested

WRITES = (
    ("delete_issue", "Delete an issue"),
    ("issues", "Create, update or delete issues"),
    ("pods_exec", "Execute a command in a pod"),
    ("merge-pull-request", "Merges it"),
    ("query_warehouse", "Query the warehouse. Example: SELECT * FROM t"),
    ("startAnalysis", "Looks at everything"),
    ("find_slow_requests", "Searches, waits for the analysis to complete, and returns"),
    ("thing", ""),
    ("", ""),
    ("frobnicate", "Frobnicates the frob"),
)
READS = (
    ("get_issue", "Get one issue"),
    ("listPods", "Lists all pods"),
    ("search", "Search for documents by a text"),
    ("query_logs", "Executes a log query and returns lines"),
    ("git_diff_staged", "Shows changes that are staged for commit"),
    ("pods_log", "Get the logs of a pod"),
    ("api_request", "Make a request. Only GET requests are allowed."),
)


@pytest.mark.parametrize(("name", "description"), WRITES)
def test_what_changes_or_cannot_be_told_is_suggested_as_a_write(name: str, description: str) -> None:
    assert suggested(name, description, {}).effect is Effect.WRITE


@pytest.mark.parametrize(("name", "description"), READS)
def test_what_only_looks_is_suggested_as_a_read(name: str, description: str) -> None:
    assert suggested(name, description, {}).effect is Effect.READ


@pytest.mark.parametrize(("name", "description"), READS)
def test_a_servers_hint_can_make_a_write_of_it(name: str, description: str) -> None:
    for hints in ({"readOnlyHint": False}, {"destructiveHint": True}):
        assert suggested(name, description, {}, hints).effect is Effect.WRITE


@pytest.mark.parametrize(("name", "description"), WRITES)
def test_no_hint_of_a_server_makes_a_read_of_it(name: str, description: str) -> None:
    hints = {"readOnlyHint": True, "destructiveHint": False}
    assert suggested(name, description, {}, hints).effect is Effect.WRITE


@pytest.mark.parametrize("argument", ["sql", "command", "Script"])
def test_an_argument_that_may_order_anything_makes_it_a_write(argument: str) -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {argument: {"type": "string"}}}
    assert suggested("get_rows", "Gets rows", schema).effect is Effect.WRITE


def test_the_verbs_at_the_beginning_are_found_in_all_the_ways_people_list_them() -> None:
    assert leading("Create, patch, or delete config") == ("create", "patch", "delete")
    assert leading("START HERE for Athena: List catalogs") == ("list",)
    assert leading("This tool deletes it.") == ("deletes",)
    assert leading("") == ()


@given(st.text(), st.text())
def test_any_words_get_a_suggestion(name: str, description: str) -> None:
    assert suggested(name, description, {}).effect in Effect
