"""How soon the monitor notices what goes wrong, what it takes it for, and how often it cries wolf: on real clips."""
