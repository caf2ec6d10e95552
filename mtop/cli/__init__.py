"""The command line of mtop: reads what the user wants, finds the fleet, and has it shown."""
