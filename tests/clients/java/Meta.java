// tests/clients/java/Meta.java: what a tool asks DatabaseMetaData, one line a row.
import java.sql.*;
public class Meta {
  static void dump(String what, ResultSet r) throws SQLException {
    System.out.println("== " + what);
    ResultSetMetaData m = r.getMetaData();
    while (r.next()) { StringBuilder b = new StringBuilder();
      for (int i = 1; i <= m.getColumnCount(); i++) b.append(m.getColumnName(i)).append('=').append(r.getString(i)).append("; ");
      System.out.println(b); }
  }
  interface Q { ResultSet get() throws SQLException; }
  static void run(String what, Q q) { try { dump(what, q.get()); } catch (SQLException e) { System.out.println("== " + what + "\nERR " + e.getMessage()); } }
  public static void main(String[] a) throws Exception {
    try (Connection c = DriverManager.getConnection(a[0], a[1], a[2])) {
      DatabaseMetaData d = c.getMetaData();
      System.out.println(d.getDatabaseProductName() + " " + d.getDatabaseProductVersion());
      run("catalogs", () -> d.getCatalogs());
      run("schemas", () -> d.getSchemas());
      run("tables", () -> d.getTables(null, "public", "%", new String[]{"TABLE", "VIEW"}));
      run("alltables", () -> d.getTables(null, null, "book%", null));
      run("columns", () -> d.getColumns(null, "public", "books", "%"));
      run("pk", () -> d.getPrimaryKeys(null, "public", "tags"));
      run("pk2", () -> d.getPrimaryKeys(null, null, "books"));
      run("index", () -> d.getIndexInfo(null, "public", "books", false, false));
      run("imported", () -> d.getImportedKeys(null, "public", "books"));
      run("exported", () -> d.getExportedKeys(null, "public", "books"));
      run("cross", () -> d.getCrossReference(null, "public", "authors", null, "public", "books"));
      run("types", () -> d.getTypeInfo());
      run("tabletypes", () -> d.getTableTypes());
      run("procs", () -> d.getProcedures(null, "public", "%"));
      run("funcs", () -> d.getFunctions(null, "public", "%"));
      run("priv", () -> d.getTablePrivileges(null, "public", "books"));
      run("colpriv", () -> d.getColumnPrivileges(null, "public", "books", "%"));
      run("bestrow", () -> d.getBestRowIdentifier(null, "public", "books", 1, false));
      run("version", () -> d.getVersionColumns(null, "public", "books"));
      run("udts", () -> d.getUDTs(null, "public", "%", null));
      System.out.println(d.getMaxColumnNameLength() + " " + d.getSQLKeywords().length());
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT * FROM books")) {
        ResultSetMetaData m = r.getMetaData();
        for (int i = 1; i <= m.getColumnCount(); i++) System.out.println(m.getColumnName(i) + " " + m.getColumnTypeName(i) + " " + m.getTableName(i) + " " + m.isAutoIncrement(i) + " " + m.isNullable(i));
      }
    }
  }
}
