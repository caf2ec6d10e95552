"""Containers: what one is to be like, and a file for each container engine that can run it."""
