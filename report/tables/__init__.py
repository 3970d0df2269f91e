"""Values to tables: every table of a report, before anything decides how it looks."""
