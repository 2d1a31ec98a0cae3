// tests/integration/bad_input/gateways.hpp: gateways under attack, and whether they still serve.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/gateway_process.hpp"
#include "support/pg_cluster.hpp"
#include "support/soon.hpp"
#include "support/wire_client.hpp"

namespace sluice {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using support::be16;
using support::be32;
using support::gateway_process;
using support::message;
using support::simple_query;
using support::soon;
using support::startup;
using support::wire_client;

// Of the shared gateways, so long that nothing here is ended by it; and of those of whom a test
// wants that it ends.
constexpr auto login_timeout = std::chrono::seconds(300);
constexpr auto short_login_timeout = std::chrono::seconds(3);

support::pg_cluster& database();
// Database `app` of the cluster, user `app`. `more` goes into [gateway].
std::string configuration(const std::string& auth,
                          const std::string& more = {},
                          std::chrono::seconds login = login_timeout);

gateway_process& trusting_gateway();  // asks nobody
gateway_process& asking_gateway();    // SCRAM, password `secret`
gateway_process& hurried_gateway();   // the same with the short timeout

// Whether a client that behaves gets its answer; `why` says what it got instead.
bool serves(gateway_process& gateway, std::string* why = nullptr);

// Every test ends with the gateway alive, silent about memory errors, and serving.
class AttackedGateway : public ::testing::Test {
protected:
    explicit AttackedGateway(gateway_process& attacked) : gateway_(attacked) {}
    void TearDown() override;
    wire_client connect() const { return wire_client(gateway_.port()); }
    wire_client logged_in() const;

    gateway_process& gateway_;
};

}  // namespace sluice
