"""Who asks, in tests that are not about that."""

from __future__ import annotations

from mediawatch.model.people import Door, this_machine

MACHINE = this_machine(Door.COMMAND)
