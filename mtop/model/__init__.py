"""What mtop knows: minions, their fleet, how it has changed. Pure: times are handed in, nothing is read or drawn."""
