"""How the Kafka engine uses its client library: connections, membership of the group, what is done, the dead."""
