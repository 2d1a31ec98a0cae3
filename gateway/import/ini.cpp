// gateway/import/ini.cpp: PgBouncer's configuration and user list, read as PgBouncer reads them.
#include "gateway/import/ini.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::gateway::importing {
namespace {

constexpr std::size_t file_max = 8 * 1024 * 1024;
constexpr int depth_max = 10;

constexpr std::string_view blanks = " \t\r\n\f\v";

bool read_file(const std::string& file, std::string& text, std::string& why)
{
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::error_code ec;
    if (!in || std::filesystem::is_directory(file, ec)) {
        why = in ? "it is a folder" : std::strerror(errno);
        return false;
    }
    for (char c = 0; text.size() <= file_max && in.get(c);)
        text.push_back(c);
    if (text.size() > file_max) {
        why = "it is larger than 8 MiB";
        return false;
    }
    return true;
}

// "..." with "" for one quote, from the start of `text`; what follows it goes to `rest`.
std::optional<std::string> quoted(std::string_view text, char quote, std::string_view& rest)
{
    std::string made;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] != quote) {
            made += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == quote) {
            made += quote;
            ++i;
        } else {
            rest = text.substr(i + 1);
            return made;
        }
    }
    return std::nullopt;
}

class ini_reader {
public:
    explicit ini_reader(ini_file& into) : into_(into) {}

    void read(const std::string& file, const place* named_at, int depth)
    {
        std::string text;
        std::string why;
        if (!read_file(file, text, why)) {
            into_.errors.push_back((named_at ? named_at->text() + ": " : std::string()) +
                                   "cannot read " + file + ": " + why);
            return;
        }
        place at{file, 0};
        std::string_view left = text;
        while (!left.empty()) {
            const auto end = std::min(left.find('\n'), left.size());
            ++at.line;
            read_line(trimmed(left.substr(0, end)), at, depth);
            left.remove_prefix(std::min(end + 1, left.size()));
        }
    }

private:
    void fail(const place& at, std::string_view text)
    {
        into_.errors.push_back(at.text() + ": " + std::string(text));
    }

    void read_line(std::string_view line, const place& at, int depth)
    {
        if (line.empty() || line.front() == ';' || line.front() == '#')
            return;
        if (line.front() == '%') {
            include(line, at, depth);
        } else if (line.front() == '[') {
            if (line.back() != ']')
                fail(at, "a section reads [name]");
            section_ = lower(trimmed(line.substr(1, line.size() - 1 - (line.back() == ']'))));
        } else {
            read_setting(line, at);
        }
    }

    void include(std::string_view line, const place& at, int depth)
    {
        constexpr std::string_view word = "%include";
        if (!line.starts_with(word) || line.size() == word.size() ||
            blanks.find(line[word.size()]) == std::string_view::npos)
            return fail(at, "after % only `%include FILE` is known");
        if (depth >= depth_max)
            return fail(at, "files include each other more than 10 deep");
        read(beside(at.file, std::string(trimmed(line.substr(word.size())))), &at, depth + 1);
    }

    void read_setting(std::string_view line, const place& at)
    {
        std::string key;
        std::string_view rest;
        if (line.front() == '"') {
            auto name = quoted(line, '"', rest);
            if (!name)
                return fail(at, "a quote is not closed");
            key = std::move(*name);
        } else {
            const auto equals = std::min(line.find('='), line.size());
            key = trimmed(line.substr(0, equals));
            rest = line.substr(equals);
        }
        rest = trimmed(rest);
        if (key.empty() || rest.empty() || rest.front() != '=')
            return fail(at, "a line reads key = value");
        if (section_.empty())
            return fail(at, "stands before the first [section]");
        into_.entries.push_back({section_, key, std::string(trimmed(rest.substr(1))), at});
    }

    ini_file& into_;
    std::string section_;
};

}  // namespace

std::string_view trimmed(std::string_view text) noexcept
{
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text)
{
    std::string made(text);
    for (auto& c : made)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return made;
}

std::string beside(const std::string& named_in, const std::string& name)
{
    namespace fs = std::filesystem;
    std::error_code ec;
    if (name.empty() || fs::path(name).is_absolute())
        return name;
    const auto near = fs::path(named_in).parent_path() / name;
    if (!fs::exists(near, ec) && fs::exists(name, ec))
        return fs::absolute(name, ec).lexically_normal().string();
    return near.string();
}

ini_file read_ini(const std::string& file)
{
    ini_file made;
    ini_reader(made).read(file, nullptr, 0);
    return made;
}

user_list read_user_list(const std::string& file)
{
    user_list made;
    std::string text;
    std::string why;
    if (!read_file(file, text, why)) {
        made.errors.push_back("cannot read " + file + ": " + why);
        return made;
    }
    place at{file, 0};
    std::string_view left = text;
    while (!left.empty()) {
        const auto end = std::min(left.find('\n'), left.size());
        std::string_view line = trimmed(left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
        ++at.line;
        // PgBouncer passes over what does not begin with a quote, too.
        if (line.empty() || line.front() != '"')
            continue;
        std::string_view rest;
        const auto name = quoted(line, '"', rest);
        rest = trimmed(rest);
        std::string_view ignored;
        const auto password = name && !rest.empty() && rest.front() == '"'
                                  ? quoted(rest, '"', ignored)
                                  : std::nullopt;
        if (!password || name->empty())
            made.errors.push_back(at.text() + ": a line reads \"user\" \"password\"");
        else
            made.users.push_back({*name, *password, at});
    }
    return made;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_connection_string(
    std::string_view text)
{
    std::vector<std::pair<std::string, std::string>> made;
    for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
        const auto equals = text.find('=');
        if (equals == std::string_view::npos)
            return std::nullopt;
        const auto key = trimmed(text.substr(0, equals));
        if (key.empty() || key.find_first_of(blanks) != std::string_view::npos)
            return std::nullopt;
        text = trimmed(text.substr(equals + 1));
        std::string value;
        if (!text.empty() && text.front() == '\'') {
            std::string_view rest;
            auto inside = quoted(text, '\'', rest);
            if (!inside)
                return std::nullopt;
            value = std::move(*inside);
            text = rest;
        } else {
            const auto end = std::min(text.find_first_of(blanks), text.size());
            value = text.substr(0, end);
            text.remove_prefix(end);
        }
        made.emplace_back(lower(key), std::move(value));
    }
    return made;
}

}  // namespace sluice::gateway::importing
