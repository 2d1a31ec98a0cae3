// gateway/config/schema.hpp: the keys of the configuration as data: name, type, range, default.
//
// One table a section (keys.cpp) says everything about its keys, so reading, error messages and the
// page of settings (SETTINGS.md) cannot disagree.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "gateway/config/config.hpp"
#include "gateway/config/document.hpp"

namespace sluice::gateway {

enum class key_type { boolean, integer, real, time, size, choice, text, path, special };

using scalar = std::variant<bool, std::int64_t, double, std::string>;

struct key {
    std::string_view name;
    key_type type;
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::span<const std::string_view> choices;
    std::string_view fallback;  // as the file would have it; "" for none
    std::string_view help;      // what it is for; keys.cpp does not compile without
    void (*store)(void* section, const scalar& value) = nullptr;  // null: special, read by hand
    scalar (*load)(const void* section) = nullptr;                // null: special; store's mirror
    std::string_view takes = {};                                  // special: which values are valid
};

// "5s", "100ms", "10m", "1h", "1d": a number and its unit.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);
// "16MiB", "64KiB", "1GiB", "512B"; also kB, MB, GB.
std::optional<std::int64_t> parse_size(std::string_view text);

// A value as the file would have it, without quotes: 5000 of a time is 5s.
std::string written(const key& wanted, const scalar& value);

// What this key takes, for messages: `an integer from 1 to 10000`.
std::string valid_values(const key& wanted);

std::optional<scalar> read_scalar(const key& wanted, const node& value, problems& found);

// Stores what is right in `table` into `section`; names unknown keys and wrong values.
void read_keys(std::string_view where,
               std::span<const key> keys,
               const node& table,
               void* section,
               problems& found);

// Null, with an error, when the value is no table.
bool is_table(std::string_view where, const node& value, problems& found);

namespace detail {
template <class T>
struct member_of;
template <class Class, class Type>
struct member_of<Type Class::*> {
    using section = Class;
    using type = Type;
};
}  // namespace detail

template <auto Member>
void store_member(void* section, const scalar& value)
{
    using traits = detail::member_of<decltype(Member)>;
    using type = typename traits::type;
    auto& place = static_cast<typename traits::section*>(section)->*Member;
    if constexpr (std::is_same_v<type, bool>)
        place = std::get<bool>(value);
    else if constexpr (std::is_same_v<type, double>)
        place = std::get<double>(value);
    else if constexpr (std::is_same_v<type, std::string>)
        place = std::get<std::string>(value);
    else if constexpr (std::is_same_v<type, std::chrono::seconds>)
        place = std::chrono::seconds(std::get<std::int64_t>(value) / 1000);
    else if constexpr (std::is_same_v<type, duration>)
        place = duration(std::get<std::int64_t>(value));
    else if constexpr (std::is_same_v<type, std::optional<pool_mode>>)
        place = static_cast<pool_mode>(std::get<std::int64_t>(value));
    else
        place = static_cast<type>(std::get<std::int64_t>(value));
}

template <auto Member>
scalar load_member(const void* section)
{
    using traits = detail::member_of<decltype(Member)>;
    using type = typename traits::type;
    const auto& place = static_cast<const typename traits::section*>(section)->*Member;
    if constexpr (std::is_same_v<type, bool> || std::is_same_v<type, double> ||
                  std::is_same_v<type, std::string>)
        return place;
    else if constexpr (std::is_same_v<type, std::chrono::seconds>)
        return static_cast<std::int64_t>(place.count() * 1000);
    else if constexpr (std::is_same_v<type, duration>)
        return static_cast<std::int64_t>(place.count());
    else if constexpr (std::is_same_v<type, std::optional<pool_mode>>)
        return place ? scalar(static_cast<std::int64_t>(*place)) : scalar(std::string());
    else
        return static_cast<std::int64_t>(place);
}

}  // namespace sluice::gateway
