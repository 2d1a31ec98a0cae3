"""Many clients over few backends, each checking that what it gets is its own.

    python3 -m stress --port 6432 --database app --user alice --password ... --clients 200

runs it by hand against anything that speaks PostgreSQL's protocol or, with --mysql, MySQL's (from
tests/clients).
"""
