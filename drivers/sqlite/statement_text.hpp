// drivers/sqlite/statement_text.hpp: a statement of the driver's own, stepped by hand.
//
// Layer: drivers, private to this folder. One thread. Its result columns die with the next step.
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

namespace sluice::sqlite {

class own_statement {
public:
    own_statement(sqlite3* db, const char* sql) noexcept
    {
        good_ = sqlite3_prepare_v2(db, sql, -1, &raw_, nullptr) == SQLITE_OK;
    }
    ~own_statement() { sqlite3_finalize(raw_); }
    own_statement(const own_statement&) = delete;
    own_statement& operator=(const own_statement&) = delete;

    bool good() const noexcept { return good_; }

    void bind(int at, std::int64_t number) noexcept { sqlite3_bind_int64(raw_, at, number); }
    void bind(int at, std::string_view text) noexcept
    {
        sqlite3_bind_text64(raw_, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    void bind(int at, const char* text) noexcept
    {
        text ? bind(at, std::string_view(text)) : bind_null(at);
    }
    void bind(int at, const std::string& text) noexcept { bind(at, std::string_view(text)); }
    void bind_null(int at) noexcept { sqlite3_bind_null(raw_, at); }

    // True: there is a row.
    bool step() noexcept
    {
        if (!raw_)
            return false;
        const int code = sqlite3_step(raw_);
        good_ = code == SQLITE_ROW || code == SQLITE_DONE;
        return code == SQLITE_ROW;
    }
    void reset() noexcept { sqlite3_reset(raw_); }

    // Binds all, steps once, resets. False on an error.
    template <class... Values>
    bool run(const Values&... values) noexcept
    {
        int at = 0;
        (bind(++at, values), ...);
        (void)step();
        reset();
        return good_;
    }

    std::int64_t integer(int i) const noexcept { return sqlite3_column_int64(raw_, i); }
    bool null(int i) const noexcept { return sqlite3_column_type(raw_, i) == SQLITE_NULL; }
    std::string text(int i) const
    {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw_, i));
        return {text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(raw_, i))};
    }

private:
    sqlite3_stmt* raw_ = nullptr;
    bool good_ = false;
};

}  // namespace sluice::sqlite
