"""Counts that follow from a model's sizes."""

import pytest

from trainwright.spec.shape import ModelShape


@pytest.mark.parametrize(("window", "every"), [(None, None), (4, None), (4, 3), (100, 2)])
def test_attended_is_twice_the_mean_of_what_tokens_see(window, every):
    """Counted token by token and layer by layer; without its own token a row of a causal mask holds half of all."""
    length, layers = 40, 6
    shape = ModelShape(layers, 64, 128, 4, 4, 100, sliding_window=window, full_attention_every=every)
    seen = 0.0
    for layer in range(layers):
        limit = length if window is None or (every and (layer + 1) % every == 0) else window
        seen += sum(min(token + 0.5, limit if token >= limit else token + 0.5) for token in range(length))
    assert shape.attended(length) == pytest.approx(2 * seen / length / layers)


def test_flops_of_attention_go_by_the_width_of_the_heads():
    """Heads that are wider together than the model cost more, and a window less."""
    plain = ModelShape(2, 64, 128, 4, 2, 100)
    wide = ModelShape(2, 64, 128, 4, 2, 100, own_head_size=32)
    near = ModelShape(2, 64, 128, 4, 2, 100, sliding_window=8)
    weights = 6 * (wide.parameters - plain.parameters)
    assert wide.training_flops(64) - plain.training_flops(64) == weights + 12 * 2 * 64 * 64
    assert plain.training_flops(64) - near.training_flops(64) == 12 * 2 * 64 * (64 - 8 * (2 - 8 / 64))
