"""System prompts: Markdown with front matter, one file a version; a released version is never edited."""
