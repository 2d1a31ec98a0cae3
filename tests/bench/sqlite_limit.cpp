// tests/bench/sqlite_limit.cpp: what one thread without any network gets out of SQLite.
//
// Usage: LOAD SECONDS ROWS FOLDER. Prints {"tps", "p50", "p99", "p999" (ms), "failed"} as JSON.
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

void check(int code, sqlite3* db)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return;
    std::fprintf(stderr, "%s\n", sqlite3_errmsg(db));
    std::exit(1);
}

sqlite3_stmt* prepare(sqlite3* db, const char* sql)
{
    sqlite3_stmt* made = nullptr;
    check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr), db);
    return made;
}

}  // namespace

int main(int, char** words)
{
    const std::string_view load = words[1];
    const double seconds = std::atof(words[2]);
    const int rows = std::atoi(words[3]);
    const int writes = load == "INSERT" ? 100 : load == "point SELECT" ? 0 : 10;
    const std::string path = std::string(words[4]) + "/limit" + std::to_string(writes) + ".db";
    std::remove(path.c_str());
    sqlite3* db = nullptr;
    check(sqlite3_open_v2(path.c_str(),
                          &db,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          nullptr),
          db);
    const std::string schema =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
        "CREATE TABLE account(id integer primary key, branch integer, balance integer, filler);"
        "CREATE TABLE entry(id integer primary key, k integer, payload text, n integer);"
        "CREATE INDEX entry_k ON entry(k);"
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < " +
        std::to_string(rows) + ") INSERT INTO account SELECT n, n % 10, n, '" +
        std::string(80, 'f') + "' FROM c;";
    check(sqlite3_exec(db, schema.c_str(), nullptr, nullptr, nullptr), db);
    auto* select = prepare(db, "SELECT balance FROM account WHERE id = ?");
    auto* insert = prepare(db, "INSERT INTO entry(k, payload, n) VALUES (?, ?, 5)");
    const std::string payload(96, 'p');
    std::mt19937 random(1);
    std::uniform_int_distribution<int> id(1, rows), key(1, 1'000'000), share(0, 99);
    std::vector<float> latencies;
    const auto begin = clock_type::now();
    const auto end = begin + std::chrono::duration_cast<clock_type::duration>(
                                 std::chrono::duration<double>(seconds));
    auto last = begin;
    while (last < end) {
        const bool write = share(random) < writes;
        auto* statement = write ? insert : select;
        sqlite3_bind_int(statement, 1, write ? key(random) : id(random));
        if (write)
            sqlite3_bind_text(
                statement, 2, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
        int code = sqlite3_step(statement);
        while (code == SQLITE_ROW) {
            (void)sqlite3_column_int(statement, 0);
            code = sqlite3_step(statement);
        }
        check(code, db);
        sqlite3_reset(statement);
        const auto now = clock_type::now();
        latencies.push_back(std::chrono::duration<float, std::milli>(now - last).count());
        last = now;
    }
    const double took = std::chrono::duration<double>(last - begin).count();
    std::sort(latencies.begin(), latencies.end());
    const auto at = [&](double part) {
        const auto i = static_cast<std::size_t>(static_cast<double>(latencies.size()) * part);
        return latencies[std::min(i, latencies.size() - 1)];
    };
    std::printf("{\"tps\": %.1f, \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"failed\": 0}\n",
                static_cast<double>(latencies.size()) / took,
                at(0.5),
                at(0.99),
                at(0.999));
    sqlite3_finalize(select);
    sqlite3_finalize(insert);
    sqlite3_close(db);
}
