// java/Checks.java: what the probes of both drivers share: a fresh table and a line of output for
// each check.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

class Checks {
    interface Check {
        void run(Connection c, String table) throws Exception;
    }

    static int failures = 0;
    static String url;
    static Properties login = new Properties();

    static void expect(Object got, Object wanted) {
        if (!java.util.Objects.equals(got, wanted))
            throw new AssertionError("got " + got + ", expected " + wanted);
    }

    static void check(String name, Check body) {
        String table = "j_" + name.toLowerCase() + "_" + Math.abs(url.hashCode());
        try (Connection c = DriverManager.getConnection(url, login)) {
            try (Statement s = c.createStatement()) {
                s.execute("DROP TABLE IF EXISTS " + table);
                s.execute("CREATE TABLE " + table
                        + " (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)");
            }
            body.run(c, table);
            System.out.println("ok " + name);
        } catch (Throwable problem) {
            ++failures;
            System.out.println("FAILED " + name + ": " + problem);
            problem.printStackTrace(System.out);
        }
    }

    // What the driver says of each row.
    static int[] fill(Connection c, String table, int count) throws SQLException {
        try (PreparedStatement s = c.prepareStatement(
                "INSERT INTO " + table + " VALUES (?, ?, ?)")) {
            for (int n = 0; n < count; ++n) {
                s.setInt(1, n);
                s.setString(2, "row " + n);
                s.setInt(3, n * 2);
                s.addBatch();
            }
            int[] counts = s.executeBatch();
            expect(counts.length, count);
            return counts;
        }
    }

    static int count(Connection c, String table) throws SQLException {
        try (Statement s = c.createStatement();
             ResultSet r = s.executeQuery("SELECT count(*) FROM " + table)) {
            r.next();
            return r.getInt(1);
        }
    }

    static String text(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
            r.next();
            return r.getString(1);
        }
    }

    // Arguments: URL, user, password.
    static void begin(String[] arguments) {
        url = arguments[0];
        login.setProperty("user", arguments[1]);
        login.setProperty("password", arguments[2]);
    }
}
