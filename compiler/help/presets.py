"""What a spec can name: models, clusters, devices and sites, with what they hold, for `trainwright presets`."""

from __future__ import annotations

from typing import Any

from ...spec.hardware import Gpu, gpu, gpu_names
from ..load.presets import SIZES, Preset, presets
from ..load.sites import ABOUT, Site, site_tree, sites

Row = dict[str, Any]
_SITE = ("cluster", "launch", ABOUT)


def catalogue() -> dict[str, list[Row]]:
    """Rows of the tables, each with its source and the date of that. Raises InputError where a site file is none."""
    return {
        "models": [_model(preset) for preset in presets("model").values()],
        "clusters": [_cluster(preset) for preset in presets("cluster").values()],
        "gpus": [_gpu(gpu(name)) for name in gpu_names()],
        "sites": [_site(site) for site in sites().values()],
    }


def _model(preset: Preset) -> Row:
    sizes = {name: preset.values[name] for name in SIZES}
    return {"name": preset.name, "parameters": preset.shape.parameters, **sizes, **_origin(preset)}


def _cluster(preset: Preset) -> Row:
    values = preset.values
    network = values["interconnect"]
    return {
        "name": preset.name,
        "gpu": values["gpu"],
        "gpus": values["gpus"],
        "gpus_per_node": values["gpus_per_node"],
        "power_cap": values.get("power_cap"),
        "interconnect": network["kind"],
        "bandwidth_per_gpu": network.get("bandwidth_per_gpu"),
        "assumed": preset.assumed,
        **_origin(preset),
    }


def _gpu(device: Gpu) -> Row:
    power = device.power
    return {
        "name": device.name,
        "memory_bytes": device.memory_bytes,
        "bf16_flops": device.peak("bf16"),
        "fp16_flops": device.peak("fp16"),
        "memory_bytes_per_second": device.bandwidth,
        "link_bytes_per_second": device.link,
        "power_lowest_watts": power.lowest if power else None,
        "power_default_watts": power.default if power else None,
        "power_highest_watts": power.highest if power else None,
        "source": device.source,
    }


def _site(site: Site) -> Row:
    """What a site file says; a value that it leaves to the spec is None."""
    tree = site_tree(site).plain
    cluster, launch, said = (tree.get(key) if isinstance(tree.get(key), dict) else {} for key in _SITE)
    device, network = cluster.get("gpu"), cluster.get("interconnect") or {}
    return {
        "name": site.name,
        "title": said.get("title"),
        "gpu": device.get("name") if isinstance(device, dict) else device,
        "gpus_per_node": cluster.get("gpus_per_node"),
        "interconnect": network.get("kind") if isinstance(network, dict) else None,
        "target": launch.get("target"),
        "partition": launch.get("partition"),
        "listed_by": site.origin,
        "path": str(site.path),
        "source": said.get("source"),
        "date": said.get("date"),
    }


def _origin(preset: Preset) -> Row:
    return {"source": preset.source, "date": preset.date}
