// drivers/sqlite/row_counter.hpp: what MySQL tells its clients of a write and SQLite does not
// count: rows that an update left as they were, and rows that a REPLACE removed.
//
// Layer: drivers, private to this folder. Used by the handle's thread. Bounds: one row's values,
// that of the last row that was removed.
#pragma once

#include <cstdint>
#include <vector>

struct sqlite3;
struct sqlite3_value;

namespace sluice::sqlite {

class row_counter {
public:
    row_counter() = default;
    ~row_counter() { forget(); }
    row_counter(const row_counter&) = delete;
    row_counter& operator=(const row_counter&) = delete;

    // Counts from zero, until it is switched off. Triggers' and foreign keys' changes are not
    // counted. Between statements only.
    void count(sqlite3* db, bool on) noexcept;

    std::int64_t updated() const noexcept { return updated_; }      // to something else
    std::int64_t unchanged() const noexcept { return unchanged_; }  // updated to what they were
    std::int64_t removed() const noexcept { return removed_; }      // and not put back as they were

private:
    void on_update(sqlite3* db, bool same_id) noexcept;
    void on_delete(sqlite3* db) noexcept;
    void on_insert(sqlite3* db) noexcept;
    void forget() noexcept;

    bool counts_ = false;
    std::int64_t updated_ = 0;
    std::int64_t unchanged_ = 0;
    std::int64_t removed_ = 0;
    std::int64_t removed_now_ = 0;      // since the last row was inserted
    std::vector<sqlite3_value*> last_;  // the row that was removed, if it is the only one of these
};

}  // namespace sluice::sqlite
