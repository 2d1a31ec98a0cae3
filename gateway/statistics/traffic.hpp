// gateway/statistics/traffic.hpp: what the clients of one (pool, tenant) did on one worker.
//
// Terms: a statement is one Query, Execute or function call of PostgreSQL's, one COM_QUERY or
// COM_STMT_EXECUTE of MySQL's. A request may hold several (all up to Sync). A transaction ends when
// a request leaves none open: outside of BEGIN each request that runs a statement is one. Bytes are
// those of the clients' sockets, within TLS, from the first of the connection on.
//
// Layer: gateway. Thread: as counter.hpp.
#pragma once

#include "gateway/statistics/histogram.hpp"

namespace sluice::gateway::statistics {

struct alignas(64) traffic {
    counter requests;
    counter statements;
    counter transactions;
    counter rows;
    counter errors;            // that clients were answered with, the server's and the gateway's
    counter received;          // bytes, from clients
    counter sent;              // bytes, to clients
    counter multiplexed;       // requests that shared a backend with others'
    counter backend_time;      // ns, from the backend being there to the end of the reply
    counter transaction_time;  // ns, from the backend being there to the end of the transaction
    counter wait_time;         // ns, from a request's arrival to its backend
    counter logins;
    gauge clients;      // that are logged in
    gauge active;       // ... with a request that has a backend
    gauge waiting;      // ... with a request that has none
    histogram latency;  // of requests, from arrival to the end of the reply
    histogram wait;
};

struct traffic_totals {
    std::uint64_t requests = 0;
    std::uint64_t statements = 0;
    std::uint64_t transactions = 0;
    std::uint64_t rows = 0;
    std::uint64_t errors = 0;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t multiplexed = 0;
    std::uint64_t backend_time = 0;
    std::uint64_t transaction_time = 0;
    std::uint64_t wait_time = 0;
    std::uint64_t logins = 0;
    std::int64_t clients = 0;
    std::int64_t active = 0;
    std::int64_t waiting = 0;
    times latency;
    times wait;

    traffic_totals& operator+=(const traffic_totals& other) noexcept;
};

traffic_totals read(const traffic& from) noexcept;

}  // namespace sluice::gateway::statistics
