// drivers/sqlite/function_call.hpp: arguments and results of SQL functions written in C++.
//
// Layer: drivers, private to this folder. Called inside sqlite3_step, on the handle's thread.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>

#include "drivers/sqlite/handle.hpp"

namespace sluice::sqlite {

using arguments = sqlite3_value**;

struct function {
    const char* name;
    int arity;  // -1: any
    void (*call)(sqlite3_context*, int, arguments);
};

inline handle& handle_of(sqlite3_context* call) noexcept
{
    return *static_cast<handle*>(sqlite3_user_data(call));
}

inline void answer(sqlite3_context* call, std::string_view text) noexcept
{
    sqlite3_result_text64(call, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

inline void refuse(sqlite3_context* call, std::string_view why) noexcept
{
    sqlite3_result_error(call, why.data(), static_cast<int>(why.size()));
}

inline bool is_null(sqlite3_value* v) noexcept
{
    return sqlite3_value_type(v) == SQLITE_NULL;
}

inline std::string_view text_of(sqlite3_value* v) noexcept
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(v));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(v))};
}

template <std::size_t Count>
void add_functions(handle& on, const function (&list)[Count])
{
    for (const auto& f : list)
        sqlite3_create_function_v2(on.db(),
                                   f.name,
                                   f.arity,
                                   SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                   &on,
                                   f.call,
                                   nullptr,
                                   nullptr,
                                   nullptr);
}

}  // namespace sluice::sqlite
