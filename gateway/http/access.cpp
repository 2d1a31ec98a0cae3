// gateway/http/access.cpp: tokens, cookies, hosts.
#include "gateway/http/access.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace sluice::gateway {
namespace {

std::string random_word()
{
    std::array<unsigned char, 24> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("there is no randomness");
    static constexpr char digits[] = "0123456789abcdef";
    std::string word;
    for (const auto byte : bytes) {
        word += digits[byte >> 4];
        word += digits[byte & 15];
    }
    return word;
}

std::string_view without_port(std::string_view host) noexcept
{
    if (host.starts_with('['))
        return host.substr(1, host.find(']') == std::string_view::npos ? 0 : host.find(']') - 1);
    return host.substr(0, host.rfind(':'));
}

bool is_loopback_name(std::string_view name) noexcept
{
    return name == "localhost" || name == "::1" ||
           (name.starts_with("127.") &&
            name.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace

http_access::http_access(std::string token, std::string host)
    : token_(std::move(token)), host_(std::move(host))
{
}

bool http_access::is_token(std::string_view text) const noexcept
{
    return !token_.empty() && text.size() == token_.size() &&
           CRYPTO_memcmp(text.data(), token_.data(), text.size()) == 0;
}

bool http_access::host_is_ours(std::string_view host) const noexcept
{
    const auto name = without_port(host);
    return is_loopback_name(name) || (!host_.empty() && name == host_);
}

http_access::visitor http_access::who(const request& asking, clock::time_point now)
{
    visitor found;
    constexpr std::string_view bearer = "Bearer ";
    if (token_.empty())
        found.may_look = host_is_ours(asking.host);
    else if (asking.authorization.starts_with(bearer))
        found.may_look = is_token(asking.authorization.substr(bearer.size()));
    const std::scoped_lock lock(mutex_);
    const auto known = sessions_.find(asking.cookie);
    if (known == sessions_.end())
        return found;
    if (now - known->second.used > session_time) {
        sessions_.erase(known);
        return found;
    }
    known->second.used = now;
    if (!token_.empty())
        found.may_look = true;
    if (found.may_look) {
        found.admin = known->second.admin;
        found.word = known->second.word;
    }
    return found;
}

std::string http_access::begin(std::string admin, clock::time_point now)
{
    auto cookie = random_word();
    auto word = random_word();
    const std::scoped_lock lock(mutex_);
    if (sessions_.size() >= sessions_max)
        sessions_.erase(
            std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
                return a.second.used < b.second.used;
            }));
    sessions_[cookie] = {std::move(admin), std::move(word), now};
    return cookie;
}

void http_access::end(std::string_view cookie)
{
    const std::scoped_lock lock(mutex_);
    if (const auto found = sessions_.find(cookie); found != sessions_.end())
        sessions_.erase(found);
}

std::string_view cookie_value(std::string_view header, std::string_view name) noexcept
{
    while (!header.empty()) {
        const auto end = std::min(header.find(';'), header.size());
        auto one = header.substr(0, end);
        header.remove_prefix(std::min(end + 1, header.size()));
        one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
        if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
            return one.substr(name.size() + 1);
    }
    return {};
}

}  // namespace sluice::gateway
