// gateway/translate/copy_text.cpp: COPY's text and CSV formats.
#include "gateway/translate/copy_text.hpp"

#include "proto/pg/message_writer.hpp"

namespace sluice::gateway {
namespace {

// What stands behind a backslash for a character, and back.
constexpr std::string_view escaped = "\b\f\n\r\t\v\\";
constexpr std::string_view letters = "bfnrtv\\";

void append_text_field(byte_queue& out, std::string_view value, char delimiter)
{
    for (const char c : value) {
        const auto at = escaped.find(c);
        if (at != std::string_view::npos) {
            out.append_byte('\\');
            out.append_byte(letters[at]);
        } else {
            if (c == delimiter)
                out.append_byte('\\');
            out.append_byte(c);
        }
    }
}

void append_csv_field(byte_queue& out, std::string_view value, const copy_style& style)
{
    const char special[] = {style.delimiter, style.quote, '\n', '\r'};
    const bool quoted = value == style.null || value == "\\." ||
                        value.find_first_of(std::string_view(special, 4)) != std::string_view::npos;
    if (!quoted) {
        out.append(value);
        return;
    }
    out.append_byte(style.quote);
    for (const char c : value) {
        if (c == style.quote)
            out.append_byte(c);
        out.append_byte(c);
    }
    out.append_byte(style.quote);
}

std::optional<std::string> text_field(std::string_view raw, const copy_style& style)
{
    if (raw == style.null)
        return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\' || i + 1 == raw.size()) {
            out.push_back(raw[i]);
            continue;
        }
        const char c = raw[++i];
        const auto at = letters.find(c);
        out.push_back(at == std::string_view::npos ? c : escaped[at]);
    }
    return out;
}

copy_fields split_text(std::string_view line, const copy_style& style)
{
    copy_fields fields;
    std::size_t from = 0;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        if (i < line.size() && line[i] == '\\') {
            ++i;
            continue;
        }
        if (i >= line.size() || line[i] == style.delimiter) {
            fields.push_back(text_field(line.substr(from, i - from), style));
            from = i + 1;
        }
    }
    return fields;
}

copy_fields split_csv(std::string_view line, const copy_style& style)
{
    copy_fields fields;
    std::string field;
    bool was_quoted = false;
    bool inside = false;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        const bool end = i == line.size();
        const char c = end ? style.delimiter : line[i];
        if (!end && inside) {
            if (c != style.quote)
                field.push_back(c);
            else if (i + 1 < line.size() && line[i + 1] == style.quote)
                field.push_back(line[i++]);
            else
                inside = false;
        } else if (!end && c == style.quote) {
            inside = was_quoted = true;
        } else if (end || c == style.delimiter) {
            if (!was_quoted && field == style.null)
                fields.push_back(std::nullopt);
            else
                fields.push_back(field);
            field.clear();
            was_quoted = inside = false;
        } else {
            field.push_back(c);
        }
    }
    return fields;
}

}  // namespace

void append_copy_field(byte_queue& out,
                       std::string_view value,
                       row_shape shape,
                       const copy_style& style)
{
    if (shape == row_shape::copy_csv)
        append_csv_field(out, value, style);
    else
        append_text_field(out, value, style.delimiter);
}

void append_copy_header(byte_queue& out,
                        const sqlite::statement_info& info,
                        row_shape shape,
                        const copy_style& style)
{
    pg::message_writer message(out, 'd');
    bool first = true;
    for (const auto& column : info.columns) {
        if (!first)
            out.append_byte(style.delimiter);
        first = false;
        append_copy_field(out, column.name, shape, style);
    }
    out.append_byte('\n');
}

std::optional<std::string_view> next_copy_line(std::string_view& data,
                                               row_shape shape,
                                               const copy_style& style,
                                               bool last)
{
    bool inside = false;
    std::size_t i = 0;
    for (; i < data.size(); ++i) {
        if (shape == row_shape::copy_csv && data[i] == style.quote)
            inside = !inside;
        else if (shape == row_shape::copy_text && data[i] == '\\')
            ++i;  // an escaped line end is data
        else if (data[i] == '\n' && !inside)
            break;
    }
    if (i >= data.size() && (!last || data.empty()))
        return std::nullopt;
    i = std::min(i, data.size());
    auto line = data.substr(0, i);
    data.remove_prefix(std::min(i + 1, data.size()));
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

copy_fields split_copy_line(std::string_view line, row_shape shape, const copy_style& style)
{
    return shape == row_shape::copy_csv ? split_csv(line, style) : split_text(line, style);
}

}  // namespace sluice::gateway
