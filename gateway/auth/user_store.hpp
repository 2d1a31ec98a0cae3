// gateway/auth/user_store.hpp: who may log in, and what is kept to check it.
//
// Layer: gateway. Made from the configuration; prepare() runs once on a helper thread (plain-text
// passwords become SCRAM verifiers there: about a millisecond each), then nothing changes any more
// and every thread may read it. A reload makes a new one, with the same secret.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"
#include "proto/mysql/server_login.hpp"
#include "proto/pg/login.hpp"

namespace sluice::gateway {

// 32 random bytes, made once per process: what the salts of unknown users and of plain-text
// passwords are derived from, so that both look alike and stay the same over reloads.
// Throws std::runtime_error where there is no randomness.
std::string make_auth_secret();

// What is wrong with a password of [users.NAME]; empty: nothing. Never quotes the password.
std::string password_problem(std::string_view password);

class user_store {
public:
    user_store(const std::map<std::string, user>& users, auth_method method, std::string secret);

    // Derives what is missing. credentials_for() and warnings() only afterwards.
    void prepare();

    // Of a user, or mocks for a name that is unknown or has no password this method can check.
    // Costs a few hashes, the same for every name.
    pg::credentials credentials_for(std::string_view name) const;

    // The same for a MySQL client. `other` where only the password itself can be compared, with
    // credentials_for(): a verifier of SCRAM.
    mysql::credentials mysql_credentials_for(std::string_view name) const;

    // For the log: passwords that can never be used. Names users and settings, no passwords.
    const std::vector<std::string>& warnings() const noexcept { return warnings_; }

private:
    struct entry {
        pg::credentials ready;
        mysql::credentials mysql;
        std::vector<std::string> plain;  // erased by prepare()
    };

    void read_passwords(const user& from, entry& to);
    void derive(const std::string& name, entry& of);
    void settle_challenge(const std::string& name, entry& of);
    void choose_mock();

    std::map<std::string, entry, std::less<>> entries_;
    std::vector<std::string> warnings_;
    pg::scram_verifier like_;  // iterations and salt size that mocks imitate
    bool mock_md5_ = false;    // most users would be asked for md5
    // What most users have for MySQL's plugins.
    bool mock_native_ = false;
    bool mock_sha2_ = false;
    bool mock_other_ = false;
    auth_method method_;
    std::string secret_;
};

}  // namespace sluice::gateway
