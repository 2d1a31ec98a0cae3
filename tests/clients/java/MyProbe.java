// java/MyProbe.java: what MariaDB Connector/J does, against the URL of argument 1, one check per
// line of output.
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

public class MyProbe extends Checks {
    public static void main(String[] arguments) throws Exception {
        begin(arguments);
        check("Batch", (c, table) -> {
            fill(c, table, 500);
            expect(count(c, table), 500);
        });
        check("Prepared", (c, table) -> {
            fill(c, table, 50);
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
        check("ManyStatements", (c, table) -> {
            fill(c, table, 1);
            for (int n = 0; n < 300; ++n) {
                try (PreparedStatement s = c.prepareStatement(
                        "SELECT " + n + " + id FROM " + table + " WHERE id = ?")) {
                    s.setInt(1, 0);
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        expect(r.getInt(1), n);
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
        check("Errors", (c, table) -> {
            fill(c, table, 1);
            try (PreparedStatement s = c.prepareStatement("INSERT INTO " + table
                    + " VALUES (?, 'double', 1)")) {
                s.setInt(1, 0);
                s.executeUpdate();
                throw new AssertionError("a double key was accepted");
            } catch (SQLException expected) {
                expect(expected.getErrorCode(), 1062);
                expect(expected.getSQLState(), "23000");
            }
            expect(count(c, table), 1);
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
            try (Statement s = c.createStatement()) {
                s.setFetchSize(64);
                try (ResultSet r = s.executeQuery("SELECT id FROM " + table + " ORDER BY id")) {
                    int next = 0;
                    while (r.next())
                        expect(r.getInt(1), next++);
                    expect(next, 1000);
                }
            }
        });
        check("Nulls", (c, table) -> {
            try (PreparedStatement s = c.prepareStatement(
                    "INSERT INTO " + table + " VALUES (1, ?, ?)")) {
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
        check("IsValid", (c, table) -> expect(c.isValid(5), true));
        if (arguments[3].equals("mariadb"))
            mariadbOnly();
        System.out.println(failures == 0 ? "all passed" : failures + " failed");
        System.exit(failures == 0 ? 0 : 1);
    }

    static void mariadbOnly() {
        check("GeneratedKeys", (c, table) -> {
            try (Statement s = c.createStatement()) {
                s.execute("CREATE OR REPLACE TABLE " + table + "_a (id INT AUTO_INCREMENT PRIMARY KEY,"
                        + " t TEXT)");
            }
            try (PreparedStatement s = c.prepareStatement(
                    "INSERT INTO " + table + "_a (t) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int n = 1; n < 20; ++n) {
                    s.setString(1, "x");
                    s.executeUpdate();
                    try (ResultSet keys = s.getGeneratedKeys()) {
                        keys.next();
                        expect(keys.getInt(1), n);
                    }
                }
            }
        });
        check("Metadata", (c, table) -> {
            try (ResultSet r = c.getMetaData().getColumns(text(c, "SELECT DATABASE()"), null, table, "%")) {
                String names = "";
                while (r.next())
                    names += r.getString("COLUMN_NAME") + " ";
                expect(names, "id name amount ");
            }
            try (ResultSet r = c.getMetaData().getPrimaryKeys(text(c, "SELECT DATABASE()"), null, table)) {
                r.next();
                expect(r.getString("COLUMN_NAME"), "id");
            }
            expect(c.getMetaData().getDatabaseProductName(), "MariaDB");
        });
        check("QueryTimeout", (c, table) -> {
            try (Statement s = c.createStatement()) {
                s.setQueryTimeout(1);
                try {
                    // Too long a sleep is interrupted with 1, other statements with an error.
                    s.execute("SELECT count(*) FROM seq_1_to_100000 a, seq_1_to_100000 b");
                    throw new AssertionError("not interrupted");
                } catch (SQLException expected) {
                    expect(expected instanceof java.sql.SQLTimeoutException, true);
                }
                s.setQueryTimeout(0);
            }
            expect(text(c, "SELECT 5"), "5");
        });
        check("Cancel", (c, table) -> {
            try (Statement s = c.createStatement()) {
                Thread other = new Thread(() -> {
                    try {  // again, where it came before the statement did
                        for (Thread.sleep(500); ; Thread.sleep(3000))
                            s.cancel();
                    } catch (Exception ignored) {
                    }
                });
                other.start();
                try {
                    s.execute("SELECT count(*) FROM seq_1_to_100000 a, seq_1_to_100000 b");
                    throw new AssertionError("not cancelled");
                } catch (SQLException expected) {
                    expect(expected.getErrorCode(), 1317);
                }
                other.interrupt();
                other.join();
            }
            expect(text(c, "SELECT 6"), "6");
        });
        check("Procedure", (c, table) -> {
            try (Statement s = c.createStatement()) {
                s.execute("CREATE OR REPLACE PROCEDURE " + table + "_p(IN a INT, OUT b INT) "
                        + "BEGIN SELECT a; SET b = a * 2; END");
            }
            try (CallableStatement s = c.prepareCall("{call " + table + "_p(?, ?)}")) {
                s.setInt(1, 21);
                s.registerOutParameter(2, java.sql.Types.INTEGER);
                s.execute();
                expect(s.getInt(2), 42);
            }
        });
        check("Isolation", (c, table) -> {
            c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            for (int n = 0; n < 5; ++n)
                expect(text(c, "SELECT @@tx_isolation"), "SERIALIZABLE");
            c.setReadOnly(true);
            c.setReadOnly(false);
        });
        check("Catalog", (c, table) -> {
            c.setCatalog("app_three");
            for (int n = 0; n < 5; ++n)
                expect(text(c, "SELECT DATABASE()"), "app_three");
            expect(c.getCatalog(), "app_three");
        });
    }
}
