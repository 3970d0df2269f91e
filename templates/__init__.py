"""Jinja2 templates of what the compiler writes for shells; data formats are dumped, never templated."""
