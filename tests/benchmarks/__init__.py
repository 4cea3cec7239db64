"""Benchmarks: `make bench`, or `python -m tests.benchmarks NAME… [--runs N] [--quick] [--json]`.

Machines are shared and noisy: every figure is the median of several runs, with its range, and stands beside something else
measured in the same run.
"""
