"""A small network, exported once for a test process; what alters it gets a copy."""

import shutil
from pathlib import Path

import pytest

from engines.runtime.export import export
from engines.runtime.folder import Exported
from tests.engines.runtime.small import RANGES, Small


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(Small(), tmp_path_factory.mktemp("exported") / "small", RANGES, {"trained on": "nothing"})


@pytest.fixture
def copied(exported: Exported, tmp_path: Path) -> Exported:
    return Exported.read(Path(shutil.copytree(exported.folder, tmp_path / "copied")))
