"""Answers become evidence; what is the server's own trouble is told from what it found."""

import pytest

from tests.fakes.mcp_hostile import PIXEL
from tests.fakes.mcp_servers import text
from tools.contract import ToolFailed
from tools.mcp.port import Answered, Block
from tools.mcp.results import SHOWN, Told, error_in, outcome

QUERY = "valves: look {}"


def test_a_text_is_one_finding_with_its_query_and_its_value() -> None:
    found = outcome("valves", "look", QUERY, text('{"value": 10}', structured={"value": 10}))
    (finding,) = found.findings
    assert found.ok
    assert (finding.query, finding.source) == (QUERY, "MCP server valves")
    assert finding.facts["value"] == {"value": 10}
    assert finding.cut is None


def test_a_long_text_is_shown_in_part_said_so_and_kept_whole() -> None:
    whole = "\n".join(f"line {number}" for number in range(2_000))
    (finding,) = outcome("valves", "look", QUERY, text(whole)).findings
    assert len(finding.text) <= SHOWN
    assert finding.cut == f"the first {SHOWN:,} of {len(whole):,} characters"
    assert finding.raw == whole


def test_a_value_that_is_too_large_for_facts_is_kept_in_the_raw_result_alone() -> None:
    rows = [{"row": number} for number in range(2_000)]
    (finding,) = outcome("valves", "look", QUERY, text("2,000 rows", structured={"rows": rows})).findings
    assert finding.facts["value"] is None
    assert '"row": 1999' in (finding.raw or "")


def test_what_nobody_sees_is_not_shown_and_counted() -> None:
    (finding,) = outcome("valves", "look", QUERY, text("\x1b[31mopen\x1b[0m\u200b")).findings
    assert finding.text == "open"
    assert finding.cut == "10 characters that nobody would see"


def test_pictures_links_and_resources_are_told_apart_and_the_rest_is_named() -> None:
    blocks = (
        Block("text", "a valve"),
        Block("image", media_type="image/png", content=PIXEL),
        Block("image", media_type="image/svg+xml", content=PIXEL),
        Block("audio", media_type="audio/wav", content=PIXEL),
        Block("link", "The manual", uri="https://valve.example/manual"),
        Block("resource", "turns left", "text/plain", uri="file:///valve.txt"),
        Block("resource", "", "application/zip", "UEs=", "file:///valve.zip"),
    )
    found = outcome("valves", "picture", QUERY, Answered(blocks))
    main, resource = found.findings
    assert [file.name for file in found.files] == ["picture-1.png"]
    assert main.text == "a valve\nThe manual: https://valve.example/manual"
    assert main.cut == "not shown: image of image/svg+xml, audio of audio/wav, resource of application/zip"
    assert (resource.kind, resource.text, resource.title) == ("resource", "turns left", "file:///valve.txt")


def test_a_value_without_a_text_is_shown_as_it_is() -> None:
    (finding,) = outcome("valves", "look", QUERY, Answered((), {"value": 3})).findings
    assert '"value": 3' in finding.text


def test_a_value_that_is_picked_wrongly_is_an_error_with_the_expression() -> None:
    told = Told.of(text("plain"))
    assert told.picked("text") == "plain"
    with pytest.raises(ToolFailed, match=r"abs\(text\)"):
        told.picked("abs(text)")


@pytest.mark.parametrize(
    "said",
    [
        "Error: connect ECONNREFUSED 10.0.0.5:5432",
        "Failed to fetch https://api.example: getaddrinfo ENOTFOUND api.example",
        "HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /",
        "ConnectError: All connection attempts failed. Name or service not known",
        "503 Service Unavailable",
        "Error executing tool: timed out",
        "Unable to connect to the server: dial tcp: lookup cluster: no such host",
        '{"error": "fetch failed", "code": "ETIMEDOUT"}',
        '{"result": "Error: 502 Bad Gateway"}',
        "<error>Failed to fetch robots.txt due to a connection issue</error>",
    ],
)
def test_an_error_of_the_network_that_came_as_an_answer_is_told(said: str) -> None:
    assert error_in(Told.of(text(said))) is not None


@pytest.mark.parametrize(
    "said",
    [
        "",
        "10",
        "All valves answer; no timeouts in the last hour",
        "2026-11-23 06:00 payments ERROR connection refused by 10.0.0.5\n" * 20,
        '{"logs": [{"level": "error", "message": "connection refused"}]}',
        '{"error": null, "value": 3}',
        '{"errors": [], "status": "timeout is set to 30"}',
        "Runbook: when the connection is refused, restart the pool",
    ],
)
def test_what_was_found_about_errors_is_no_error_of_the_server(said: str) -> None:
    assert error_in(Told.of(text(said))) is None
