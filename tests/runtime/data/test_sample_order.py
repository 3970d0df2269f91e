"""The order of samples: each once an epoch, decided by the seed alone, mixed by weight."""

from collections import Counter

import numpy as np
import pytest

from trainwright.runtime.data.sample_order import SampleOrder


def drawn(order: SampleOrder, start: int, count: int) -> list[tuple[int, int]]:
    """(source, sample) of the samples start..start+count."""
    sources, samples = order(np.arange(start, start + count, dtype=np.uint64))
    return [(int(source), int(sample)) for source, sample in zip(sources, samples, strict=True)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 1000, 4097])
def test_every_epoch_visits_each_sample_once(size):
    """Whatever the size, an epoch is a permutation, and the next epoch is another one."""
    order = SampleOrder((size,), (1.0,), seed=7)
    first, second = drawn(order, 0, size), drawn(order, size, size)
    everything = [(0, sample) for sample in range(size)]
    assert sorted(first) == sorted(second) == everything
    assert size < 64 or first not in (second, everything)


def test_order_looks_random():
    """Neighbours in the order are not neighbours in the corpus, and any window spreads over all of it."""
    samples = np.array([sample for _, sample in drawn(SampleOrder((10_000,), (1.0,), seed=3), 0, 10_000)])
    assert abs(np.corrcoef(samples[:-1], samples[1:])[0, 1]) < 0.05
    assert np.histogram(samples[:2000], bins=10, range=(0, 10_000))[0].min() > 150


def test_seed_decides_the_order():
    """One seed, one order; another seed, another."""
    assert drawn(SampleOrder((500,), (1.0,), 1), 0, 500) == drawn(SampleOrder((500,), (1.0,), 1), 0, 500)
    assert drawn(SampleOrder((500,), (1.0,), 1), 0, 500) != drawn(SampleOrder((500,), (1.0,), 2), 0, 500)


def test_any_window_equals_the_same_part_of_the_whole():
    """A resumed run draws what the uninterrupted one would have drawn."""
    order = SampleOrder((300, 70), (2.0, 1.0), seed=9)
    whole = drawn(order, 0, 5000)
    assert [drawn(order, start, 8) for start in range(0, 5000, 8)] == [whole[i : i + 8] for i in range(0, 5000, 8)]


def test_mixture_keeps_its_weights_and_epochs_of_each_source():
    """Draws follow the weights evenly, and each source still comes once per epoch of its own."""
    order = SampleOrder((1000, 50, 200), (5.0, 3.0, 2.0), seed=4)
    whole = drawn(order, 0, 10_000)
    shares = Counter(source for source, _ in whole)
    assert [round(shares[source] / 10_000, 3) for source in range(3)] == [0.5, 0.3, 0.2]
    early = Counter(source for source, _ in whole[:100])
    assert [early[source] for source in range(3)] == [50, 30, 20]
    second = [sample for source, sample in whole if source == 1]
    assert all(sorted(second[i : i + 50]) == list(range(50)) for i in range(0, 3000, 50))


def test_without_weights_every_sample_is_seen_equally_often():
    """Sources of any size are one corpus: an epoch is each sample of each, once, and a small source lasts as long."""
    order = SampleOrder((1000, 3, 200), None, seed=4)
    everything = [(source, sample) for source, size in enumerate((1000, 3, 200)) for sample in range(size)]
    first, second = drawn(order, 0, 1203), drawn(order, 1203, 1203)
    assert sorted(first) == sorted(second) == everything
    assert first != second
    assert [entry for start in range(0, 1203, 7) for entry in drawn(order, start, 7)][:1203] == first


@pytest.mark.parametrize("weight", [1e-2, 1e-3, 1e-4, 2e-6])
def test_small_weights_are_kept(weight):
    """A source that is rarely drawn is drawn as rarely as it was asked for."""
    order = SampleOrder((100, 100), (1.0, weight), seed=1)
    _, _, counts = order._pattern
    assert counts[1] / counts.sum() == pytest.approx(weight / (1 + weight), rel=0.3 if weight < 1e-5 else 0.01)
