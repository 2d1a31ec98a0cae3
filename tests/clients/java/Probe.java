// java/Probe.java: what pgjdbc does, against the URL of argument 1, one check per line of output.
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

public class Probe extends Checks {
    public static void main(String[] arguments) throws Exception {
        begin(arguments);
        boolean postgres = arguments[3].equals("postgres");

        check("Batch", (c, table) -> {
            for (int one : fill(c, table, 500))
                expect(one, 1);
            expect(count(c, table), 500);
        });
        check("PrepareThreshold", (c, table) -> {
            fill(c, table, 50);
            // The fifth execution is the first of a named statement, later ones have binary results.
            try (PreparedStatement s = c.prepareStatement(
                    "SELECT name, amount FROM " + table + " WHERE id = ?")) {
                for (int n = 0; n < 50; ++n) {
                    s.setInt(1, n);
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        expect(r.getString(1), "row " + n);
                        expect(r.getInt(2), n * 2);
                    }
                }
            }
        });
        check("Transaction", (c, table) -> {
            c.setAutoCommit(false);
            fill(c, table, 3);
            c.rollback();
            expect(count(c, table), 0);
            fill(c, table, 4);
            c.commit();
            expect(count(c, table), 4);
            c.commit();
        });
        check("ErrorInTransaction", (c, table) -> {
            c.setAutoCommit(false);
            fill(c, table, 1);
            try {
                fill(c, table, 1);
                throw new AssertionError("a double key was accepted");
            } catch (java.sql.BatchUpdateException expected) {
                expect(expected.getSQLState(), "23505");
            }
            c.rollback();
            expect(count(c, table), 0);
        });
        check("Savepoint", (c, table) -> {
            c.setAutoCommit(false);
            fill(c, table, 2);
            java.sql.Savepoint point = c.setSavepoint();
            try (Statement s = c.createStatement()) {
                s.execute("DELETE FROM " + table);
            }
            c.rollback(point);
            c.commit();
            expect(count(c, table), 2);
        });
        check("FetchSize", (c, table) -> {
            fill(c, table, 1000);
            c.setAutoCommit(false);
            try (Statement s = c.createStatement()) {
                s.setFetchSize(64);
                try (ResultSet r = s.executeQuery("SELECT id FROM " + table + " ORDER BY id")) {
                    int next = 0;
                    while (r.next())
                        expect(r.getInt(1), next++);
                    expect(next, 1000);
                }
            }
            c.commit();
        });
        check("SeveralStatements", (c, table) -> {
            try (Statement s = c.createStatement()) {
                boolean rows = s.execute("INSERT INTO " + table + " VALUES (1, 'a', 1); SELECT id FROM "
                        + table);
                expect(rows, false);
                expect(s.getUpdateCount(), 1);
                expect(s.getMoreResults(), true);
            }
        });
        check("IsValid", (c, table) -> expect(c.isValid(5), true));
        check("GeneratedKeys", (c, table) -> {
            try (PreparedStatement s = c.prepareStatement(
                    "INSERT INTO " + table + " (id, name) VALUES (8, 'x')",
                    Statement.RETURN_GENERATED_KEYS)) {
                s.executeUpdate();
                try (ResultSet keys = s.getGeneratedKeys()) {
                    keys.next();
                    expect(keys.getInt("id"), 8);
                }
            }
        });
        check("Nulls", (c, table) -> {
            try (PreparedStatement s = c.prepareStatement("INSERT INTO " + table + " VALUES (1, ?, ?)")) {
                s.setNull(1, java.sql.Types.VARCHAR);
                s.setNull(2, java.sql.Types.INTEGER);
                s.executeUpdate();
            }
            try (Statement s = c.createStatement();
                 ResultSet r = s.executeQuery("SELECT name, amount FROM " + table)) {
                r.next();
                expect(r.getString(1), null);
                expect(r.getObject(2), null);
            }
        });
        if (postgres)
            postgresOnly();
        System.out.println(failures == 0 ? "all passed" : failures + " failed");
        System.exit(failures == 0 ? 0 : 1);
    }

    static void postgresOnly() {
        check("Metadata", (c, table) -> {
            try (ResultSet r = c.getMetaData().getColumns(null, "public", table, "%")) {
                String names = "";
                while (r.next())
                    names += r.getString("COLUMN_NAME") + " ";
                expect(names, "id name amount ");
            }
            try (ResultSet r = c.getMetaData().getPrimaryKeys(null, "public", table)) {
                r.next();
                expect(r.getString("COLUMN_NAME"), "id");
            }
            expect(c.getMetaData().getDatabaseMajorVersion(), 15);
        });
        check("QueryTimeout", (c, table) -> {
            try (Statement s = c.createStatement()) {
                s.setQueryTimeout(1);
                try {
                    s.execute("SELECT pg_sleep(20)");
                    throw new AssertionError("not cancelled");
                } catch (SQLException expected) {
                    expect(expected.getSQLState(), "57014");
                }
                s.setQueryTimeout(0);
                s.execute("SELECT 1");
            }
        });
        check("Copy", (c, table) -> {
            org.postgresql.copy.CopyManager copy =
                    c.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
            StringBuilder lines = new StringBuilder();
            for (int n = 0; n < 2000; ++n)
                lines.append(n).append("\tname\t1\n");
            expect(copy.copyIn("COPY " + table + " FROM STDIN",
                    new java.io.StringReader(lines.toString())), 2000L);
            java.io.StringWriter out = new java.io.StringWriter();
            copy.copyOut("COPY (SELECT * FROM " + table + " ORDER BY id) TO STDOUT", out);
            expect(out.toString(), lines.toString());
        });
        check("Isolation", (c, table) -> {
            c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            expect(c.getTransactionIsolation(), Connection.TRANSACTION_SERIALIZABLE);
            c.setReadOnly(true);
            c.setAutoCommit(false);
            try {
                fill(c, table, 1);
                throw new AssertionError("wrote in a read-only transaction");
            } catch (SQLException expected) {
                expect(expected.getSQLState(), "25006");
            }
            c.rollback();
        });
        check("Bytes", (c, table) -> {
            if (url.contains("preferQueryMode=simple"))
                return;  // pgjdbc 42.5 writes bytes wrongly there, going direct too
            byte[] bytes = new byte[300000];
            for (int n = 0; n < bytes.length; ++n)
                bytes[n] = (byte) (n * 7);
            try (PreparedStatement s = c.prepareStatement("SELECT ?")) {
                s.setBytes(1, bytes);
                try (ResultSet r = s.executeQuery()) {
                    r.next();
                    expect(java.util.Arrays.equals(r.getBytes(1), bytes), true);
                }
            }
        });
        check("Types", (c, table) -> {
            try (PreparedStatement s = c.prepareStatement(
                    "SELECT CAST(? AS timestamptz), CAST(? AS numeric), CAST(? AS uuid),"
                    + " CAST(? AS int[])")) {
                java.util.UUID id = new java.util.UUID(1, 2);
                for (int turn = 0; turn < 8; ++turn) {
                    s.setObject(1, java.time.OffsetDateTime.parse("2024-02-29T12:00:00Z"));
                    s.setBigDecimal(2, new java.math.BigDecimal("12.340"));
                    s.setObject(3, id);
                    s.setArray(4, c.createArrayOf("int4", new Integer[]{1, 2, 3}));
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        expect(r.getObject(1, java.time.OffsetDateTime.class).toInstant(),
                                java.time.Instant.parse("2024-02-29T12:00:00Z"));
                        expect(r.getBigDecimal(2), new java.math.BigDecimal("12.340"));
                        expect(r.getObject(3), id);
                        expect(java.util.List.of((Object[]) r.getArray(4).getArray()),
                                java.util.List.of(1, 2, 3));
                    }
                }
            }
        });
    }
}
