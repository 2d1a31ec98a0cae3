// tests/integration/my_login/gateway.hpp: a gateway that MySQL clients log in to, and strangers
// attack. No server is behind it: what a login needs of one is nothing.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/my_login/raw_client.hpp"
#include "support/gateway_process.hpp"

namespace sluice::test {

using steady = std::chrono::steady_clock;
using support::gateway_process;

// Of the shared gateway, so long that nothing here is ended by it; and of those of whom a test
// wants that it ends.
constexpr auto login_timeout = std::chrono::seconds(300);
constexpr auto short_login_timeout = std::chrono::seconds(3);

// Users `app` (plain text), `native`, `sha2` and `scram` (one verifier each), all with the password
// `secret`, `only`, whose one database is `one`, and `undecided`, who has two SQLite databases.
// `more` goes into [gateway].
std::string configuration(const std::string& auth,
                          const std::string& more = {},
                          std::chrono::seconds login = login_timeout);

gateway_process& shared_gateway();

// Whether a client that behaves gets its answer.
::testing::AssertionResult serves(gateway_process& gateway);

// Every test ends with the gateway alive, silent about memory errors, and serving.
class MyLogin : public ::testing::Test {
protected:
    MyLogin() : gateway_(shared_gateway()) {}
    void TearDown() override;
    raw_client connect() const { return raw_client(gateway_.mysql_port()); }
    raw_client logged_in(const std::string& user = "app") const;

    gateway_process& gateway_;
};

}  // namespace sluice::test
