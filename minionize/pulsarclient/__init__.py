"""How Pulsar is talked to. Helper of the pulsar engine: nothing else imports it."""
