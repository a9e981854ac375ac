from __future__ import annotations

import pytest

from antiphon.app.api.status import DetectorStatus, ProjectStatus
from antiphon.app.pages.home import next_step


def _status(**facts: object) -> ProjectStatus:
    known = {"recordings": 10, "windows": 1000, "labels_spent": 200, "detector": None} | facts
    rest = {"person": "ann", "role": "manager", "missing": 0, "hours": 1.0, "encoder": "spectral"}
    return ProjectStatus.model_validate({"name": "owls", "labels": [], **rest, **known})


@pytest.mark.parametrize(
    ("facts", "command", "address"),
    [
        ({"recordings": 0, "windows": 0}, "antiphon init", None),
        ({"windows": 0}, "antiphon embed", None),
        ({"labels_spent": 0}, "", "/label"),
        ({"labels_spent": 19}, "", "/label"),
        ({"labels_spent": 20}, "", "/loop"),
        ({"detector": DetectorStatus(name="a", labels_spent=150)}, "", "/loop"),
        ({"detector": DetectorStatus(name="a", labels_spent=200)}, "", "/label"),
    ],
)
def test_one_step_leads_on(facts: dict[str, object], command: str, address: str | None) -> None:
    step = next_step(_status(**facts), "/data/my owls")
    assert step.command.startswith(command)
    assert bool(step.command) == bool(command)
    assert (step.link[1] if step.link else None) == address
    if command:
        assert "'/data/my owls'" in step.command
