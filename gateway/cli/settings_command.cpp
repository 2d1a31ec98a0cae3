// gateway/cli/settings_command.cpp: sluice settings: the tables of config/keys.cpp, for people.
#include "gateway/cli/settings_command.hpp"

#include <ostream>
#include <string>

#include "gateway/config/keys.hpp"

namespace sluice::gateway {
namespace {

// A section of all_keys() as the file writes it; and what a reader has to know before its keys.
struct heading {
    std::string_view section;
    std::string_view title;
    std::string_view intro;
};

constexpr heading headings[] = {
    {"", "The file", "`include` and the tables below; nothing else."},
    {"gateway", "", ""},
    {"gateway.tcp_keepalive", "", ""},
    {"gateway.log", "", ""},
    {"listen", "", ""},
    {"listen.tls", "", ""},
    {"auth", "", ""},
    {"databases.NAME",
     "",
     "One table for each database that clients connect to; `\"*\"` serves every other name."},
    {"databases.NAME (sqlite)", "[databases.NAME], engine = \"sqlite\"", ""},
    {"databases.NAME.tls", "[databases.NAME.tls], engine = \"mysql\"", ""},
    {"databases.NAME.pool",
     "",
     "A pool is the connections of one database and backend user. A SQLite database has of these "
     "only `max_queued` and `queue_timeout`."},
    {"users.NAME", "", ""},
    {"tenants", "", ""},
    {"tenants.NAME", "", "Limits of one tenant; `[tenants.default]` is for all without a table."},
};

heading heading_of(std::string_view section)
{
    for (const auto& entry : headings) {
        if (entry.section == section)
            return entry;
    }
    return {section, "", ""};
}

std::string title_of(std::string_view section)
{
    const auto said = heading_of(section).title;
    return said.empty() ? "[" + std::string(section) + "]" : std::string(said);
}

// As the file would have it.
std::string fallback_of(const key& entry)
{
    if (entry.fallback.empty())
        return {};
    const bool bare = entry.type == key_type::boolean || entry.type == key_type::integer ||
                      entry.type == key_type::real || entry.fallback.starts_with("[") ||
                      (entry.type == key_type::special && entry.takes.starts_with("an integer")) ||
                      (entry.type == key_type::special && entry.takes.starts_with("true"));
    return bare ? std::string(entry.fallback) : '"' + std::string(entry.fallback) + '"';
}

// `|` ends a cell, and `<` begins a tag.
std::string cell(std::string_view text)
{
    std::string made;
    for (const char c : text) {
        if (c == '|' || c == '<' || c == '*')
            made += '\\';
        made += c;
    }
    return made;
}

// The page says once how durations and sizes are written.
std::string takes_of(const key& entry)
{
    auto text = valid_values(entry);
    const auto example = text.find(" such as ");
    if ((entry.type == key_type::time || entry.type == key_type::size) &&
        example != std::string::npos)
        text.erase(example, text.find(',') + 1 - example);
    return text;
}

void print_table(const section_keys& section, std::ostream& out)
{
    out << "| key | takes | default | |\n|---|---|---|---|\n";
    for (const auto& entry : section.keys) {
        if (entry.takes == told_elsewhere)
            continue;
        const auto fallback = fallback_of(entry);
        out << "| `" << entry.name << "` | " << cell(takes_of(entry)) << " | "
            << (fallback.empty() ? "" : "`" + fallback + "`") << " | " << cell(entry.help)
            << " |\n";
    }
}

}  // namespace

bool print_settings(std::string_view wanted, std::ostream& out)
{
    bool any = false;
    for (const auto& section : all_keys()) {
        const bool whole = section.section.find(wanted) != std::string_view::npos;
        bool titled = false;
        for (const auto& entry : section.keys) {
            if (entry.takes == told_elsewhere ||
                (!whole && entry.name.find(wanted) == std::string_view::npos))
                continue;
            if (!titled)
                out << (any ? "\n" : "") << title_of(section.section) << '\n';
            titled = any = true;
            const auto fallback = fallback_of(entry);
            out << "  " << entry.name << (fallback.empty() ? "" : " = " + fallback) << '\n'
                << "      " << entry.help << '\n'
                << "      takes " << valid_values(entry) << '\n';
        }
    }
    return any;
}

void print_settings_page(std::ostream& out)
{
    out << "# Every setting\n\n"
           "<!-- Written by `sluice settings --markdown`; the tables are those that check a file "
           "(keys.cpp). -->\n\n"
           "One TOML file. Durations are a number and `ms`, `s`, `m`, `h` or `d`; sizes a number "
           "and `B`, `KiB`, `MiB`,\n`GiB`, `kB`, `MB` or `GB`. Paths are relative to the file that "
           "names them. In texts `${NAME}` is the environment\nvariable, `${NAME:-text}` has a "
           "default. `sluice check FILE` names everything that is wrong with a file;\n"
           "`sluice settings WORD` shows what is said here about a key.\n";
    for (const auto& section : all_keys()) {
        out << "\n## " << title_of(section.section) << "\n\n";
        if (const auto intro = heading_of(section.section).intro; !intro.empty())
            out << intro << "\n\n";
        print_table(section, out);
    }
}

}  // namespace sluice::gateway
