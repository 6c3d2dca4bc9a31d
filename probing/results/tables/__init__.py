"""Results as tables for papers and issues: Markdown, LaTeX, CSV and plain text."""
