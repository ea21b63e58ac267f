"""One file a verb. Each holds `command`, made with `manners.verb`, and how its result looks in a terminal."""
