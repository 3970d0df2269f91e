"""A secret is passed by its name, never by its value.

What stands in a spec is copied into the bundle and from there into version control, logs and reports.

Bad:

    launch: {environment: {WANDB_API_KEY: abc123}}

Good:

    launch: {secrets: [WANDB_API_KEY]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW332"

_SECRET = re.compile(r"(^|_)(API_?KEY|ACCESS_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIALS?|PRIVATE_?KEY)(_|$)")


def check(loaded: Loaded) -> Iterator[Finding]:
    """Variables whose name says that their value is a secret."""
    for name in loaded.spec.launch.environment:
        if _SECRET.search(name.upper()):
            remedy = f"Remove it here, list it under `launch.secrets: [{name}]`, and set it where you launch."
            yield Finding(
                f"launch.environment.{name}", f"`{name}` looks like a secret, and a bundle holds no values", remedy
            )
