// proto/pg/declared_type.cpp: the PostgreSQL type that a column's declared type promises.
#include "proto/pg/declared_type.hpp"

#include <cctype>
#include <charconv>
#include <string>

namespace sluice::pg {
namespace {

std::string upper(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

}  // namespace

type_oid type_of_declaration(std::string_view declared) noexcept
{
    if (declared.empty() || declared.size() > 200)
        return oid::unspecified;
    if (declared.starts_with("pg_")) {
        type_oid number = 0;
        const auto [end, ec] =
            std::from_chars(declared.data() + 3, declared.data() + declared.size(), number);
        if (ec == std::errc{} && end != declared.data() + declared.size() && *end == ' ')
            return number;
    }
    if (const auto type = type_of_name(declared); type != oid::unspecified)
        return type;
    const auto name = upper(declared);
    const auto has = [&name](std::string_view part) {
        return name.find(part) != std::string::npos;
    };
    if (has("WITH TIME ZONE"))
        return has("STAMP") ? oid::timestamptz : oid::unspecified;
    if (has("STAMP"))
        return oid::timestamp;
    // SQLite sees the INT in it; what is stored there is text.
    if (has("INTERVAL"))
        return oid::text;
    if (has("INT"))
        return oid::int8;
    if (has("CHAR") || has("CLOB") || has("TEXT"))
        return oid::text;
    if (has("BLOB"))
        return oid::bytea;
    if (has("REAL") || has("FLOA") || has("DOUB"))
        return oid::float8;
    return oid::unspecified;
}

std::int32_t modifier_of_declaration(std::string_view declared, type_oid type) noexcept
{
    const auto open = declared.find('(');
    if (open == std::string_view::npos ||
        (type != oid::varchar && type != oid::bpchar && type != oid::numeric))
        return -1;
    const char* end = declared.data() + declared.size();
    const auto number = [end](const char* from, std::int32_t& value) {
        while (from < end && *from == ' ')
            ++from;
        const auto [at, ec] = std::from_chars(from, end, value);
        return ec == std::errc{} && value >= 0 && value < 0x7fff ? at : nullptr;
    };
    std::int32_t first = 0;
    const char* at = number(declared.data() + open + 1, first);
    if (!at || first == 0)
        return -1;
    if (type != oid::numeric)
        return first + 4;
    std::int32_t scale = 0;
    while (at < end && *at == ' ')
        ++at;
    if (at < end && *at == ',' && !number(at + 1, scale))
        return -1;
    return ((first << 16) | scale) + 4;
}

}  // namespace sluice::pg
