"""Documents of packed sequences: their numbers, their borders, their mask."""

from __future__ import annotations

import torch

from trainwright.runtime.model.document_mask import SHORTEST, Documents


def test_borders_are_where_numbers_change_and_rows_end() -> None:
    """A document does not go on in the next row, even under the same number."""
    documents = Documents.numbered(torch.tensor([[0, 0, 1, 1, 1], [1, 2, 2, 3, 3]]))
    assert documents.starts.tolist() == [0, 2, 5, 6, 8, 10]
    assert documents.starts.dtype == torch.int32


def test_the_bound_on_lengths_takes_few_values() -> None:
    """Compiled code is made anew for each: a power of two, and no more than the row."""
    rows = torch.arange(4096).expand(2, -1)
    bounds = {length: Documents.numbered(rows // length).longest for length in (7, 600, 1024, 1025, 4096)}
    assert bounds == {7: SHORTEST, 600: 1024, 1024: 1024, 1025: 2048, 4096: 4096}
    assert Documents.numbered(torch.zeros(2, 300, dtype=torch.long)).longest == 300


def test_the_mask_agrees_with_the_borders() -> None:
    """A token sees those before it back to the start of its document."""
    documents = Documents.numbered(torch.tensor([[0, 0, 1]]))
    assert documents.mask()[0, 0].long().tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


def test_equal_documents_are_equal() -> None:
    """As DeepSpeed asks of tensor-parallel ranks, which must have the same inputs."""
    one, same, other = (Documents.numbered(torch.tensor([row])) for row in ([0, 0, 1], [0, 0, 1], [0, 1, 1]))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "documents"
