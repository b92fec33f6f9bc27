"""Builds an application written for the WICED SDK, unmodified, for a port of this repository."""
