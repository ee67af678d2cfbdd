"""Lambda: a layer is unpacked once, and all environments share it, as they share what is mounted at /opt on AWS."""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import functools
import os
from typing import Any

import ministack.core.lambda_runtime as runtime
import ministack.services.lambda_svc as lambdas

from local.emulator.anchors import anchored

FOLDERS = "_LAMBDA_LAYERS_DIRS"  # where the worker's script looks for layers


def correct() -> None:
    """Make the correction. Raises MiniStackChanged.

    MiniStack unpacks every layer for every worker, in threads of one process: with thousands of files, a dozen cold
    starts take more of the machine than all the functions do. For containers it has what unpacks once.
    """
    spawn = anchored(runtime.Worker, "_spawn", f'spawn_env["{FOLDERS}"] = os.pathsep.join(layers_dirs)')
    unpacked = anchored(lambdas, "_docker_extracted_dir", "_docker_extract_dirs[key] = target")
    content = anchored(lambdas, "_resolve_layer_zip", 'return vc.get("_zip_data") if vc else None')

    @functools.wraps(spawn)
    def spawn_with_shared_layers(worker: Any) -> None:
        config = worker.config
        if not config.get("Layers") or not config.get("Runtime", "").startswith("python"):
            spawn(worker)
            return
        found = [unpacked(layer, "layer") for layer in map(content, config["Layers"]) if layer]
        variables = config.get("Environment", {}).get("Variables", {}) | {FOLDERS: os.pathsep.join(found)}
        worker.config = config | {"Layers": [], "Environment": {"Variables": variables}}
        try:
            spawn(worker)
        finally:
            worker.config = config

    runtime.Worker._spawn = spawn_with_shared_layers
