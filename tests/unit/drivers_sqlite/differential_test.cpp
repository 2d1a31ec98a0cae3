// tests/unit/drivers_sqlite/differential_test.cpp: random writes of 32 clients at once, and the
// same ones through plain SQLite, one by one in autocommit: every answer and the final file are
// equal.
#include <sqlite3.h>

#include <random>

#include "unit/drivers_sqlite/inline_fixture.hpp"

namespace sluice::sqlite {
namespace {

// Everything that could let one member of a group touch another.
const char* const schema = R"(
CREATE TABLE a(id INTEGER PRIMARY KEY, u INTEGER UNIQUE, c INTEGER CHECK (c < 90), t TEXT NOT NULL);
CREATE TABLE r(id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK, v UNIQUE ON CONFLICT REPLACE);
CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE s(id INTEGER PRIMARY KEY, v INTEGER) STRICT;
CREATE TABLE parent(id INTEGER PRIMARY KEY);
CREATE TABLE child(id INTEGER PRIMARY KEY,
                   p INTEGER REFERENCES parent(id) ON DELETE CASCADE);
CREATE TABLE later(id INTEGER PRIMARY KEY,
                   p INTEGER REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE log(id INTEGER PRIMARY KEY, what TEXT);
CREATE TRIGGER t1 BEFORE INSERT ON s WHEN new.v % 11 = 0 BEGIN SELECT RAISE(ABORT, 'abort'); END;
CREATE TRIGGER t2 AFTER INSERT ON s WHEN new.v % 13 = 0 BEGIN SELECT RAISE(FAIL, 'fail'); END;
CREATE TRIGGER t3 AFTER INSERT ON s WHEN new.v % 17 = 0 BEGIN SELECT RAISE(ROLLBACK, 'back'); END;
CREATE TRIGGER t4 BEFORE INSERT ON s WHEN new.v % 7 = 0 BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER t5 AFTER UPDATE ON a BEGIN INSERT INTO log(what) VALUES (old.u || '>' || new.u); END;
INSERT INTO parent VALUES (1), (2), (3), (4), (5);
)";

class statements {
public:
    explicit statements(unsigned seed) : random_(seed) {}

    std::string next()
    {
        const auto n = [this](int most) { return std::to_string(below(most)); };
        static const char* const ors[] = {
            "", "", "", " OR ABORT", " OR FAIL", " OR IGNORE", " OR REPLACE", " OR ROLLBACK"};
        const std::string how = ors[static_cast<std::size_t>(below(8))];
        const std::string back = below(3) == 0 ? " RETURNING *" : "";
        switch (below(17)) {
            case 0:
                return "INSERT" + how + " INTO a(u, c, t) VALUES (" + n(60) + ", " + n(100) +
                       ", 'x')" + back;
            case 1:  // several rows, one of which may fail
                return "INSERT" + how + " INTO a(u, c, t) VALUES (" + n(60) + ", 1, 'm'), (" +
                       n(60) + ", " + n(95) + ", 'm'), (" + n(60) + ", 2, " +
                       (below(8) ? "'m'" : "NULL") + ")" + back;
            case 2:
                return "UPDATE" + how + " a SET u = u + " + n(5) +
                       ", c = c + 1 WHERE id % 5 = " + n(5) + back;
            case 3:
                return "DELETE FROM a WHERE u = " + n(60) + back;
            case 4:
                return "INSERT" + how + " INTO r VALUES (" + n(40) + ", " + n(40) + ")" + back;
            case 5:
                return "REPLACE INTO w VALUES ('k" + n(20) + "', " + n(1000) + ")" + back;
            case 6:
                return "INSERT INTO w VALUES ('k" + n(20) +
                       "', 1) ON CONFLICT (k) DO UPDATE SET v = v + 1" + back;
            case 7:
                return "INSERT INTO w VALUES ('k" + n(20) + "', 1) ON CONFLICT DO NOTHING";
            case 8:
                return "INSERT" + how + " INTO s(v) VALUES (" + n(200) + "), (" + n(200) + "), (" +
                       n(200) + ")" + back;
            case 9:
                return "INSERT INTO s(v) VALUES ('no number')";
            case 10:
                return "INSERT" + how + " INTO child(p) VALUES (" + n(9) + ")" + back;
            case 11:
                return "INSERT INTO later(p) VALUES (" + n(9) + ")" + back;
            case 12:
                return below(2) ? "DELETE FROM parent WHERE id = " + n(9)
                                : "INSERT OR IGNORE INTO parent VALUES (" + n(9) + ")";
            case 13:
                return "UPDATE w SET v = json('{\"a\":' || CASE k WHEN 'k" + n(20) +
                       "' THEN '' ELSE '1' END || '}')" + back;  // an error in the middle
            case 14:
                return "WITH x(v) AS (SELECT " + n(200) + ") INSERT INTO s(v) SELECT v FROM x";
            case 15:
                return below(2) ? "INSERT INTO nowhere VALUES (1)" : "UPDATE a SET nothing = 1";
            default:
                return "UPDATE a SET c = c - 1 WHERE id > " + n(100) + back;
        }
    }
    int below(int most) { return std::uniform_int_distribution(0, most - 1)(random_); }

private:
    std::mt19937 random_;
};

struct answer {
    std::string error;
    std::vector<std::vector<std::string>> rows;
    std::int64_t changes = 0;
    std::int64_t rowid = 0;
    bool operator==(const answer&) const = default;
};

std::ostream& operator<<(std::ostream& out, const answer& a)
{
    out << '[' << a.error << "] " << a.changes << " changes, rowid " << a.rowid;
    for (const auto& row : a.rows) {
        out << " (";
        for (const auto& field : row)
            out << field << ' ';
        out << ')';
    }
    return out;
}

// What one client alone with the file is told.
class plain {
public:
    explicit plain(const std::filesystem::path& path)
    {
        sqlite3_open(path.c_str(), &db_);
        sqlite3_extended_result_codes(db_, 1);
        sqlite3_exec(db_,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON",
                     nullptr,
                     nullptr,
                     nullptr);
    }
    ~plain() { sqlite3_close(db_); }
    plain(const plain&) = delete;
    plain& operator=(const plain&) = delete;

    answer run(const std::string& sql)
    {
        answer out;
        sqlite3_set_last_insert_rowid(db_, 0);
        const auto before = sqlite3_total_changes64(db_);
        sqlite3_stmt* raw = nullptr;
        int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &raw, nullptr);
        while (code == SQLITE_OK || code == SQLITE_ROW) {
            code = sqlite3_step(raw);
            if (code != SQLITE_ROW)
                break;
            auto& row = out.rows.emplace_back();
            for (int i = 0; i < sqlite3_column_count(raw); ++i) {
                const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, i));
                row.emplace_back(text ? text : "NULL");
            }
        }
        if (code != SQLITE_DONE)
            out.error = std::to_string(sqlite3_extended_errcode(db_)) + sqlite3_errmsg(db_);
        if (sqlite3_finalize(raw) == SQLITE_OK && out.error.empty()) {
            if (sqlite3_total_changes64(db_) != before)
                out.changes = sqlite3_changes64(db_);
            out.rowid = sqlite3_last_insert_rowid(db_);
        } else {
            out.rows.clear();
        }
        return out;
    }

private:
    sqlite3* db_ = nullptr;
};

std::vector<answer> dump(plain& of)
{
    std::vector<answer> all;
    for (const char* table : {"a", "r", "w", "s", "parent", "child", "later", "log"})
        all.push_back(of.run(std::string("SELECT * FROM ") + table + " ORDER BY 1"));
    all.push_back(of.run("PRAGMA integrity_check"));
    all.push_back(of.run("PRAGMA foreign_key_check"));
    return all;
}

}  // namespace

class DifferentialTest : public InlineTest {
protected:
    void compare(unsigned seed)
    {
        constexpr std::size_t clients = 32;
        constexpr int rounds = 60;
        plain alone(folder_ / "plain.db");
        std::vector<client> many;
        for (std::size_t i = 0; i < clients; ++i)
            many.push_back(connect());
        auto holder = connect();
        statements make(seed);
        for (int round = 0; round < rounds; ++round) {
            // All are queued while another one holds the writer: their order is this loop's.
            EXPECT_GOOD(holder.begin({.immediate = true}));
            struct asked {
                std::string sql;
                std::shared_ptr<rows_held> rows;
                std::future<outcome> coming;
            };
            std::vector<asked> all;
            for (auto& one : many) {
                auto& a = all.emplace_back();
                a.sql = make.next();
                a.rows = std::make_shared<rows_held>();
                // A sink that cannot forget keeps its statement out of groups.
                std::shared_ptr<row_sink> sink = a.rows;
                if (make.below(10) == 0)
                    sink = std::make_shared<forwards>(a.rows);
                // What does not begin with its verb would be read first and queued later.
                if (a.sql.starts_with("WITH"))
                    a.sql = a.sql.substr(a.sql.find("INSERT"), 11) + " (v) VALUES (13), (5)";
                a.coming = one.start(a.sql, {}, sink);
            }
            EXPECT_GOOD(holder.commit());
            for (auto& a : all) {
                const auto done = client::take(std::move(a.coming));
                answer got;
                if (done.error) {
                    got.error = std::to_string(done.error->extended_code) + done.error->message;
                } else {
                    got.rows = a.rows->rows;
                    got.changes = done.changes;
                    got.rowid = done.last_insert_rowid;
                }
                const auto wanted = alone.run(a.sql);
                ASSERT_EQ(got, wanted) << "seed " << seed << ", round " << round << ": " << a.sql;
            }
        }
    }

    class forwards final : public row_sink {
    public:
        explicit forwards(std::shared_ptr<rows_held> to) : to_(std::move(to)) {}
        void on_columns(const statement_info& info) override { to_->on_columns(info); }
        verdict on_row(const row_view& row) override { return to_->on_row(row); }

    private:
        std::shared_ptr<rows_held> to_;
    };

    void prepare()
    {
        for (const char* name : {"plain.db", "test.db"}) {
            sqlite3* db = nullptr;
            ASSERT_EQ(sqlite3_open((folder_ / name).c_str(), &db), SQLITE_OK);
            ASSERT_EQ(sqlite3_exec(db, schema, nullptr, nullptr, nullptr), SQLITE_OK)
                << sqlite3_errmsg(db);
            sqlite3_close(db);
        }
        open();
    }
    void finish()
    {
        database_.reset();
        plain served(folder_ / "test.db");
        plain alone(folder_ / "plain.db");
        EXPECT_EQ(dump(served), dump(alone));
    }
};

TEST_F(DifferentialTest, GroupsAnswerAsAutocommitDoes)
{
    prepare();
    for (unsigned seed = 1; seed <= 5 && !HasFatalFailure(); ++seed)
        compare(seed);
    const auto stats = database_->stats();
    EXPECT_GT(stats.grouped, 100u);
    EXPECT_GT(stats.regrouped, 10u);
    finish();
}

TEST_F(DifferentialTest, SoDoSingleStatements)
{
    with_.group_commit = false;
    prepare();
    compare(99);
    EXPECT_EQ(database_->stats().groups, 0u);
    finish();
}

}  // namespace sluice::sqlite
