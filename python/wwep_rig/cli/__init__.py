"""The command wwep-rig, one module a group of verbs."""
