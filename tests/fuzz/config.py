"""Fuzzes the config file: the bytes are the file, and what was read can be edited."""

import tempfile
from pathlib import Path

from tests.fuzz.harness import checked, run

MODULES = (
    "yuntu_push.adapters.config_file",
    "yuntu_push.adapters.config_decoder",
    "yuntu_push.domain.settings",
    "yuntu_push.domain.names",
    "yaml",
)


def _parse(data: bytes) -> None:
    from yuntu_push.adapters.config_file import ConfigFile

    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "config.yaml"
        path.write_bytes(data)
        file = ConfigFile(path, {})
        before = file.load().settings
        file.add_source("fuzzed", "sqlite:///x.db")
        after = file.load().settings
        assert set(after.sources) == {*before.sources, "fuzzed"}
        assert (after.channels, after.pushes) == (before.channels, before.pushes)


parse = checked(_parse)

if __name__ == "__main__":
    run("config", parse, MODULES)
