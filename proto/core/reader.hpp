// proto/core/reader.hpp: a cursor over a message's fields that remembers the first failure.
//
// Layer: proto. Read the fields in order, ask finish() once at the end. After a failure every
// read returns zero or an empty view, so no field is ever out of bounds.
// Lifetime: returned views point into the bytes given to the constructor.
#pragma once

#include <algorithm>

#include "proto/core/bytes.hpp"
#include "proto/core/errc.hpp"

namespace sluice {

class reader {
public:
    explicit reader(bytes_view bytes) noexcept : rest_(bytes) {}

    template <std::unsigned_integral T>
    T be() noexcept
    {
        const auto field = take(sizeof(T));
        return field.size() == sizeof(T) ? load_be<T>(field.data()) : T{0};
    }

    template <std::unsigned_integral T>
    T le() noexcept
    {
        const auto field = take(sizeof(T));
        return field.size() == sizeof(T) ? load_le<T>(field.data()) : T{0};
    }

    bytes_view take(std::size_t count) noexcept
    {
        if (failed_ || count > rest_.size()) {
            failed_ = true;
            return {};
        }
        const auto field = rest_.first(count);
        rest_ = rest_.subspan(count);
        return field;
    }

    // Up to a zero byte, which is consumed and not part of the result.
    std::string_view cstring() noexcept
    {
        const auto end = std::find(rest_.begin(), rest_.end(), std::byte{0});
        if (failed_ || end == rest_.end()) {
            failed_ = true;
            return {};
        }
        const auto text = as_text(rest_.first(static_cast<std::size_t>(end - rest_.begin())));
        rest_ = rest_.subspan(text.size() + 1);
        return text;
    }

    bytes_view rest() const noexcept { return failed_ ? bytes_view{} : rest_; }
    bool failed() const noexcept { return failed_; }
    // For what only the caller can see is wrong.
    void set_failed() noexcept { failed_ = true; }

    std::error_code finish() const noexcept
    {
        if (failed_)
            return errc::truncated_message;
        return rest_.empty() ? std::error_code{} : make_error_code(errc::trailing_bytes);
    }

private:
    bytes_view rest_;
    bool failed_ = false;
};

}  // namespace sluice
