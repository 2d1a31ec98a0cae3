// gateway/log/line.cpp: the text of one log line, without its time and level.
#include "gateway/log/line.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace sluice::gateway::log {
namespace {

// How many bytes of valid UTF-8 `text` starts with as one character; 0: it is not UTF-8.
// The ranges are those of the Unicode standard, table 3-7.
std::size_t utf8_length(std::string_view text) noexcept
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80)
        return 1;
    const std::size_t size = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : (lead & 0xF0) == 0xE0        ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
    if (size == 0 || text.size() < size)
        return 0;
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high)
        return 0;
    for (std::size_t i = 2; i < size; ++i) {
        if ((byte(i) & 0xC0) != 0x80)
            return 0;
    }
    return size;
}

void append(line_buffer& out, std::string_view text)
{
    out.append(text.data(), text.data() + text.size());
}

// The escapes that both forms share; `bad_byte` writes a byte that is not UTF-8.
template <class ControlByte, class BadByte>
void append_escaped(line_buffer& out, std::string_view text, ControlByte control, BadByte bad_byte)
{
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t size = utf8_length(text);
        if (size == 0) {
            bad_byte(c);
            text.remove_prefix(1);
            continue;
        }
        switch (c) {
            case '"':
                append(out, "\\\"");
                break;
            case '\\':
                append(out, "\\\\");
                break;
            case '\n':
                append(out, "\\n");
                break;
            case '\r':
                append(out, "\\r");
                break;
            case '\t':
                append(out, "\\t");
                break;
            default:
                if (c < 0x20 || c == 0x7F)
                    control(c);
                else
                    append(out, text.substr(0, size));
        }
        text.remove_prefix(size);
    }
}

void append_text_escaped(line_buffer& out, std::string_view text)
{
    const auto as_hex = [&](unsigned char c) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    };
    append_escaped(out, text, as_hex, as_hex);
}

void append_json_string(line_buffer& out, std::string_view text)
{
    out.push_back('"');
    append_escaped(
        out,
        text,
        [&](unsigned char c) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", c); },
        [&](unsigned char) { append(out, "\xEF\xBF\xBD"); });
    out.push_back('"');
}

bool needs_quotes(std::string_view text) noexcept
{
    if (text.empty())
        return true;
    for (const char c : text) {
        // char is signed: bytes from 0x80 on count as below the blank, so what is not ASCII is
        // quoted.
        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7F)
            return true;
    }
    return false;
}

void append_text_value(line_buffer& out, const field::value_type& value)
{
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (!needs_quotes(*text)) {
            append(out, *text);
            return;
        }
        out.push_back('"');
        append_text_escaped(out, *text);
        out.push_back('"');
        return;
    }
    std::visit([&](const auto& plain) { fmt::format_to(std::back_inserter(out), "{}", plain); },
               value);
}

void append_json_value(line_buffer& out, const field::value_type& value)
{
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        append_json_string(out, *text);
        return;
    }
    if (const auto* number = std::get_if<double>(&value); number && !std::isfinite(*number)) {
        append(out, "null");
        return;
    }
    std::visit([&](const auto& plain) { fmt::format_to(std::back_inserter(out), "{}", plain); },
               value);
}

}  // namespace

void append_text_line(line_buffer& out, std::string_view message, fields values)
{
    const auto as_hex = [&](unsigned char c) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    };
    // The message is not quoted, so its quotes stay as they are.
    while (!message.empty()) {
        const std::size_t plain = std::min(message.find('"'), message.size());
        append_escaped(out, message.substr(0, plain), as_hex, as_hex);
        message.remove_prefix(plain);
        if (!message.empty()) {
            out.push_back('"');
            message.remove_prefix(1);
        }
    }
    for (const auto& [key, value] : values) {
        out.push_back(' ');
        append(out, key);
        out.push_back('=');
        append_text_value(out, value);
    }
}

void append_json_members(line_buffer& out, std::string_view message, fields values)
{
    append(out, "\"message\":");
    append_json_string(out, message);
    for (const auto& [key, value] : values) {
        out.push_back(',');
        append_json_string(out, key);
        out.push_back(':');
        append_json_value(out, value);
    }
}

}  // namespace sluice::gateway::log
