// gateway/translate/settings.cpp: session settings that the gateway keeps itself.
#include "gateway/translate/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cctype>
#include <utility>

#include "proto/pg/messages.hpp"
#include "proto/sql/transaction_words.hpp"

namespace sluice::gateway {
namespace {

struct known_setting {
    std::string_view name;  // as SHOW ALL and ParameterStatus spell it
    std::string_view value;
    bool reported;
    bool fixed;  // SET to another value is refused
};

constexpr std::string_view version = "15.0";

constexpr std::array known{
    known_setting{"application_name", "", true, false},
    known_setting{"bytea_output", "hex", false, false},
    known_setting{"client_encoding", "UTF8", true, false},
    known_setting{"client_min_messages", "notice", false, false},
    known_setting{"DateStyle", "ISO, MDY", true, false},
    known_setting{"default_transaction_deferrable", "off", false, false},
    known_setting{"default_transaction_isolation", "read committed", false, false},
    known_setting{"default_transaction_read_only", "off", true, false},
    known_setting{"extra_float_digits", "1", false, false},
    known_setting{"idle_in_transaction_session_timeout", "0", false, false},
    known_setting{"in_hot_standby", "off", true, true},
    known_setting{"integer_datetimes", "on", true, true},
    known_setting{"IntervalStyle", "postgres", true, false},
    known_setting{"is_superuser", "off", true, true},
    known_setting{"lc_collate", "C", false, true},
    known_setting{"lc_ctype", "C", false, true},
    known_setting{"lock_timeout", "0", false, false},
    known_setting{"max_identifier_length", "63", false, true},
    known_setting{"max_index_keys", "32", false, true},
    known_setting{"search_path", "\"$user\", public", false, false},
    known_setting{"server_encoding", "UTF8", true, true},
    known_setting{"server_version", version, true, true},
    known_setting{"server_version_num", "150000", false, true},
    known_setting{"session_authorization", "", true, true},
    known_setting{"standard_conforming_strings", "on", true, false},
    known_setting{"statement_timeout", "0", false, false},
    known_setting{"synchronous_commit", "on", false, false},
    known_setting{"TimeZone", "UTC", true, false},
    known_setting{"transaction_deferrable", "off", false, false},
    known_setting{"transaction_isolation", "read committed", false, true},
    known_setting{"transaction_read_only", "off", false, true},
};

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

const known_setting* find(std::string_view key)
{
    const auto at = std::find_if(
        known.begin(), known.end(), [key](const auto& k) { return lower(k.name) == key; });
    return at == known.end() ? nullptr : &*at;
}

// "utf-8", "'UTF8'", "unicode": asyncpg quotes what it sends at startup.
bool is_utf8(std::string_view value)
{
    std::string letters;
    for (const char c : value)
        if (std::isalnum(static_cast<unsigned char>(c)))
            letters.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    return letters == "utf8" || letters == "unicode" || letters == "sqlascii";
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text)
{
    std::int64_t count = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (ec != std::errc{} || count < 0)
        return std::nullopt;
    auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (unit.starts_with(' '))
        unit.remove_prefix(1);
    struct scale {
        std::string_view name;
        std::int64_t milliseconds;
    };
    for (const auto& [name, milliseconds] : {scale{"", 1},
                                             scale{"ms", 1},
                                             scale{"s", 1000},
                                             scale{"min", 60'000},
                                             scale{"h", 3'600'000},
                                             scale{"d", 86'400'000}})
        if (unit == name && count <= INT32_MAX / milliseconds)
            return std::chrono::milliseconds(count * milliseconds);
    return std::nullopt;
}

local_settings::local_settings()
{
    for (const auto& each : known)
        defaults_[lower(each.name)] = each.value;
    values_ = defaults_;
}

// Something may have another value now.
void local_settings::touch() noexcept
{
    summary_.reset();
    unreported_ = true;
}

const local_settings::summary& local_settings::fresh() const
{
    if (!summary_) {
        summary made;
        made.read_only = show("default_transaction_read_only") == "on";
        const auto parsed = parse_milliseconds(*show("statement_timeout"));
        // Zero is "no opinion" here: a client cannot lift the limit of the configuration.
        if (parsed && parsed->count() != 0)
            made.statement_timeout = parsed;
        summary_ = made;
    }
    return *summary_;
}

void local_settings::set_user(std::string_view user)
{
    touch();
    defaults_["session_authorization"] = values_["session_authorization"] = user;
}

void local_settings::apply_startup(
    const std::vector<std::pair<std::string, std::string>>& parameters)
{
    touch();
    const auto apply = [this](std::string_view name, std::string value) {
        auto key = lower(name);
        std::replace(key.begin(), key.end(), '-', '_');
        const auto* setting = find(key);
        if (!setting || setting->fixed || check(key, value))
            return;
        values_[key] = defaults_[key] = std::move(value);
    };
    for (const auto& [name, value] : parameters) {
        if (name != "options") {
            apply(name, value);
            continue;
        }
        // "-c name=value" and "--name=value", blanks between.
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto blank = rest.find(' ');
            auto word = rest.substr(0, blank);
            rest = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
            if (word.starts_with("-c") || word.starts_with("--"))
                word.remove_prefix(2);
            const auto equals = word.find('=');
            if (equals != std::string_view::npos)
                apply(word.substr(0, equals), std::string(word.substr(equals + 1)));
        }
    }
}

std::optional<setting_error> local_settings::check(const std::string& key, std::string& value) const
{
    const auto invalid = [&](std::string_view why) {
        return setting_error{
            "22023",
            "invalid value for parameter \"" + key + "\": \"" + value + "\"" + std::string(why)};
    };
    if (key == "client_encoding") {
        if (!is_utf8(value))
            return setting_error{"0A000",
                                 "client_encoding \"" + value +
                                     "\" is not supported; SQLite databases are served "
                                     "in UTF8 only"};
        value = "UTF8";
    } else if (key == "datestyle") {
        if (lower(value).find("iso") == std::string::npos)
            return invalid(": dates are served in ISO style only");
        value = "ISO, MDY";
    } else if (key == "standard_conforming_strings") {
        const auto word = lower(value);
        if (word != "on" && word != "true" && word != "1")
            return invalid(": strings are read by the standard only");
        value = "on";
    } else if (key == "statement_timeout" || key == "lock_timeout" ||
               key == "idle_in_transaction_session_timeout") {
        if (!parse_milliseconds(value))
            return invalid("");
    } else if (key == "default_transaction_isolation") {
        const auto level = sql::isolation_from_text(value);
        if (!level)
            return invalid("");
        value = sql::to_text(*level);
    } else if (key == "default_transaction_read_only") {
        const auto word = lower(value);
        if (word == "on" || word == "true" || word == "1" || word == "yes")
            value = "on";
        else if (word == "off" || word == "false" || word == "0" || word == "no")
            value = "off";
        else
            return invalid(": a Boolean is needed");
    }
    return std::nullopt;
}

std::optional<setting_error> local_settings::set(std::string_view name,
                                                 std::optional<std::string> value,
                                                 bool local,
                                                 bool in_transaction)
{
    const auto key = lower(name);
    const auto* setting = find(key);
    if (!setting && key.size() > 200)
        return setting_error{"42602", "the name of a setting is too long"};
    const auto standard = defaults_.find(key);
    std::string wanted =
        value ? *value : (standard == defaults_.end() ? std::string() : standard->second);
    if (const auto failed = check(key, wanted))
        return failed;
    if (setting && setting->fixed && wanted != standard->second)
        return setting_error{"55P02", "parameter \"" + key + "\" cannot be changed"};
    // Names are the client's choice: bound what it can store.
    if (!setting && values_.size() + local_.size() > 1000)
        return setting_error{"54000", "a session keeps at most 1000 settings"};
    touch();
    if (local) {
        if (in_transaction)
            local_[key] = std::move(wanted);
        return std::nullopt;
    }
    if (in_transaction && !before_)
        before_ = values_;
    local_.erase(key);
    values_[key] = std::move(wanted);
    return std::nullopt;
}

void local_settings::reset_all(bool in_transaction)
{
    touch();
    if (in_transaction && !before_)
        before_ = values_;
    local_.clear();
    values_ = defaults_;
}

std::optional<std::string> local_settings::show(std::string_view name) const
{
    const auto key = lower(name);
    if (const auto at = local_.find(key); at != local_.end())
        return at->second;
    if (const auto at = values_.find(key); at != values_.end())
        return at->second;
    return std::nullopt;
}

std::string local_settings::name_in_display(std::string_view name) const
{
    const auto key = lower(name);
    const auto* setting = find(key);
    return setting ? std::string(setting->name) : key;
}

std::vector<std::pair<std::string, std::string>> local_settings::all() const
{
    auto merged = values_;
    for (const auto& [key, value] : local_)
        merged[key] = value;
    return {merged.begin(), merged.end()};
}

void local_settings::end_transaction(bool committed)
{
    if (!before_ && local_.empty())
        return;
    touch();
    if (!committed && before_)
        values_ = std::move(*before_);
    before_.reset();
    local_.clear();
}

void local_settings::append_reported(byte_queue& out)
{
    if (!std::exchange(unreported_, false))
        return;
    for (const auto& each : known) {
        if (!each.reported)
            continue;
        const auto key = lower(each.name);
        const auto value = *show(key);
        const auto told = told_.find(key);
        if (told != told_.end() && told->second == value)
            continue;
        pg::append_parameter_status(out, each.name, value);
        told_[key] = value;
    }
}

std::optional<std::chrono::milliseconds> local_settings::statement_timeout() const
{
    return fresh().statement_timeout;
}

}  // namespace sluice::gateway
