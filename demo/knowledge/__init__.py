"""The demo shop's own knowledge: documents, a generated chat history, and questions asked of both."""

from pathlib import Path

DOCS = Path(__file__).parent / "docs"
QUESTIONS = Path(__file__).parent / "questions.jsonl"
