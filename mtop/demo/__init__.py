"""A fleet that is made up: to have a look around, for tests of screens, for screenshots, for benchmarks."""
