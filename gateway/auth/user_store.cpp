// gateway/auth/user_store.cpp: who may log in, and what is kept to check it.
#include "gateway/auth/user_store.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>
#include <utility>

#include "gateway/auth/my_verifiers.hpp"
#include "proto/pg/md5.hpp"

namespace sluice::gateway {

namespace {

constexpr std::string_view scram_prefix = "SCRAM-SHA-256$";

void erase_text(std::string& text) noexcept
{
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

}  // namespace

std::string make_auth_secret()
{
    std::array<std::byte, 32> bytes{};
    if (!pg::fill_random(bytes))
        throw std::runtime_error("no random bytes for the authentication secret");
    return std::string(as_text(bytes));
}

std::string password_problem(std::string_view password)
{
    if (password.empty())
        return "an empty password can never be used";
    if (password.find('\0') != std::string_view::npos)
        return "a password cannot contain a zero byte";
    // Taken as plain text it would be a password that nobody knows.
    if (password.starts_with(scram_prefix) && !pg::parse_scram_verifier(password))
        return "this SCRAM-SHA-256 verifier is damaged; it reads "
               "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey, as sluice password prints it";
    if (password.starts_with(sha2_verifier_prefix) && !parse_sha2_verifier(password))
        return "this SHA2$ verifier is damaged; it reads SHA2$ and 64 hexadecimal digits, as "
               "sluice password prints it";
    return {};
}

user_store::user_store(const std::map<std::string, user>& users,
                       auth_method method,
                       std::string secret)
    : method_(method), secret_(std::move(secret))
{
    like_.salt.resize(pg::scram_salt_size_default);
    for (const auto& [name, from] : users)
        read_passwords(from, entries_[name]);
}

void user_store::read_passwords(const user& from, entry& to)
{
    for (const auto& password : from.passwords) {
        const auto& text = password.reveal();
        if (const auto problem = password_problem(text); !problem.empty())
            warnings_.push_back("users." + from.name + ": " + problem);
        else if (auto verifier = pg::parse_scram_verifier(text))
            to.ready.scram.push_back(std::move(*verifier));
        else if (auto sha2 = parse_sha2_verifier(text))
            to.mysql.sha2.push_back(*sha2);
        else if (auto native = mysql::parse_native_verifier(text))
            to.mysql.native.push_back(*native);
        else if (pg::is_md5_verifier(text))
            to.ready.md5.push_back(text);
        else
            to.plain.push_back(text);
    }
    to.mysql.other = !to.ready.scram.empty();
    // No plain text is checked by md5 unless the configuration says so, even for one user.
    if (method_ != auth_method::md5 && !to.ready.md5.empty()) {
        to.ready.md5.clear();
        warnings_.push_back("users." + from.name +
                            ": an md5 password is not used: [auth] method is not \"md5\"");
    }
}

void user_store::prepare()
{
    choose_mock();
    for (auto& [name, one] : entries_) {
        derive(name, one);
        settle_challenge(name, one);
    }
}

// A mock looks like most users' verifiers from the configuration.
void user_store::choose_mock()
{
    std::map<std::pair<std::uint32_t, std::size_t>, std::size_t> counts;
    std::size_t md5_users = 0;
    std::size_t native_users = 0;
    std::size_t sha2_users = 0;
    std::size_t other_users = 0;
    for (const auto& [name, one] : entries_) {
        if (!one.ready.md5.empty() || !one.plain.empty())
            ++md5_users;
        native_users += !one.mysql.native.empty() || !one.plain.empty();
        sha2_users += !one.mysql.sha2.empty() || !one.plain.empty();
        other_users += one.mysql.other;
        for (const auto& verifier : one.ready.scram)
            ++counts[{verifier.iterations, verifier.salt.size()}];
        if (one.ready.scram.empty() && !one.plain.empty())
            ++counts[{pg::scram_iterations_default, pg::scram_salt_size_default}];
    }
    mock_native_ = native_users * 2 >= entries_.size();
    mock_sha2_ = sha2_users * 2 >= entries_.size();
    mock_other_ = other_users * 2 > entries_.size();
    mock_md5_ = method_ == auth_method::md5 && md5_users * 2 >= entries_.size();
    const auto most = std::max_element(
        counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; });
    if (most == counts.end())
        return;
    like_.iterations = most->first.first;
    like_.salt.resize(most->first.second);
}

void user_store::derive(const std::string& name, entry& of)
{
    auto& scram = of.ready.scram;
    // All passwords of a user should challenge alike, or only the first can be used.
    const auto iterations = scram.empty() ? like_.iterations : scram.front().iterations;
    const auto salt =
        scram.empty() ? pg::derived_salt(secret_, name, like_.salt.size()) : scram.front().salt;
    for (auto& password : of.plain) {
        scram.push_back(pg::make_scram_verifier(password, salt, iterations));
        if (method_ == auth_method::md5)
            of.ready.md5.push_back(pg::make_md5_verifier(password, name));
        of.mysql.native.push_back(mysql::native_stage2(password));
        of.mysql.sha2.push_back(mysql::sha2_stage2(password));
        erase_text(password);
    }
    of.plain.clear();
    of.plain.shrink_to_fit();
}

void user_store::settle_challenge(const std::string& name, entry& of)
{
    auto& scram = of.ready.scram;
    if (scram.empty()) {
        const bool none = of.ready.md5.empty() && of.mysql.native.empty() && of.mysql.sha2.empty();
        if (none && method_ != auth_method::trust)
            warnings_.push_back("users." + name + ": no usable password: this user cannot log in");
        return;
    }
    const auto differs = [&](const pg::scram_verifier& verifier) {
        return !verifier.same_challenge(scram.front());
    };
    const auto end = std::stable_partition(scram.begin() + 1, scram.end(), std::not_fn(differs));
    if (end == scram.end())
        return;
    warnings_.push_back("users." + name + ": " + std::to_string(scram.end() - end) +
                        " SCRAM verifier(s) have another salt or iteration count than the first "
                        "and cannot be used: SCRAM tells the client one salt before it proves "
                        "anything; give the new password as plain text, or make its verifier with "
                        "the salt of the first");
    scram.erase(end, scram.end());
}

pg::credentials user_store::credentials_for(std::string_view name) const
{
    // Made for known names too: that takes time, and time tells.
    pg::credentials found;
    found.scram.push_back(pg::mock_scram_verifier(secret_, name, like_));
    auto mock_md5 = pg::mock_md5_verifier(secret_, name);
    const auto at = entries_.find(name);
    if (at == entries_.end()) {
        if (mock_md5_)
            found.md5.push_back(std::move(mock_md5));
        found.known = false;
        return found;
    }
    if (!at->second.ready.scram.empty())
        found.scram = at->second.ready.scram;
    found.md5 = at->second.ready.md5;
    return found;
}

mysql::credentials user_store::mysql_credentials_for(std::string_view name) const
{
    const std::string seed = secret_ + '\0' + std::string(name);
    mysql::credentials found;
    if (mock_native_)
        found.native.push_back(mysql::native_stage2(seed));
    if (mock_sha2_)
        found.sha2.push_back(mysql::sha2_stage2(seed));
    found.other = mock_other_;
    const auto at = entries_.find(name);
    found.known = at != entries_.end();
    return found.known ? at->second.mysql : found;
}

}  // namespace sluice::gateway
