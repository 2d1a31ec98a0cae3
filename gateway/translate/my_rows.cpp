// gateway/translate/my_rows.cpp: SQLite's rows as MySQL's packets.
#include "gateway/translate/my_rows.hpp"

#include <utility>

#include "proto/mysql/column_types.hpp"

namespace sluice::gateway {
namespace {

namespace flag = mysql::column_flag;
using mysql::column_type;

constexpr std::uint32_t text_length = 65535 * 4;

mysql::value_shape integer_shape()
{
    mysql::value_shape out;
    out.type = column_type::longlong;
    out.length = 20;
    return out;
}

mysql::value_shape real_shape()
{
    mysql::value_shape out;
    out.type = column_type::double_;
    out.length = 22;
    out.decimals = mysql::any_decimals;
    return out;
}

mysql::value_shape text_shape()
{
    mysql::value_shape out;
    out.length = text_length;
    return out;
}

mysql::value_shape bytes_shape()
{
    mysql::value_shape out;
    out.type = column_type::blob;
    out.binary = true;
    out.length = text_length;
    return out;
}

bool shape_of_hint(pg::type_oid type, mysql::value_shape& out)
{
    switch (type) {
        case pg::oid::int8:
        case pg::oid::int4:
        case pg::oid::int2:
        case pg::oid::oid:
        case pg::oid::boolean:
            out = integer_shape();
            return true;
        case pg::oid::float8:
        case pg::oid::float4:
            out = real_shape();
            return true;
        case pg::oid::text:
        case pg::oid::name:
            out = text_shape();
            return true;
        case pg::oid::timestamptz:
        case pg::oid::timestamp:
            out = mysql::read_declared_type("DATETIME").shape;
            return true;
        case pg::oid::date:
            out = mysql::read_declared_type("DATE").shape;
            return true;
        default:
            return false;
    }
}

mysql::value_shape shape_of_value(sqlite::value_type stored)
{
    switch (stored) {
        case sqlite::value_type::integer:
            return integer_shape();
        case sqlite::value_type::real:
            return real_shape();
        case sqlite::value_type::blob:
            return bytes_shape();
        case sqlite::value_type::null:
        case sqlite::value_type::text:
            break;
    }
    return text_shape();
}

bool is_character(column_type type) noexcept
{
    return type == column_type::var_string || type == column_type::string ||
           type == column_type::blob || type == column_type::json;
}

std::string_view type_words(const mysql::value_shape& shape) noexcept
{
    switch (shape.type) {
        case column_type::tiny:
            return "a boolean (tinyint(1))";
        case column_type::longlong:
            return shape.is_unsigned ? "an unsigned integer" : "an integer";
        case column_type::double_:
            return "a double";
        case column_type::newdecimal:
            return "a decimal";
        case column_type::date:
            return "a date";
        case column_type::time:
            return "a time";
        case column_type::datetime:
        case column_type::timestamp:
            return "a datetime";
        default:
            return "text";
    }
}

}  // namespace

std::vector<my_column> my_columns(const sqlite::statement_info& info, const my_hints& hints)
{
    std::vector<my_column> out;
    for (std::size_t i = 0; i < info.columns.size(); ++i) {
        const auto& column = info.columns[i];
        auto& made = out.emplace_back();
        made.shape = text_shape();
        if (column.is_rowid) {
            made.shape = integer_shape();
            made.known = true;
            made.flags = flag::primary_key | flag::auto_increment | flag::not_null;
        } else {
            made.known = mysql::shape_of_declaration(column.declared_type, made.shape);
        }
        if (!made.known) {
            made.shape = text_shape();
            made.known = hints.types.size() == info.columns.size() &&
                         column.declared_type.empty() &&
                         shape_of_hint(hints.types[i].type, made.shape);
        }
        const bool never_null =
            hints.never_null.size() == info.columns.size() && hints.never_null[i];
        if (column.not_null || never_null)
            made.flags |= flag::not_null;
    }
    return out;
}

void append_my_columns(byte_queue& out,
                       std::uint8_t& sequence,
                       const std::vector<my_column>& columns,
                       const sqlite::statement_info& info,
                       const my_hints& hints,
                       const std::string& database)
{
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto& from = info.columns[i];
        const auto& [shape, known, flags] = columns[i];
        mysql::column of;
        if (!from.table.empty()) {
            of.schema = database;
            of.table = of.org_table = from.table;
            of.org_name = from.column;
        }
        of.name = hints.names.size() == columns.size() ? hints.names[i] : from.name;
        of.type = shape.type;
        of.length = shape.length;
        of.decimals = shape.decimals;
        of.flags = flags;
        const bool text = is_character(shape.type) && !shape.binary;
        if (!text) {
            of.collation = mysql::collation::binary;
            of.flags |= flag::binary;
        }
        if (shape.type == column_type::blob)
            of.flags |= flag::blob;
        if (shape.is_unsigned)
            of.flags |= flag::is_unsigned;
        if (shape.type == column_type::longlong || shape.type == column_type::tiny ||
            shape.type == column_type::double_ || shape.type == column_type::newdecimal)
            of.flags |= flag::numeric;
        mysql::append_column(out, sequence, of);
    }
}

my_rows::my_rows(std::shared_ptr<const my_hints> hints, wire how)
    : hints_(std::move(hints)), how_(std::move(how))
{
}

void my_rows::announce(const sqlite::statement_info& info, const sqlite::row_view* row)
{
    announced_ = true;
    columns_ = my_columns(info, *hints_);
    for (std::size_t i = 0; i < columns_.size(); ++i)
        if (!columns_[i].known && row)
            columns_[i].shape = shape_of_value(row->type(static_cast<int>(i)));
    mysql::append_column_count(chunk_, sequence, columns_.size());
    append_my_columns(chunk_, sequence, columns_, info, *hints_, how_.database);
    mysql::append_end_of_columns(chunk_, sequence, {0, how_.status}, how_.capabilities);
}

byte_queue my_rows::take_rest(const sqlite::statement_info* info)
{
    if (!announced_ && info && info->returns_rows())
        announce(*info, nullptr);
    return std::exchange(chunk_, byte_queue());
}

byte_queue my_rows::take_held_row()
{
    byte_queue out;
    if (waiting_)
        mysql::append_message(out, held_row_.readable(), sequence);
    waiting_ = false;
    held_row_ = byte_queue();
    return out;
}

sqlite::row_sink::verdict my_rows::on_row(const sqlite::row_view& row)
{
    const auto count = static_cast<std::size_t>(row.count());
    if (!announced_ && info_)
        announce(*info_, &row);
    if (columns_.size() != count) {
        failure_.sqlstate = "0A000";
        failure_.message = "the table has changed: prepare the statement anew";
        return verdict::stop;
    }
    if (!encode(row))
        return verdict::stop;
    return pass_on();
}

void my_rows::hold(bool on)
{
    row_stream::hold(on);
    if (on)
        before_ = {announced_, holding_, sequence};
}

void my_rows::rewind()
{
    chunk_.clear();
    announced_ = before_.announced;
    holding_ = before_.holding;
    sequence = before_.sequence;
    waiting_ = false;
    held_row_.clear();
    failure_ = {};
}

bool my_rows::encode(const sqlite::row_view& row)
{
    const auto before = chunk_.size();
    const auto sequence_before = sequence;
    bool good = true;
    {
        mysql::packet_writer packet(chunk_, sequence);
        good = how_.format == mysql::row_format::text ? encode_text(row, packet)
                                                      : encode_binary(row, packet);
    }
    if (!good) {
        chunk_.shrink(chunk_.size() - before);
        sequence = sequence_before;
        return false;
    }
    if (!holding_)
        return true;
    // Back out of the stream: the row waits for its COM_STMT_FETCH.
    holding_ = false;
    waiting_ = true;
    const auto scanned =
        mysql::next_message(chunk_.readable().subspan(before), std::size_t{1} << 31);
    if (scanned && scanned->missing == 0)
        mysql::append_payload(held_row_, scanned->found);
    chunk_.shrink(chunk_.size() - before);
    sequence = sequence_before;
    return true;
}

bool my_rows::refuse(const sqlite::row_view& row, std::size_t column, mysql::conversion why)
{
    refuse_value(row, static_cast<int>(column), type_words(columns_[column].shape), why);
    return false;
}

bool my_rows::encode_text(const sqlite::row_view& row, mysql::packet_writer& packet)
{
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const auto value = stored_in(row, static_cast<int>(i));
        if (std::holds_alternative<std::monostate>(value)) {
            packet.null();
            continue;
        }
        const auto done =
            mysql::append_value(packet.out(), value, columns_[i].shape, mysql::row_format::text);
        if (done != mysql::conversion::ok)
            return refuse(row, i, done);
    }
    return true;
}

bool my_rows::encode_binary(const sqlite::row_view& row, mysql::packet_writer& packet)
{
    constexpr std::size_t bitmap_offset = 2;
    packet.u8(0);
    auto& out = packet.out();
    const auto bitmap = out.size();
    packet.zeros((columns_.size() + 7 + bitmap_offset) / 8);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const auto value = stored_in(row, static_cast<int>(i));
        if (std::holds_alternative<std::monostate>(value)) {
            const auto bit = i + bitmap_offset;
            out.mutable_data()[bitmap + bit / 8] |= std::byte{1} << (bit % 8);
            continue;
        }
        const auto done =
            mysql::append_value(out, value, columns_[i].shape, mysql::row_format::binary);
        if (done != mysql::conversion::ok)
            return refuse(row, i, done);
    }
    return true;
}

}  // namespace sluice::gateway
