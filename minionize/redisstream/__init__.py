"""How a queue is kept in a Redis stream: the server, what is in an entry, and the steps that are not torn apart."""
