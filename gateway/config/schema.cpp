// gateway/config/schema.cpp: reading values as their keys say, and saying what is wrong with them.
#include "gateway/config/schema.hpp"

#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "gateway/config/near.hpp"

namespace sluice::gateway {
namespace {

using unit = std::pair<std::string_view, std::int64_t>;
constexpr unit time_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr unit size_units[] = {{"B", 1},
                               {"KiB", 1 << 10},
                               {"MiB", 1 << 20},
                               {"GiB", 1 << 30},
                               {"kB", 1000},
                               {"MB", 1'000'000},
                               {"GB", 1'000'000'000}};

std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const unit> units)
{
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc{} || number < 0)
        return std::nullopt;
    const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const auto& [name, factor] : units) {
        if (rest == name) {
            if (number > std::numeric_limits<std::int64_t>::max() / factor)
                return std::nullopt;
            return number * factor;
        }
    }
    return std::nullopt;
}

std::string quoted(std::string_view text)
{
    return "\"" + std::string(text) + "\"";
}

std::string shown(const node& value)
{
    switch (value.kind) {
        case node_kind::text:
            return quoted(value.written);
        case node_kind::array:
            return "a list";
        case node_kind::table:
            return "a table";
        case node_kind::other:
            return "a date or time";
        default:
            return value.written;
    }
}

std::string with_unit(std::int64_t amount, std::span<const unit> units)
{
    // No time and no size at all are 0s and 0B.
    unit best = units[amount == 0 && units.data() == time_units ? 1 : 0];
    for (const auto& candidate : units) {
        if (amount != 0 && amount % candidate.second == 0 && candidate.second > best.second)
            best = candidate;
    }
    return std::to_string(amount / best.second) + std::string(best.first);
}

std::string unit_text(std::int64_t amount, std::span<const unit> units)
{
    return quoted(with_unit(amount, units));
}

std::optional<scalar> in_range(const key& wanted, std::int64_t number)
{
    if (number < wanted.least || number > wanted.most)
        return std::nullopt;
    return scalar(number);
}

std::optional<scalar> convert(const key& wanted, const node& value)
{
    const bool is_text = value.kind == node_kind::text;
    switch (wanted.type) {
        case key_type::boolean:
            return value.kind == node_kind::boolean ? std::optional<scalar>(value.boolean)
                                                    : std::nullopt;
        case key_type::integer:
            return value.kind == node_kind::integer ? in_range(wanted, value.integer)
                                                    : std::nullopt;
        case key_type::real: {
            const double number =
                value.kind == node_kind::integer ? static_cast<double>(value.integer) : value.real;
            const bool is_number =
                value.kind == node_kind::integer || value.kind == node_kind::real;
            if (!is_number || !(number >= static_cast<double>(wanted.least)) ||
                !(number <= static_cast<double>(wanted.most)))
                return std::nullopt;
            return scalar(number);
        }
        case key_type::time:
        case key_type::size: {
            const auto amount = !is_text                        ? std::nullopt
                                : wanted.type == key_type::time ? parse_duration_ms(value.text)
                                                                : parse_size(value.text);
            return amount ? in_range(wanted, *amount) : std::nullopt;
        }
        case key_type::choice:
            for (std::size_t i = 0; is_text && i < wanted.choices.size(); ++i) {
                if (wanted.choices[i] == value.text)
                    return scalar(static_cast<std::int64_t>(i));
            }
            return std::nullopt;
        case key_type::text:
        case key_type::path:
            if (!is_text || value.text.find('\0') != std::string::npos)
                return std::nullopt;
            return scalar(wanted.type == key_type::path ? resolve_path(value.at, value.text)
                                                        : value.text);
        case key_type::special:
            break;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration_ms(std::string_view text)
{
    return parse_with_unit(text, time_units);
}

std::optional<std::int64_t> parse_size(std::string_view text)
{
    return parse_with_unit(text, size_units);
}

std::string written(const key& wanted, const scalar& value)
{
    if (const auto* text = std::get_if<std::string>(&value))
        return *text;
    if (const auto* truth = std::get_if<bool>(&value))
        return *truth ? "true" : "false";
    if (const auto* real = std::get_if<double>(&value)) {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, *real).ptr;
        return std::string(digits, end);
    }
    const auto number = std::get<std::int64_t>(value);
    switch (wanted.type) {
        case key_type::time:
            return with_unit(number, time_units);
        case key_type::size:
            return with_unit(number, size_units);
        case key_type::choice:
            if (number >= 0 && static_cast<std::size_t>(number) < wanted.choices.size())
                return std::string(wanted.choices[static_cast<std::size_t>(number)]);
            return {};
        default:
            return std::to_string(number);
    }
}

std::string valid_values(const key& wanted)
{
    const auto range = [&](std::span<const unit> units) {
        return " from " + unit_text(wanted.least, units) + " to " + unit_text(wanted.most, units);
    };
    switch (wanted.type) {
        case key_type::boolean:
            return "true or false";
        case key_type::integer:
            return "an integer from " + std::to_string(wanted.least) + " to " +
                   std::to_string(wanted.most);
        case key_type::real:
            return "a number from " + std::to_string(wanted.least) + " to " +
                   std::to_string(wanted.most);
        case key_type::time:
            return "a duration such as \"5s\"," + range(time_units);
        case key_type::size:
            return "a size such as \"16MiB\"," + range(size_units);
        case key_type::choice: {
            std::string all;
            for (const auto choice : wanted.choices)
                all += (all.empty() ? "" : ", ") + quoted(choice);
            return all;
        }
        case key_type::path:
            return "a file name in quotes";
        case key_type::special:
            return std::string(wanted.takes);
        default:
            return "text in quotes";
    }
}

std::optional<scalar> read_scalar(const key& wanted, const node& value, problems& found)
{
    auto made = convert(wanted, value);
    if (!made) {
        std::string hint;
        if (wanted.type == key_type::choice && value.kind == node_kind::text)
            hint = did_you_mean(value.written, wanted.choices);
        found.error(value.at,
                    std::string(wanted.name) + " = " + shown(value) +
                        " is not valid; valid: " + valid_values(wanted) + hint);
    }
    return made;
}

bool is_table(std::string_view where, const node& value, problems& found)
{
    if (value.kind == node_kind::table)
        return true;
    found.error(value.at,
                "[" + std::string(where) + "] is a table, not " +
                    (value.kind == node_kind::array ? "a list" : "a single value"));
    return false;
}

void read_keys(std::string_view where,
               std::span<const key> keys,
               const node& table,
               void* section,
               problems& found)
{
    for (const auto& [name, at, value] : table.members) {
        const key* known = nullptr;
        for (const auto& candidate : keys) {
            if (candidate.name == name)
                known = &candidate;
        }
        if (!known) {
            std::vector<std::string_view> names;
            std::string all;
            for (const auto& candidate : keys) {
                names.push_back(candidate.name);
                all += (all.empty() ? "" : ", ") + std::string(candidate.name);
            }
            found.error(at,
                        "unknown key \"" + name + "\" in " +
                            (where.empty() ? "the file" : "[" + std::string(where) + "]") +
                            "; valid: " + all + did_you_mean(name, names));
        } else if (known->store) {
            if (const auto made = read_scalar(*known, value, found))
                known->store(section, *made);
        }
    }
}

}  // namespace sluice::gateway
