"""The language and the contract: what a spec may say, and the values that the compiler hands to the runtime.

This package imports nothing else of this project; `compiler` and `runtime` meet only here.
"""
