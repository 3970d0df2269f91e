"""The report: run folders in; the emissions table, the curves and where every number comes from, out.

Stages in order: `accounting/` (folder -> history, attempts, emissions row, difference, scopes, curves), `build`
(-> Report), `tables/` (values -> tables), `formats/` (tables -> text, one module each). `write` fills a folder.
"""
