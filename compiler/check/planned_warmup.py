"""The ranks share each batch of a batch warm-up evenly.

Each step runs data x micro_batch sequences, some whole number of times, in the warm-up as after it. A batch in tokens
may be rounded by at most 5%; a batch in sequences is exact.

Bad:

    training: {batch_warmup: [{global_batch: 1 sequence, until: 1B}]}
    parallel: {data: 2}

Good:

    training: {batch_warmup: [{global_batch: 2 sequences, until: 1B}]}
    parallel: {data: 2, micro_batch: 1}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from ..plan.batch_stages import unshared
from ..plan.layout_search import NoLayoutError
from .finding import Finding
from .planned_layout import layout_of

CODE = "TW326"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A stage of the warm-up that the planned layout cannot run as it was asked for."""
    training = loaded.spec.training
    if not training.batch_warmup:
        return
    try:
        layout = layout_of(loaded)
    except NoLayoutError:
        return  # TW315 says why there is none
    for index, nearest in unshared(training, layout):
        ranks = f"{layout.data} data-parallel ranks x {layout.micro_batch} sequences"
        message = f"{training.batch_warmup[index].global_batch.text} per step are not whole rounds of {ranks}"
        remedy = f"The nearest batch is {nearest} sequences; or use a smaller micro_batch or fewer data-parallel ranks."
        yield Finding(f"training.batch_warmup.{index}.global_batch", message, remedy)
