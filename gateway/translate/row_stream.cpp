// gateway/translate/row_stream.cpp: values that are not what their column promises.
#include "gateway/translate/row_stream.hpp"

namespace sluice::gateway {
namespace {

std::string_view class_name(sqlite::value_type type) noexcept
{
    switch (type) {
        case sqlite::value_type::integer:
            return "an integer";
        case sqlite::value_type::real:
            return "a real";
        case sqlite::value_type::text:
            return "text";
        case sqlite::value_type::blob:
            return "a blob";
        case sqlite::value_type::null:
            break;
    }
    return "NULL";
}

}  // namespace

pg::stored_value stored_in(const sqlite::row_view& row, int column)
{
    switch (row.type(column)) {
        case sqlite::value_type::integer:
            return row.integer(column);
        case sqlite::value_type::real:
            return row.real(column);
        case sqlite::value_type::text:
            return row.text(column);
        case sqlite::value_type::blob:
            return bytes_view(row.blob(column));
        case sqlite::value_type::null:
            break;
    }
    return std::monostate{};
}

void row_stream::refuse_value(const sqlite::row_view& row,
                              int column,
                              std::string_view type_name,
                              pg::conversion why)
{
    const auto& info = row.column(column);
    const bool from_table = !info.table.empty();
    const auto name = from_table ? info.table + "." + info.column : info.name;
    failure_ = {};
    failure_.sqlstate = why == pg::conversion::not_utf8      ? "22021"
                        : why == pg::conversion::unsupported ? "0A000"
                        : from_table                         ? "22P02"
                                                             : "42804";
    failure_.message = "column " + name + " promises " + std::string(type_name) + " but holds " +
                       std::string(class_name(row.type(column)));
    if (row.type(column) == sqlite::value_type::text && why != pg::conversion::not_utf8)
        failure_.message += " \"" + std::string(row.text(column).substr(0, 60)) + "\"";
    if (row.type(column) == sqlite::value_type::integer)
        failure_.message += " " + std::to_string(row.integer(column));
    if (const auto rowid = row.rowid(column))
        failure_.message += " (rowid " + std::to_string(*rowid) + ")";
    if (why == pg::conversion::not_utf8)
        failure_.message += " that is not valid UTF-8 or has a zero byte";
    failure_.hint = from_table
                        ? "SQLite stores any value in any column unless the table is STRICT; "
                          "correct the value, or CAST the column in the query."
                        : "CAST the expression in the query to give every row one type.";
    failure_.table = info.table;
    failure_.column = info.column;
}

}  // namespace sluice::gateway
