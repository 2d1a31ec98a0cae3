// proto/core/result.hpp: a value or a std::error_code; the names of std::expected, which GCC 12
// does not have.
//
// Layer: proto. `if (!r) return fail(r.error());` passes a failure on.
#pragma once

#include <system_error>
#include <utility>
#include <variant>

namespace sluice {

struct failure {
    std::error_code code;
};

inline failure fail(std::error_code code) noexcept { return {code}; }

template <class T>
class [[nodiscard]] result {
public:
    result(T value) noexcept : state_(std::in_place_index<0>, std::move(value)) {}
    result(failure f) noexcept : state_(std::in_place_index<1>, f.code) {}

    explicit operator bool() const noexcept { return state_.index() == 0; }
    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    // Empty on success.
    std::error_code error() const noexcept
    {
        const auto* code = std::get_if<1>(&state_);
        return code ? *code : std::error_code{};
    }

private:
    std::variant<T, std::error_code> state_;
};

}  // namespace sluice
