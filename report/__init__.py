"""The report: run folders in; the emissions table, the curves and where every number comes from, out.

Stages in order: reading (folder -> RunHistory), attempts, accounting, difference, scopes, curves, build (-> Report)
and tables; then a module a form: layouts, data_files, plots, page, prose, model_card. `write` puts them into a folder.
"""
