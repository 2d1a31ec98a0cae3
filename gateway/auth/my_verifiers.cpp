// gateway/auth/my_verifiers.cpp: verifiers for MySQL's authentication.
#include "gateway/auth/my_verifiers.hpp"

#include <charconv>

namespace sluice::gateway {

std::optional<mysql::sha256_digest> parse_sha2_verifier(std::string_view text)
{
    mysql::sha256_digest made{};
    if (!text.starts_with(sha2_verifier_prefix))
        return std::nullopt;
    text.remove_prefix(sha2_verifier_prefix.size());
    if (text.size() != made.size() * 2)
        return std::nullopt;
    for (std::size_t i = 0; i < made.size(); ++i) {
        unsigned char value = 0;
        const char* first = text.data() + 2 * i;
        const auto [end, ec] = std::from_chars(first, first + 2, value, 16);
        if (ec != std::errc{} || end != first + 2)
            return std::nullopt;
        made[i] = static_cast<std::byte>(value);
    }
    return made;
}

std::string format_sha2_verifier(const mysql::sha256_digest& stage2)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(sha2_verifier_prefix);
    for (const auto byte : stage2) {
        const auto value = std::to_integer<unsigned>(byte);
        text += {digits[value >> 4], digits[value & 15]};
    }
    return text;
}

}  // namespace sluice::gateway
