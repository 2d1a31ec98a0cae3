// gateway/http/server.hpp: the HTTP listener: metrics, health, state, dashboard.
//
//   GET  /metrics        Prometheus
//   GET  /healthz        the process answers; open to all
//   GET  /readyz         it takes new clients; 503 and why when not; open to all
//   GET  /api/v1/state   JSON
//   GET  /               the dashboard
//   POST /login          token=..., or user=...&password=... of an admin; sets a cookie
//   POST /logout
//   GET  /api/v1/session who asks, and the word that the calls below have to repeat
//   POST /api/v1/pause, /api/v1/resume   database=...; admins only
//
// Layer: gateway. Threads of its own (cpp-httplib's); the workers' loops see nothing of it but the
// questions of snapshots. Bounds: `threads` requests at a time and `queue_max` connections behind
// them, request_max bytes each, timeouts for every read and write, one request per connection.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "gateway/config/config.hpp"

namespace sluice::gateway {

struct context;

class http_server {
public:
    // Listens; throws std::runtime_error that says which address and why. Whoever connects waits
    // until start().
    http_server(context& shared, const endpoint& where, const std::string& token);
    // Ends what is being answered within a second or so.
    ~http_server();

    void start();  // once

    const std::string& address() const noexcept { return address_; }

private:
    struct inside;
    std::unique_ptr<inside> inside_;
    std::string address_;
    std::thread thread_;
};

}  // namespace sluice::gateway
