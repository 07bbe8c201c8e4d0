"""`make run`: the whole product on one machine, from one command to one Ctrl-C."""
