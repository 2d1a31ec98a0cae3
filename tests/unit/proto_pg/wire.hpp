// tests/unit/proto_pg/wire.hpp: bytes in tests: hex pairs, 'text', blanks ignored.
#pragma once

#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "proto/core/bytes.hpp"

namespace sluice::test {

class wire_bytes {
public:
    explicit wire_bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    operator bytes_view() const noexcept { return as_bytes(bytes_); }
    std::string_view text() const noexcept { return bytes_; }
    std::size_t size() const noexcept { return bytes_.size(); }

private:
    std::string bytes_;
};

inline wire_bytes wire(std::string_view notation)
{
    std::string out;
    int nibble = -1;
    bool quoted = false;
    for (const char c : notation) {
        if (c == '\'') {
            quoted = !quoted;
            continue;
        }
        if (quoted) {
            out.push_back(c);
            continue;
        }
        if (c == ' ' || c == '\n')
            continue;
        const auto at = std::string_view("0123456789abcdef").find(c);
        if (at == std::string_view::npos)
            throw std::invalid_argument("not a hex digit in wire()");
        const int digit = static_cast<int>(at);
        if (nibble < 0) {
            nibble = digit;
        } else {
            out.push_back(static_cast<char>(nibble << 4 | digit));
            nibble = -1;
        }
    }
    return wire_bytes(out);
}

// Each proper prefix in a heap block of its exact size, so that ASan sees a read past the end.
inline void for_every_prefix(bytes_view whole, const std::function<void(bytes_view)>& check)
{
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto block = std::make_unique<std::byte[]>(size);
        std::memcpy(block.get(), whole.data(), size);
        check(bytes_view(block.get(), size));
    }
}

}  // namespace sluice::test
