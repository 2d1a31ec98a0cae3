// gateway/tenants/waiting.hpp: who waits, for what, and why: for the console, metrics and people.
//
// Layer: gateway. Any thread; takes the scheduler's lock for as long as the list is copied.
// Bounds: `most` requests.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pool/dispatcher.hpp"

namespace sluice::gateway {

struct context;

struct waiting_request {
    std::shared_ptr<pool::tenant> tenant;
    std::string database;  // as its client named it
    std::string pool;      // of backends, or the SQLite database's name
    std::uint64_t client = 0;
    pool::wait_reason reason{};
    std::chrono::nanoseconds waited{};
    std::size_t worker = 0;
    std::size_t position = 0;  // among its tenant's on its worker; 1: next
    // What of the thing that it waits for is in use, and the limit of that: requests of the tenant
    // and max_concurrent, backends and pool.size, zero and max_rate.
    std::size_t used = 0;
    double most = 0;
};

// "5 of max_concurrent = 5 requests run"
std::string describe(const waiting_request& what);
// Of those who wait in no line: "70000 of max_buffer = 65536 bytes are in flight"
std::string describe_buffer(const pool::tenant& of);

std::vector<waiting_request> list_waiting(context& shared, std::size_t most);

// What a tenant does with one pool now.
struct tenant_standing {
    std::string database;
    std::string pool;
    pool::dispatcher::standing with;
};
std::vector<tenant_standing> list_standings(context& shared);

}  // namespace sluice::gateway
