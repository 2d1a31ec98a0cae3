"""The shared tables and what must be true of them afterwards.

Money moves between accounts, and every transfer leaves a row in the ledger in the same
transaction. Afterwards the sum is what it was, every account agrees with the ledger, and every
transfer whose COMMIT was acknowledged is there (one whose reply was lost may be there or not).
"""
ACCOUNTS, EACH = 64, 1000

CREATE = f"""
drop table if exists accounts, ledger;
create table accounts (id int primary key, balance bigint not null);
create table ledger (client int, number int, source int, target int, amount int,
                     primary key (client, number));
insert into accounts select n, {EACH} from generate_series(1, {ACCOUNTS}) n;
"""

MY_CREATE = ["drop table if exists accounts, ledger, numbered, loaded",
             "create table accounts (id int primary key, balance bigint not null)",
             "create table ledger (client int, number int, source int, target int, amount int, "
             "primary key (client, number))",
             f"insert into accounts select seq, {EACH} from seq_1_to_{ACCOUNTS}",
             "create table numbered (id int primary key auto_increment, client int)",
             "create table loaded (client int, n int)",
             "create or replace procedure several(n int) begin select n; "
             "select seq, n from seq_1_to_50; select n, 'end'; end"]

TOTAL = "select sum(balance) from accounts"
DISAGREE = f"""
select count(*) from accounts a
where balance <> {EACH}
    + coalesce((select sum(amount) from ledger where target = a.id), 0)
    - coalesce((select sum(amount) from ledger where source = a.id), 0)
"""
WRITTEN = "select client || ':' || number from ledger"
MY_WRITTEN = "select concat(client, ':', number) from ledger"


def faults(sql, acknowledged, written=WRITTEN):
    """What is wrong, as sentences. `sql(text)` returns the lines of a result."""
    found = []
    total = int(sql(TOTAL)[0])
    if total != ACCOUNTS * EACH:
        found.append(f"the accounts hold {total}, not {ACCOUNTS * EACH}")
    disagree = int(sql(DISAGREE)[0])
    if disagree:
        found.append(f"{disagree} accounts disagree with the ledger")
    there = set(sql(written))
    lost = [key for key in acknowledged if key not in there]
    if lost:
        found.append(f"{len(lost)} acknowledged transfers are not in the ledger: {lost[:5]}")
    return found
