"""Mutation testing: modules are changed in many small ways, and each change must make a test fail."""
