"""Searches that a person keeps, and that tell by mail when something frees up."""
