"""Tables and documents to text: terminal, Markdown, LaTeX, HTML, CSV, plots, model card."""
