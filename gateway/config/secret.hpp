// gateway/config/secret.hpp: text that must never reach a log line, an error or a dump.
//
// There is no operator<<, no formatter and no implicit conversion: whoever needs the text says
// reveal(), which is easy to find in a review.
#pragma once

#include <string>
#include <utility>

namespace sluice::gateway {

class secret {
public:
    secret() = default;
    explicit secret(std::string text) : text_(std::move(text)) {}

    const std::string& reveal() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    friend bool operator==(const secret&, const secret&) = default;

private:
    std::string text_;
};

}  // namespace sluice::gateway
