"""The turn of a conversation: context, tool calls, evidence, answer."""
