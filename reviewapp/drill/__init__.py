"""`make drill`: many people submit while everything they depend on is killed, cut and overloaded; then all is counted.

__main__          the command: prepare, run, calm down, judge, report
plan              who submits what, which fault comes when; pure, from a seed
site, cluster     the real processes and how they are killed
blows             the faults, one by one, each written down
crowd, reviewer   a process of its own with the people in it; stranger: who moves things upstream
abuser            a process of its own: one client that uses up all it can (`--abuse`)
journal           what was sent and what was answered, line by line
evidence          the database by SQL and upstream by its API, as plain values
oracle, checks_*  pure: do these values keep what we promise? Knows nothing of the app's own code
report            the table
"""
