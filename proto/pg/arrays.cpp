// proto/pg/arrays.cpp: PostgreSQL's one-dimensional arrays in text and binary form.
#include "proto/pg/arrays.hpp"

#include <algorithm>
#include <array>

#include "proto/core/reader.hpp"

namespace sluice::pg {
namespace {

struct pair {
    type_oid array;
    type_oid element;
};

constexpr std::array pairs{
    pair{1000, oid::boolean}, pair{1001, oid::bytea},       pair{1002, oid::single_char},
    pair{1003, oid::name},    pair{1005, oid::int2},        pair{1007, oid::int4},
    pair{1009, oid::text},    pair{1014, oid::bpchar},      pair{1015, oid::varchar},
    pair{1016, oid::int8},    pair{1021, oid::float4},      pair{1022, oid::float8},
    pair{1028, oid::oid},     pair{1115, oid::timestamp},   pair{1182, oid::date},
    pair{1183, oid::time},    pair{1185, oid::timestamptz}, pair{1231, oid::numeric},
    pair{2951, oid::uuid},    pair{199, oid::json},         pair{3807, oid::jsonb},
    pair{22, oid::int2},      pair{30, oid::oid},  // int2vector, oidvector
};

bool is_blank(char c) noexcept
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

array_items split_vector(std::string_view text)
{
    array_items out;
    for (std::size_t i = 0; i < text.size();) {
        const auto end = std::min(text.find(' ', i), text.size());
        if (end > i)
            out.emplace_back(std::string(text.substr(i, end - i)));
        i = end + 1;
    }
    return out;
}

// One item from `i` on, up to the comma or brace behind it. False: malformed.
bool read_item(std::string_view text, std::size_t& i, std::optional<std::string>& item)
{
    std::string value;
    bool quoted = false;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && i + 1 < text.size()) {
            value += text[++i];
        } else if (c == '"') {
            quoted = true;
            for (++i; i < text.size() && text[i] != '"'; ++i) {
                if (text[i] == '\\' && i + 1 < text.size())
                    ++i;
                value += text[i];
            }
            if (i == text.size())
                return false;
        } else if (c == ',' || c == '}') {
            break;
        } else if (c == '{') {
            return false;
        } else {
            value += c;
        }
    }
    if (i == text.size())
        return false;
    if (!quoted) {
        while (!value.empty() && is_blank(value.back()))
            value.pop_back();
        if (value.size() == 4 && (value == "NULL" || value == "null" || value == "Null")) {
            item.reset();
            return true;
        }
        if (value.empty())
            return false;
    }
    item = std::move(value);
    return true;
}

bool needs_quotes(std::string_view item) noexcept
{
    if (item.empty() || item.size() == 4)
        if (item.empty() || item == "NULL" || item == "null" || item == "Null")
            return true;
    return std::any_of(item.begin(), item.end(), [](char c) {
        return is_blank(c) || c == '"' || c == '\\' || c == '{' || c == '}' || c == ',';
    });
}

stored_value view_of(const bound_value& value) noexcept
{
    switch (value.index()) {
        case 1:
            return *std::get_if<1>(&value);
        case 2:
            return *std::get_if<2>(&value);
        case 3:
            return std::string_view(*std::get_if<3>(&value));
        case 4:
            return bytes_view(*std::get_if<4>(&value));
        default:
            return std::monostate{};
    }
}

}  // namespace

std::optional<array_items> parse_array(std::string_view text)
{
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    if (!text.starts_with('{'))
        return split_vector(text);
    if (!text.ends_with('}') || text.size() < 2)
        return std::nullopt;
    array_items out;
    std::size_t i = 1;
    while (i < text.size() && is_blank(text[i]))
        ++i;
    if (text[i] == '}')
        return i + 1 == text.size() ? std::optional(out) : std::nullopt;
    for (;; ++i) {
        while (i < text.size() && is_blank(text[i]))
            ++i;
        std::optional<std::string> item;
        if (!read_item(text, i, item))
            return std::nullopt;
        out.push_back(std::move(item));
        if (text[i] == '}')
            break;
    }
    return i + 1 == text.size() ? std::optional(out) : std::nullopt;
}

void append_array_item(std::string& out, const std::optional<std::string>& item)
{
    if (!item) {
        out += "NULL";
        return;
    }
    if (!needs_quotes(*item)) {
        out += *item;
        return;
    }
    out += '"';
    for (const char c : *item) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    out += '"';
}

std::string format_array(const array_items& items)
{
    std::string out = "{";
    for (const auto& item : items) {
        if (out.size() > 1)
            out += ',';
        append_array_item(out, item);
    }
    return out + '}';
}

type_oid element_type(type_oid array) noexcept
{
    const auto at = std::find_if(
        pairs.begin(), pairs.end(), [array](const pair& p) { return p.array == array; });
    return at == pairs.end() ? oid::unspecified : at->element;
}

type_oid array_type(type_oid element) noexcept
{
    const auto at = std::find_if(
        pairs.begin(), pairs.end(), [element](const pair& p) { return p.element == element; });
    return at == pairs.end() ? oid::unspecified : at->array;
}

conversion append_array_binary(byte_queue& out, std::string_view text, type_oid array)
{
    const auto element = element_type(array);
    const auto items = parse_array(text);
    if (element == oid::unspecified || !items)
        return items ? conversion::unsupported : conversion::not_of_type;
    const bool vector = array == 22 || array == 30;
    const bool nulls =
        std::any_of(items->begin(), items->end(), [](const auto& i) { return !i.has_value(); });
    out.append_be(std::uint32_t{items->empty() && !vector ? 0u : 1u});
    out.append_be(std::uint32_t{nulls ? 1u : 0u});
    out.append_be(std::uint32_t{element});
    if (items->empty() && !vector)
        return conversion::ok;
    out.append_be(static_cast<std::uint32_t>(items->size()));
    out.append_be(std::uint32_t{vector ? 0u : 1u});
    for (const auto& item : *items) {
        if (!item) {
            out.append_be(std::uint32_t{0xffffffff});
            continue;
        }
        byte_queue field;
        const auto done = append_value(
            field, stored_value(std::string_view(*item)), element, value_format::binary);
        if (done != conversion::ok)
            return done;
        out.append_be(static_cast<std::uint32_t>(field.size()));
        out.append(field.readable());
    }
    return conversion::ok;
}

conversion read_array_binary(bytes_view sent, std::string& text)
{
    reader in(sent);
    const auto dimensions = in.be<std::uint32_t>();
    (void)in.be<std::uint32_t>();
    const auto element = in.be<std::uint32_t>();
    text.assign(1, '{');
    if (dimensions == 0) {
        text.push_back('}');
        return in.finish() ? conversion::not_of_type : conversion::ok;
    }
    if (dimensions != 1)
        return in.failed() ? conversion::not_of_type : conversion::unsupported;
    const auto count = in.be<std::uint32_t>();
    (void)in.be<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
        const auto length = in.be<std::uint32_t>();
        if (i > 0)
            text += ',';
        if (length == 0xffffffff) {
            text += "NULL";
            continue;
        }
        bound_value value;
        const auto field = in.take(length);
        if (in.failed())
            break;
        auto done = read_value(field, element, value_format::binary, value);
        byte_queue written;
        if (done == conversion::ok)
            done = append_value(written, view_of(value), element, value_format::text);
        if (done != conversion::ok)
            return done;
        append_array_item(text, std::string(as_text(written.readable())));
    }
    text += '}';
    return in.finish() ? conversion::not_of_type : conversion::ok;
}

}  // namespace sluice::pg
