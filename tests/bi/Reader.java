// What Tableau does with its PostgreSQL driver: look for tables and columns, fetch in pieces, and meet the walls.
// Run: java -cp postgresql.jar Reader.java JDBC-URL USER SCHEMA-OF-ANOTHER; the password is in BI_PASSWORD.

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

public class Reader {
    public static void main(String[] arguments) throws Exception {
        String url = arguments[0], user = arguments[1], other = arguments[2];
        try (Connection connection = DriverManager.getConnection(url, user, System.getenv("BI_PASSWORD"))) {
            describe(connection.getMetaData(), user);
            fetch(connection, user);
            connection.setAutoCommit(true);
            refused(connection, "select * from " + other + ".transactions");
            refused(connection, "insert into transactions default values");
            connection.createStatement().execute("set default_transaction_read_only = off");
            refused(connection, "delete from transactions");
            refused(connection, "create table mine (n int)");
            refused(connection, "create temporary table \"#Tableau_1\" (n int)");
        }
    }

    private static void describe(DatabaseMetaData data, String user) throws SQLException {
        try (ResultSet found = data.getTables(null, user, "%", new String[] {"TABLE"})) {
            while (found.next()) {
                System.out.println("table " + found.getString("TABLE_NAME"));
            }
        }
        try (ResultSet found = data.getColumns(null, user, "transactions", "%")) {
            while (found.next()) {
                System.out.println("column " + found.getString("COLUMN_NAME") + " " + found.getString("TYPE_NAME"));
            }
        }
    }

    private static void fetch(Connection connection, String user) throws SQLException {
        connection.setAutoCommit(false); // the driver fetches in pieces within a transaction only
        String sql = "SELECT \"t\".\"amount_minor\", \"t\".\"occurred_at\" FROM \"" + user + "\".\"transactions\" \"t\" "
            + "WHERE \"t\".\"log_offset\" < ? ORDER BY \"t\".\"log_offset\"";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setFetchSize(7);
            for (long below = 35; below <= 50; below += 15) {
                statement.setLong(1, below);
                long rows = 0, sum = 0;
                try (ResultSet found = statement.executeQuery()) {
                    while (found.next()) {
                        rows++;
                        sum += found.getLong(1);
                    }
                }
                System.out.println("fetched " + rows + " " + sum);
            }
        }
        connection.commit();
    }

    private static void refused(Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
            System.out.println("ALLOWED " + sql);
        } catch (SQLException error) {
            System.out.println("refused " + error.getSQLState());
        }
    }
}
