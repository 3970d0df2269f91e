"""Presets are the published models, to the last parameter."""

import pytest

from trainwright.compiler.load.presets import presets
from trainwright.spec.model_family import family_of
from trainwright.spec.sections import Model

# Parameters of the safetensors files on Hugging Face; those with a second table store the tied head once more.
PUBLISHED = {
    "mistral-7b-v0.1": 7_241_732_096,
    "mistral-7b-v0.3": 7_248_023_552,
    "llama3.1-8b": 8_030_261_248,
    "llama3.1-70b": 70_553_706_496,
    "llama3.1-405b": 405_853_388_800,
    "llama3.2-1b": 1_235_814_400,
    "llama3.2-3b": 3_212_749_824,
    "qwen3-0.6b": 751_632_384 - 151_936 * 1024,
    "qwen3-1.7b": 2_031_739_904 - 151_936 * 2048,
    "qwen3-4b": 4_022_468_096,
    "qwen3-8b": 8_190_735_360,
    "qwen3-14b": 14_768_307_200,
    "qwen3-32b": 32_762_123_264,
    "olmo2-1b": 1_484_916_736,
    "olmo2-7b": 7_298_617_344,
    "olmo2-13b": 13_716_198_400,
    "olmo2-32b": 32_234_279_936,
    "smollm3-3b": 3_075_098_624,
}


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_a_preset_has_the_parameters_of_the_published_model(name, parameters):
    """To the unit, and it can be exported as a model of its own class."""
    preset = presets("model")[name]
    assert preset.shape.parameters == parameters
    family = family_of(Model.model_validate(preset.values))
    assert family is not None  # Mistral without a window is Llama in all but name
    assert name.startswith(family.model_type) or name == "mistral-7b-v0.3"
