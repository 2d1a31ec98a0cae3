// proto/sql/trace_comment.cpp: traceparent, plain and in sqlcommenter's form.
#include "proto/sql/trace_comment.hpp"

#include <algorithm>

namespace sluice::sql {
namespace {

constexpr std::size_t parent_size = 2 + 1 + 32 + 1 + 16 + 1 + 2;

bool is_hex(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
}

bool all_zeros(std::string_view text) noexcept
{
    return text.find_first_not_of('0') == std::string_view::npos;
}

int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Decodes up to `into.size()` characters; longer ones are cut. Returns how many there are.
std::size_t url_decode(std::string_view text, std::array<char, 128>& into) noexcept
{
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size() && size < into.size(); ++i) {
        char c = text[i];
        if (c == '%' && i + 2 < text.size()) {
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high >= 0 && low >= 0) {
                c = static_cast<char>(high * 16 + low);
                i += 2;
            }
        } else if (c == '\\' && i + 1 < text.size()) {
            c = text[++i];
        }
        into[size++] = c;
    }
    return size;
}

std::string_view trimmed(std::string_view text, std::string_view characters) noexcept
{
    const auto first = text.find_first_not_of(characters);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(characters) - first + 1);
}

// Where the value that begins at `at` ends: the next quote that is not escaped.
std::size_t end_of_value(std::string_view pairs, std::size_t at) noexcept
{
    while (at < pairs.size() && pairs[at] != '\'')
        at += pairs[at] == '\\' ? 2 : 1;
    return std::min(at, pairs.size());
}

}  // namespace

std::optional<trace_parent> parse_traceparent(std::string_view text) noexcept
{
    if (text.size() < parent_size || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return std::nullopt;
    const auto version = text.substr(0, 2);
    const auto trace = text.substr(3, 32);
    const auto parent = text.substr(36, 16);
    const auto flags = text.substr(53, 2);
    if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(flags))
        return std::nullopt;
    if (version == "ff" || all_zeros(trace) || all_zeros(parent))
        return std::nullopt;
    // Later versions may say more behind another dash.
    if (text.size() > parent_size && (version == "00" || text[parent_size] != '-'))
        return std::nullopt;
    trace_parent out;
    std::copy(trace.begin(), trace.end(), out.trace.begin());
    std::copy(parent.begin(), parent.end(), out.parent.begin());
    out.sampled = (hex_value(flags[1]) & 1) != 0;
    return out;
}

std::optional<trace_parent> trace_of(std::string_view statement) noexcept
{
    const auto end = statement.find_last_not_of(" \t\r\n;");
    if (end == std::string_view::npos || end < 3 || statement[end] != '/' ||
        statement[end - 1] != '*')
        return std::nullopt;
    const auto before = end >= trace_comment_max ? end - trace_comment_max : 0;
    auto comment = statement.substr(before, end - 1 - before);
    const auto begin = comment.rfind("/*");
    if (begin == std::string_view::npos)
        return std::nullopt;
    comment.remove_prefix(begin + 2);
    while (!comment.empty()) {
        const auto equals = comment.find('=');
        if (equals == std::string_view::npos)
            return std::nullopt;
        const auto key = trimmed(comment.substr(0, equals), " \t\r\n,");
        const auto quote = comment.find_first_not_of(" \t\r\n", equals + 1);
        if (quote == std::string_view::npos || comment[quote] != '\'')
            return std::nullopt;
        const auto value_end = end_of_value(comment, quote + 1);
        if (key == "traceparent") {
            std::array<char, 128> decoded{};
            const auto size = url_decode(comment.substr(quote + 1, value_end - quote - 1), decoded);
            return parse_traceparent({decoded.data(), size});
        }
        comment.remove_prefix(std::min(value_end + 1, comment.size()));
    }
    return std::nullopt;
}

}  // namespace sluice::sql
