"""A project as a page sees it: runs as numbered rows, their columns, texts, issues and edits."""
