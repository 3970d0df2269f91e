"""What explains and writes specs: codes, schema, formatter, first spec, presets, diff, scaling, diagnostics."""
