// drivers/sqlite/row_counter.cpp: looking at rows before they change.
#include "drivers/sqlite/row_counter.hpp"

#define SQLITE_ENABLE_PREUPDATE_HOOK  // declares what the library has
#include <sqlite3.h>

#include <cstring>
#include <new>

namespace sluice::sqlite {
namespace {

bool is_number(int type) noexcept
{
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

bool same_bytes(const void* one, const void* other, int one_size, int other_size) noexcept
{
    return one_size == other_size &&
           (one_size == 0 ||
            (one && other && std::memcmp(one, other, static_cast<std::size_t>(one_size)) == 0));
}

// New values are not yet what their column makes of them: 5 for '5' in one of text.
bool same_value(sqlite3_value* one, sqlite3_value* other) noexcept
{
    const int type = sqlite3_value_type(one);
    const int other_type = sqlite3_value_type(other);
    if (type == SQLITE_NULL || other_type == SQLITE_NULL)
        return type == other_type;
    if (type == SQLITE_INTEGER && other_type == SQLITE_INTEGER)
        return sqlite3_value_int64(one) == sqlite3_value_int64(other);
    if (is_number(type) && is_number(other_type)) {
        const double difference = sqlite3_value_double(one) - sqlite3_value_double(other);
        return !(difference < 0 || difference > 0);
    }
    if (type == SQLITE_BLOB || other_type == SQLITE_BLOB) {
        const auto* bytes = sqlite3_value_blob(one);
        const auto* other_bytes = sqlite3_value_blob(other);
        return type == other_type &&
               same_bytes(bytes, other_bytes, sqlite3_value_bytes(one), sqlite3_value_bytes(other));
    }
    const auto* text = sqlite3_value_text(one);
    const auto* other_text = sqlite3_value_text(other);
    return same_bytes(text, other_text, sqlite3_value_bytes(one), sqlite3_value_bytes(other));
}

}  // namespace

void row_counter::count(sqlite3* db, bool on) noexcept
{
    if (!on && !counts_)
        return;
    counts_ = on;
    updated_ = unchanged_ = removed_ = removed_now_ = 0;
    forget();
    const auto look = [](void* self,
                         sqlite3* in,
                         int what,
                         const char*,
                         const char*,
                         sqlite3_int64 before,
                         sqlite3_int64 after) {
        auto& counter = *static_cast<row_counter*>(self);
        if (sqlite3_preupdate_depth(in) > 0)
            return;
        if (what == SQLITE_UPDATE)
            counter.on_update(in, before == after);
        else if (what == SQLITE_DELETE)
            counter.on_delete(in);
        else
            counter.on_insert(in);
    };
    if (on)
        sqlite3_preupdate_hook(db, look, this);
    else
        sqlite3_preupdate_hook(db, nullptr, nullptr);
}

void row_counter::on_update(sqlite3* db, bool same_id) noexcept
{
    bool same = same_id;
    const int columns = sqlite3_preupdate_count(db);
    for (int i = 0; i < columns && same; ++i) {
        sqlite3_value* before = nullptr;
        sqlite3_value* after = nullptr;
        same = sqlite3_preupdate_old(db, i, &before) == SQLITE_OK &&
               sqlite3_preupdate_new(db, i, &after) == SQLITE_OK && same_value(before, after);
    }
    ++(same ? unchanged_ : updated_);
}

// It makes room for the row that is inserted next.
void row_counter::on_delete(sqlite3* db) noexcept
{
    ++removed_;
    forget();
    if (++removed_now_ > 1)
        return;
    const int columns = sqlite3_preupdate_count(db);
    try {
        for (int i = 0; i < columns; ++i) {
            sqlite3_value* before = nullptr;
            if (sqlite3_preupdate_old(db, i, &before) != SQLITE_OK)
                return forget();
            last_.push_back(nullptr);
            last_.back() = sqlite3_value_dup(before);
            if (!last_.back())
                return forget();
        }
    } catch (const std::bad_alloc&) {
        forget();
    }
}

void row_counter::on_insert(sqlite3* db) noexcept
{
    bool same = removed_now_ == 1 && !last_.empty();
    for (std::size_t i = 0; i < last_.size() && same; ++i) {
        sqlite3_value* after = nullptr;
        same = sqlite3_preupdate_new(db, static_cast<int>(i), &after) == SQLITE_OK &&
               same_value(last_[i], after);
    }
    if (same)
        --removed_;
    removed_now_ = 0;
    forget();
}

void row_counter::forget() noexcept
{
    for (auto* each : last_)
        sqlite3_value_free(each);
    last_.clear();
}

}  // namespace sluice::sqlite
