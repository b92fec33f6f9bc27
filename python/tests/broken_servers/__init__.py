"""Servers for the tests of the conformance suite: a good one, and others with one defect each."""
