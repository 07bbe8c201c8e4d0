"""`make drill`: many people submit while everything they depend on is killed, cut and overloaded;
then all is counted.

__main__           the command: prepare, run, calm down, judge, report
plan               who submits what, which fault comes when; pure, from a seed
site, database     the real processes and how they are killed
fault_injector     the faults, one by one, each written down
clients/           the people, an abusive client (`--abuse`), and somebody who edits at Mixpeek
journal            what was sent and what was answered, line by line
collect            the database by SQL and upstream by its API, as plain values
verifier, checks/  pure: do these values keep what we promise? Independent of the app's own code
report             the table
"""
