"""The fleet as it is: minions found in registries and at URLs, polled, asked and told."""
