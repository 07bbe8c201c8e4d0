"""`make drill`: many people submit while processes are killed; then the results are verified.

__main__           the command: prepare, inject faults, wait until settled, verify, report
plan               what each person submits, and the faults; pure, from a seed
site, database     the real processes, and how to kill them
fault_injector     inject the faults, and log each
clients/           the people, an abusive client (`--abuse`), and somebody who edits at Mixpeek
journal            each request and its response, one line each
collect            the database by SQL and upstream by its API, as plain values
verifier, checks/  pure: do these values keep the promises? Independent of the app's own code
report             the table
"""
