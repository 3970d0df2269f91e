"""Stage `plan`: choose a parallel layout, lower it to a plan, and estimate what it will cost."""
