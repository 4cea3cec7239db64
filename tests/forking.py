"""Processes of the tests: forked from a server that has everything imported, so that a start takes milliseconds; a kill is a
real one."""

from __future__ import annotations

import multiprocessing

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.replica"])
