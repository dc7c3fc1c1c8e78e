"""What Slack offers somebody to ask who opens a conversation: by the tools that their roles let them use."""

from collections.abc import Collection, Mapping

from agent.words.catalogue import say

MOST = 4  # that Slack shows: https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
# Tool -> what it is good for, the most telling first.
OFFERED = {
    "alerts": "prompt_alerts",
    "status": "prompt_status",
    "logs": "prompt_logs",
    "report": "prompt_report",
    "metrics": "prompt_metrics",
    "changes": "prompt_changes",
    "knowledge": "prompt_knowledge",
}


def of(tools: Collection[str], locale: str) -> list[Mapping[str, str]]:
    """Prompts as Slack takes them, in the person's language; the words that are shown are the words that are asked."""
    texts = [say(f"slack.{key}", locale) for tool, key in OFFERED.items() if tool in tools]
    return [{"title": text, "message": text} for text in texts[:MOST]]
