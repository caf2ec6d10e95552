"""mtop: htop for minions. It finds a fleet by its registry, polls every minion, and shows all of them in one grid."""
