// gateway/translate/row_encoder.cpp: SQLite's rows as PostgreSQL's DataRow messages.
#include "gateway/translate/row_encoder.hpp"

#include <utility>

#include "gateway/translate/copy_text.hpp"
#include "gateway/translate/result_types.hpp"
#include "proto/pg/declared_type.hpp"
#include "proto/pg/message_writer.hpp"
#include "proto/pg/replies.hpp"

namespace sluice::gateway {
row_encoder::row_encoder(std::shared_ptr<const column_hints> hints,
                         std::vector<std::uint16_t> formats)
    : hints_(std::move(hints)), formats_(std::move(formats))
{
}

void row_encoder::begin_anew(std::shared_ptr<const column_hints> hints,
                             std::vector<std::uint16_t> formats)
{
    hints_ = std::move(hints);
    formats_ = std::move(formats);
    if (shape_ != row_shape::data_row)
        set_copy(row_shape::data_row, {});
    types_.clear();
    announced_ = skips_ = copy_begun_ = announced_before_ = false;
    forget_result();
}

void row_encoder::set_copy(row_shape shape, copy_style style)
{
    shape_ = shape;
    style_ = std::move(style);
}

void row_encoder::announced(std::vector<pg::type_oid> types)
{
    types_ = std::move(types);
    announced_ = true;
}

void row_encoder::dress(std::vector<std::uint16_t> formats, bool announced)
{
    formats_ = std::move(formats);
    announced_ = announced;
}

std::uint16_t row_encoder::format_of(std::size_t column) const noexcept
{
    if (shape_ == row_shape::copy_binary)
        return 1;
    if (formats_.empty())
        return 0;
    return formats_[formats_.size() == 1 ? 0 : column];
}

void row_encoder::complete_types(const sqlite::statement_info& info, const sqlite::row_view* row)
{
    if (!types_.empty() && types_.size() == info.columns.size())
        return;  // told before
    types_ = result_types(info, *hints_);
    for (std::size_t i = 0; i < types_.size(); ++i)
        if (types_[i] == pg::oid::unspecified)
            types_[i] = row ? type_of_value(row->type(static_cast<int>(i))) : pg::oid::text;
}

void row_encoder::announce(const sqlite::statement_info& info)
{
    announced_ = true;
    if (shape_ != row_shape::data_row) {
        const auto columns = static_cast<std::uint16_t>(info.columns.size());
        pg::append_copy_out(chunk_, columns, shape_ == row_shape::copy_binary);
        if (style_.header)
            append_copy_header(chunk_, info, shape_, style_);
        return;
    }
    std::vector<pg::column_description> columns;
    for (std::size_t i = 0; i < types_.size(); ++i) {
        pg::column_description column;
        column.name = result_name(info, *hints_, i);
        column.type = types_[i];
        column.size = pg::type_size(types_[i]);
        column.modifier = pg::modifier_of_declaration(info.columns[i].declared_type, types_[i]);
        column.format = format_of(i);
        columns.push_back(column);
    }
    pg::append_row_description(chunk_, columns);
}

byte_queue row_encoder::take_rest(const sqlite::statement_info* info)
{
    if (!announced_ && info && info->returns_rows()) {
        complete_types(*info, nullptr);
        announce(*info);
    }
    return std::exchange(chunk_, byte_queue());
}

sqlite::row_sink::verdict row_encoder::on_row(const sqlite::row_view& row)
{
    if (skips_)
        return verdict::go_on;
    const auto count = static_cast<std::size_t>(row.count());
    if (!announced_ && info_) {
        complete_types(*info_, &row);
        if (formats_.size() > 1 && formats_.size() != count) {
            failure_.sqlstate = "08P01";
            failure_.message = "Bind has " + std::to_string(formats_.size()) +
                               " result formats but the statement returns " +
                               std::to_string(count) + " columns";
            return verdict::stop;
        }
        announce(*info_);
    }
    if (types_.size() != count) {
        failure_.sqlstate = "0A000";
        failure_.message = "cached plan must not change result type";
        return verdict::stop;
    }
    if (!scales_known_)
        look_at_scales();
    bool done = false;
    if (shape_ == row_shape::data_row)
        done = encode(row);
    else
        done = shape_ == row_shape::copy_binary ? encode_copy_binary(row) : encode_copy(row);
    if (!done)
        return verdict::stop;
    return pass_on();
}

void row_encoder::on_columns(const sqlite::statement_info& info)
{
    row_stream::on_columns(info);
    scales_known_ = false;
}

// NUMERIC(10,2) shows 12.50, however the file has it.
void row_encoder::look_at_scales()
{
    scales_known_ = true;
    scales_.clear();
    if (!info_ || info_->columns.size() != types_.size())
        return;
    for (std::size_t i = 0; i < types_.size(); ++i) {
        if (types_[i] != pg::oid::numeric)
            continue;
        const auto modifier =
            pg::modifier_of_declaration(info_->columns[i].declared_type, types_[i]);
        if (const int scale = pg::scale_of_modifier(modifier); scale > 0) {
            scales_.resize(types_.size());
            scales_[i] = scale;
        }
    }
}

int row_encoder::scale_of(std::size_t column) const noexcept
{
    return scales_.empty() ? 0 : scales_[column];
}

void row_encoder::hold(bool on)
{
    if (on && !held_)
        announced_before_ = announced_;
    row_stream::hold(on);
}

void row_encoder::rewind()
{
    chunk_.clear();
    announced_ = announced_before_;
    if (!announced_) {
        types_.clear();
        copy_begun_ = false;
    }
    failure_ = {};
}

bool row_encoder::encode(const sqlite::row_view& row)
{
    pg::data_row message(chunk_, static_cast<std::uint16_t>(types_.size()));
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const int column = static_cast<int>(i);
        const auto value = stored_in(row, column);
        if (std::holds_alternative<std::monostate>(value)) {
            message.null();
            continue;
        }
        message.begin_field();
        const auto format = static_cast<pg::value_format>(format_of(i));
        const auto done = pg::append_value(chunk_, value, types_[i], format, scale_of(i));
        if (done != pg::conversion::ok) {
            fail(row, column, done);
            return false;
        }
        message.end_field();
    }
    message.end();
    return true;
}

bool row_encoder::encode_copy(const sqlite::row_view& row)
{
    byte_queue field;
    field.keep(chunk_size);
    const auto before = chunk_.size();
    pg::message_writer message(chunk_, 'd');
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const int column = static_cast<int>(i);
        if (i > 0)
            chunk_.append_byte(style_.delimiter);
        const auto value = stored_in(row, column);
        if (std::holds_alternative<std::monostate>(value)) {
            chunk_.append(style_.null);
            continue;
        }
        field.clear();
        const auto done =
            pg::append_value(field, value, types_[i], pg::value_format::text, scale_of(i));
        if (done != pg::conversion::ok) {
            fail(row, column, done);
            // An empty CopyData is harmless; half a line is not.
            chunk_.shrink(chunk_.size() - before - 5);
            return false;
        }
        append_copy_field(chunk_, as_text(field.readable()), shape_, style_);
    }
    chunk_.append_byte('\n');
    return true;
}

// The header goes with the first row, as PostgreSQL sends it: clients look for it there.
bool row_encoder::encode_copy_binary(const sqlite::row_view& row)
{
    const auto before = chunk_.size();
    pg::message_writer message(chunk_, 'd');
    if (!std::exchange(copy_begun_, true))
        chunk_.append(copy_binary_header);
    message.u16(static_cast<std::uint16_t>(types_.size()));
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const int column = static_cast<int>(i);
        const auto value = stored_in(row, column);
        const auto length_at = chunk_.size();
        message.u32(0xffffffff);
        if (std::holds_alternative<std::monostate>(value))
            continue;
        const auto done =
            pg::append_value(chunk_, value, types_[i], pg::value_format::binary, scale_of(i));
        if (done != pg::conversion::ok) {
            fail(row, column, done);
            chunk_.shrink(chunk_.size() - before - 5);
            return false;
        }
        store_be(chunk_.mutable_data() + length_at,
                 static_cast<std::uint32_t>(chunk_.size() - length_at - 4));
    }
    return true;
}

byte_queue row_encoder::copy_binary_end() const
{
    byte_queue out;
    if (!copy_begun_)
        out.append(copy_binary_header);
    out.append(copy_binary_trailer);
    return out;
}

void row_encoder::fail(const sqlite::row_view& row, int column, pg::conversion why)
{
    const auto type = types_[static_cast<std::size_t>(column)];
    refuse_value(row, column, pg::type_name(type), why);
}

}  // namespace sluice::gateway
