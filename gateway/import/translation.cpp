// gateway/import/translation.cpp: a pgbouncer.ini on its way to TOML: what all its parts share.
#include "gateway/import/translation.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/config/keys.hpp"
#include "gateway/import/pgbouncer_settings.hpp"

namespace sluice::gateway::importing {
namespace {

const key* find_key(std::string_view section, std::string_view name)
{
    for (const auto& entry : keys_of(section)) {
        if (entry.name == name)
            return &entry;
    }
    return nullptr;
}

std::string literal_of(const key& wanted, const scalar& value)
{
    const auto text = written(wanted, value);
    const bool bare = wanted.type == key_type::boolean || wanted.type == key_type::integer ||
                      wanted.type == key_type::real;
    return bare ? text : toml_string(text);
}

// A comment of TOML has no control characters.
std::string printable(std::string_view text)
{
    std::string made(text);
    for (auto& c : made) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    }
    return made;
}

}  // namespace

const ini_entry* translation::global(std::string_view key) const noexcept
{
    const ini_entry* found = nullptr;
    for (const auto& entry : from_.entries) {
        if (entry.section == "pgbouncer" && lower(entry.key) == key)
            found = &entry;
    }
    return found;
}

std::string translation::global_value(std::string_view key) const
{
    return entry_of(key).value;
}

ini_entry translation::entry_of(std::string_view key) const
{
    if (const auto* entry = global(key))
        return *entry;
    const auto* known = find_pgbouncer_setting(key);
    return {"pgbouncer", std::string(key), std::string(known ? known->fallback : ""), start()};
}

std::optional<std::int64_t> translation::whole(const ini_entry& entry)
{
    std::int64_t number = 0;
    const char* last = entry.value.data() + entry.value.size();
    const auto [end, ec] = std::from_chars(entry.value.data(), last, number);
    if (ec == std::errc{} && end == last && number >= 0)
        return number;
    error(entry.at, entry.key + " is a whole number");
    return std::nullopt;
}

std::optional<std::int64_t> translation::milliseconds(const ini_entry& entry)
{
    double seconds = 0;
    const char* last = entry.value.data() + entry.value.size();
    const auto [end, ec] = std::from_chars(entry.value.data(), last, seconds);
    if (ec == std::errc{} && end == last && seconds >= 0 && seconds <= 1e12)
        return static_cast<std::int64_t>(seconds * 1000 + 0.5);
    error(entry.at, entry.key + " is a number of seconds");
    return std::nullopt;
}

std::optional<bool> translation::truth(const ini_entry& entry)
{
    const auto value = lower(entry.value);
    for (const auto* word : {"1", "on", "true", "yes", "y", "t"}) {
        if (value == word)
            return true;
    }
    for (const auto* word : {"0", "off", "false", "no", "n", "f"}) {
        if (value == word)
            return false;
    }
    error(entry.at, entry.key + " is 0 or 1");
    return std::nullopt;
}

std::int64_t translation::global_whole(std::string_view key)
{
    return whole(entry_of(key)).value_or(0);
}

std::int64_t translation::global_milliseconds(std::string_view key)
{
    return milliseconds(entry_of(key)).value_or(0);
}

void translation::put(const std::string& table,
                      std::string_view section,
                      std::string_view key,
                      const scalar& value,
                      const ini_entry* why)
{
    const auto* wanted = find_key(section, key);
    if (!wanted)
        return;
    scalar kept = value;
    const bool counts = wanted->type == key_type::integer || wanted->type == key_type::time ||
                        wanted->type == key_type::size;
    if (auto* number = std::get_if<std::int64_t>(&kept); number && counts) {
        *number = std::clamp(*number, wanted->least, wanted->most);
        if (kept != value && why)
            note(*why,
                 "becomes " + std::string(section) + '.' + std::string(key) + " = " +
                     written(*wanted, kept) + ", the nearest valid value");
    }
    std::optional<std::int64_t> fallback;
    if (wanted->type == key_type::time)
        fallback = parse_duration_ms(wanted->fallback);
    else if (wanted->type == key_type::size)
        fallback = parse_size(wanted->fallback);
    const bool is_fallback =
        fallback ? kept == scalar(*fallback) : written(*wanted, kept) == wanted->fallback;
    if (!is_fallback)
        out.put(table, std::string(key), literal_of(*wanted, kept));
}

void translation::note(const place& at, std::string_view setting, std::string_view text)
{
    auto line = at.text() + ": " + std::string(setting) + ": " + std::string(text);
    if (std::find(result_.notes.begin(), result_.notes.end(), line) == result_.notes.end())
        result_.notes.push_back(printable(line));
}

void translation::error(const place& at, std::string_view text)
{
    const auto line = printable(at.text() + ": " + std::string(text));
    if (std::find(result_.errors.begin(), result_.errors.end(), line) == result_.errors.end())
        result_.errors.push_back(line);
}

import_result translation::finish()
{
    result_.errors.insert(result_.errors.begin(), from_.errors.begin(), from_.errors.end());
    if (result_.notes.empty())
        out.add_comment("Everything has a counterpart.");
    else
        out.add_comment("What has none, or works otherwise:");
    for (const auto& line : result_.notes)
        out.add_comment("  " + line);
    result_.toml = out.text();
    return std::move(result_);
}

}  // namespace sluice::gateway::importing
